"""Courses of our own on a Moodle site: copied live and without people, hidden until complete, made once."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from courses.models import Course, CourseMaking
from courses.moodle import copying
from courses.moodle.platform import MoodlePlatform
from courses.platform import OK, UNKNOWN, CourseCopy, PlatformAway, Refusal, refused
from courses.services import run_sync_courses
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.peer.records import Course as PeerCourse
from tests.moodle.site import use_peer

pytestmark = pytest.mark.django_db

PAGES = ["Welcome", "Reading", "Writing", "End"]
DUPLICATE, UPDATE = "core_course_duplicate_course", "core_course_update_courses"
LOST = ["timeout_after", "reset_after", "bad_gateway_after", "garbage_after", "html_prefix_after"]


@pytest.fixture
def platform(settings, moodle_peer: MoodlePeer) -> MoodlePlatform:
    return use_peer(settings, moodle_peer)


@pytest.fixture
def template(platform, site: Site) -> PeerCourse:
    there = site.add_course("MODEL", pages=PAGES, groupmode=1, startdate=1000, enddate=2000, idnumber="M")
    site.enrol(site.add_user("student"), there)
    run_sync_courses()
    Course.objects.filter(shortname="MODEL").update(is_template=True)
    return there


def patience(kind: str) -> float:
    """Seconds for a call; few only where a test waits for them to pass."""
    return 2 if kind == "timeout_after" else 20


def wish(template: PeerCourse | None, **fields: Any) -> CourseCopy:
    row = None if template is None else Course.objects.get(remote_id=template.id)
    values: dict[str, Any] = {"key": "line:1", "shortname": "MINE", "fullname": "My course", "category_id": 1}
    return CourseCopy(**values | {"template_id": row and row.pk} | fields)


def named(site: Site, shortname: str = "MINE") -> PeerCourse:
    (found,) = [course for course in site.courses.values() if course.shortname == shortname]
    return found


def names(site: Site) -> list[str]:
    return sorted(course.shortname for course in site.courses.values() if course.id != 1)


def assert_made_once(site: Site, platform: MoodlePlatform, wanted: CourseCopy) -> None:
    """Whatever came before: the wish is one complete course, and asked for again it is the same one."""
    (copied,) = platform.copy_courses([wanted])
    assert copied.outcome == OK
    there = named(site)
    assert (there.pages, there.complete_copy, there.visible) == (PAGES, True, True)
    assert sum(course.idnumber == there.idnumber for course in site.courses.values()) == 1
    row = Course.objects.get(copy_key="line:1")
    assert (row.pk, row.remote_id, row.shortname, row.is_space) == (copied.course_id, there.id, "MINE", True)
    assert platform.copy_courses([wanted]) == [copied]
    visible = sorted(
        course.shortname for course in site.courses.values() if course.visible and course.id != 1
    )
    assert visible == ["MINE", "MODEL"]


def test_a_copy_is_live_complete_and_without_people_and_dates(platform, site, template):
    template.pages = [*PAGES, "Added today"]
    (copied,) = platform.copy_courses([wish(template)])
    there = named(site)
    assert there.pages == [*PAGES, "Added today"]
    assert [pair for pair in site.enrolments if pair[1] == there.id] == []
    assert (there.fullname, there.visible, there.groupmode) == ("My course", True, 1)
    assert there.idnumber == f"shopseats:{copying.digest('line:1')}"
    assert (abs(there.startdate - site.clock) < 60, there.enddate) == (True, 0)
    row = Course.objects.get(pk=copied.course_id)
    assert (row.remote_id, row.is_space, row.is_template, row.groups_mode, row.ends_at) == (
        there.id,
        True,
        False,
        "separate",
        None,
    )
    making = CourseMaking.objects.get()
    assert (making.state, making.remote_id, making.attempt) == ("done", there.id, 1)


def test_nobody_sees_it_before_it_is_complete_and_it_is_shown_in_one_call(
    platform, site, template, moodle_peer
):
    platform.copy_courses([wish(template)])
    (duplicated,) = moodle_peer.calls_of(DUPLICATE)
    assert (str(duplicated.params["visible"]), duplicated.params["shortname"][:10]) == ("0", "shopseats-")
    assert duplicated.params["options"] == {"0": {"name": "users", "value": "0"}}
    (updated,) = moodle_peer.calls_of(UPDATE)
    assert set(updated.params["courses"]["0"]) == {
        "id",
        "fullname",
        "shortname",
        "idnumber",
        "startdate",
        "enddate",
        "visible",
    }


def test_the_same_key_again_asks_nobody(platform, site, template, moodle_peer):
    first = platform.copy_courses([wish(template)])
    moodle_peer.forget_calls()
    assert platform.copy_courses([replace(wish(template), shortname="OTHER", template_id=None)]) == first
    assert moodle_peer.calls == []


def test_a_copy_whose_row_was_lost_is_found_by_its_mark(platform, site, template, moodle_peer):
    platform.copy_courses([wish(template)])
    Course.objects.get(copy_key="line:1").delete()
    CourseMaking.objects.all().delete()
    run_sync_courses()
    assert not Course.objects.filter(shortname="MINE").exists()
    site.rename_course(named(site), "RENAMED")
    (copied,) = platform.copy_courses([wish(template)])
    assert (copied.outcome, len(moodle_peer.calls_of(DUPLICATE))) == (OK, 1)
    assert Course.objects.get(pk=copied.course_id).shortname == "RENAMED"


def test_without_a_template_it_is_made_in_one_call_with_its_mark(platform, site, moodle_peer):
    run_sync_courses_for_categories(site)
    (copied,) = platform.copy_courses([wish(None)])
    there = named(site)
    assert (copied.outcome, there.pages, there.visible) == (OK, [], True)
    assert there.idnumber == f"shopseats:{copying.digest('line:1')}"
    assert moodle_peer.calls_of(DUPLICATE) == moodle_peer.calls_of(UPDATE) == []


def run_sync_courses_for_categories(site: Site) -> None:
    site.add_course("ANY")
    run_sync_courses()


@pytest.mark.parametrize("kind", LOST)
def test_an_empty_course_whose_answer_was_lost_is_made_once(settings, site, moodle_peer, kind):
    platform = use_peer(settings, moodle_peer, timeout=patience(kind))
    run_sync_courses_for_categories(site)
    moodle_peer.faults.add("core_course_create_courses", kind)
    assert [copied.outcome for copied in platform.copy_courses([wish(None)])] == [UNKNOWN]
    assert [copied.outcome for copied in platform.copy_courses([wish(None)])] == [OK]
    assert names(site) == ["ANY", "MINE"]


# --- refusals ------------------------------------------------------------------------------------------


def test_a_template_with_groups_is_refused_after_a_look_at_it_as_it_is_now(platform, site, template):
    group = site.add_group(template, "Made today")
    wanted = wish(template)
    assert platform.copy_courses([wanted])[0].outcome == refused(Refusal.HAS_GROUPS)
    assert names(site) == ["MODEL"]
    del site.groups[group.id]
    assert_made_once(site, platform, wanted)
    assert site.groups == {}


def test_a_name_that_is_taken_makes_nothing(platform, site, template):
    site.add_course("MINE")
    assert platform.copy_courses([wish(template)])[0].outcome == refused(Refusal.NAME_TAKEN)
    assert names(site) == ["MINE", "MODEL"]
    assert platform.copy_courses([wish(template, shortname="MINE-2")])[0].outcome == OK


def test_a_name_taken_at_the_last_moment_keeps_the_copy_for_the_next_name(
    platform, site, template, moodle_peer
):
    def quicker(function: str) -> None:
        if function == DUPLICATE:
            site.add_course("MINE")

    site.between_check_and_insert = quicker
    assert platform.copy_courses([wish(template)])[0].outcome == refused(Refusal.NAME_TAKEN)
    site.between_check_and_insert = None
    (half,) = [course for course in site.courses.values() if course.shortname.startswith("shopseats-")]
    assert (half.visible, half.idnumber) == (False, "")
    (copied,) = platform.copy_courses([wish(template, shortname="MINE-2")])
    assert (copied.outcome, half.shortname, half.visible) == (OK, "MINE-2", True)
    assert len(moodle_peer.calls_of(DUPLICATE)) == 1


def test_bad_wishes_are_refused_each_for_its_reason(platform, site, template):
    wanted = [
        wish(template, key="1", category_id=10**6),
        wish(template, key="2", template_id=10**6),
        wish(template, key="3", shortname="a,b"),
        wish(template, key="4", shortname="shopseats-x"),
        wish(template, key="5", shortname="<b>"),
        wish(template, key="6", fullname="F" * 255),
        wish(template, key="7"),
        wish(template, key="8"),
    ]
    assert [copied.outcome for copied in platform.copy_courses(wanted)] == [
        refused(Refusal.UNKNOWN_CATEGORY),
        refused(Refusal.UNKNOWN_TEMPLATE),
        refused(Refusal.BAD_NAME),
        refused(Refusal.BAD_NAME),
        refused(Refusal.BAD_NAME),
        refused(Refusal.BAD_NAME),
        OK,
        refused(Refusal.NAME_TAKEN),
    ]
    assert names(site) == ["MINE", "MODEL"]


def test_a_title_with_angle_brackets_is_written_in_another_way(platform, site, template):
    platform.copy_courses([wish(template, fullname="Reading <3> books")])
    assert named(site).fullname == "Reading ‹3› books"


def test_a_template_that_is_gone_and_not_yet_known_to_be(platform, site, template):
    wanted = wish(template)
    site.delete_course(template)
    assert platform.copy_courses([wanted])[0].outcome == refused(Refusal.UNKNOWN_TEMPLATE)


@pytest.mark.parametrize("capability", ["moodle/backup:configure", "moodle/backup:userinfo"])
def test_without_the_right_to_leave_people_out_nothing_is_copied(platform, site, template, capability):
    site.remove_capability(capability)
    with pytest.raises(PlatformAway, match=capability):
        platform.copy_courses([wish(template)])
    assert names(site) == ["MODEL"]
    site.add_capability(capability)
    assert_made_once(site, platform, wish(template))


# --- answers that are lost -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*LOST, "killed_midway"])
def test_a_copy_that_nobody_confirmed_is_removed_and_made_anew(
    settings, site, template, moodle_peer, monkeypatch, kind
):
    monkeypatch.setattr(copying, "SETTLING", timedelta(0))
    monkeypatch.setattr(copying, "COPY_SECONDS", patience(kind))
    platform = use_peer(settings, moodle_peer)
    moodle_peer.faults.add(DUPLICATE, kind)
    assert platform.copy_courses([wish(template)])[0].outcome == UNKNOWN
    assert CourseMaking.objects.get().state == "called"
    assert_made_once(site, platform, wish(template))
    assert names(site) == ["MINE", "MODEL"]
    assert CourseMaking.objects.get().attempt == 2


def test_it_is_left_alone_while_the_server_may_still_be_at_it(
    settings, site, template, moodle_peer, monkeypatch
):
    monkeypatch.setattr(copying, "COPY_SECONDS", patience("timeout_after"))
    platform = use_peer(settings, moodle_peer)
    moodle_peer.faults.add(DUPLICATE, "timeout_after")
    assert platform.copy_courses([wish(template)])[0].outcome == UNKNOWN
    assert platform.copy_courses([wish(template)])[0].outcome == UNKNOWN
    assert len(moodle_peer.calls_of(DUPLICATE)) == 1
    monkeypatch.setattr(copying, "SETTLING", timedelta(0))
    assert_made_once(site, platform, wish(template))


@pytest.mark.parametrize("how", ["function", "capability", "lost"])
def test_where_it_may_not_be_removed_it_stays_hidden(settings, site, template, moodle_peer, monkeypatch, how):
    monkeypatch.setattr(copying, "SETTLING", timedelta(0))
    platform = use_peer(settings, moodle_peer)
    moodle_peer.faults.add(DUPLICATE, "killed_midway")
    if how == "function":
        site.remove_function("core_course_delete_courses")
    elif how == "capability":
        site.remove_capability("moodle/course:delete")
    else:
        moodle_peer.faults.add("core_course_delete_courses", "bad_gateway_before")
    assert platform.copy_courses([wish(template)])[0].outcome == UNKNOWN
    assert_made_once(site, platform, wish(template))
    (half,) = [course for course in site.courses.values() if course.shortname.startswith("shopseats-")]
    assert (half.visible, half.complete_copy) == (False, False)
    run_sync_courses()
    assert sorted(Course.objects.values_list("shortname", flat=True)) == ["MINE", "MODEL"]


@pytest.mark.parametrize("kind", LOST)
def test_the_last_step_is_looked_up_when_its_answer_was_lost(settings, site, template, moodle_peer, kind):
    platform = use_peer(settings, moodle_peer, timeout=patience(kind))
    moodle_peer.faults.add(UPDATE, kind)
    assert platform.copy_courses([wish(template)])[0].outcome == UNKNOWN
    assert_made_once(site, platform, wish(template))
    assert (len(moodle_peer.calls_of(DUPLICATE)), len(moodle_peer.calls_of(UPDATE))) == (1, 1)
    assert names(site) == ["MINE", "MODEL"]


def test_the_last_step_that_did_not_happen_is_made_again(platform, site, template, moodle_peer):
    moodle_peer.faults.add(UPDATE, "bad_gateway_before")
    assert platform.copy_courses([wish(template)])[0].outcome == UNKNOWN
    assert_made_once(site, platform, wish(template))
    assert len(moodle_peer.calls_of(DUPLICATE)) == 1


def test_a_copy_that_somebody_deleted_before_it_was_finished_is_made_anew(
    platform, site, template, moodle_peer
):
    moodle_peer.faults.add(UPDATE, "bad_gateway_before")
    platform.copy_courses([wish(template)])
    site.delete_course(next(one for one in site.courses.values() if one.shortname.startswith("shopseats-")))
    assert platform.copy_courses([wish(template)])[0].outcome == UNKNOWN
    assert_made_once(site, platform, wish(template))


@pytest.mark.parametrize("number", range(1, 12))
def test_whichever_call_is_cut_it_ends_well(settings, site, template, moodle_peer, monkeypatch, number):
    monkeypatch.setattr(copying, "SETTLING", timedelta(0))
    platform = use_peer(settings, moodle_peer)
    for kind in ("refuse_connection", "bad_gateway_after"):
        moodle_peer.forget_calls()
        moodle_peer.faults.add(number, kind)
        wanted = wish(template)
        for _attempt in range(3):
            try:
                if platform.copy_courses([wanted])[0].outcome == OK:
                    break
            except PlatformAway:
                pass
        moodle_peer.faults.clear()
        assert_made_once(site, platform, wanted)
        assert names(site) == ["MINE", "MODEL"]
        site.delete_course(named(site))
        Course.objects.filter(copy_key="line:1").delete()
        CourseMaking.objects.all().delete()


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("step", range(1, 9))
def test_killed_between_any_two_steps_it_ends_well(platform, site, template, monkeypatch, step):
    monkeypatch.setattr(copying, "SETTLING", timedelta(0))
    counted = 0
    originals = {name: getattr(copying, name) for name in ("find_course", "groups_in", "_set", "_confirm")}

    def dying(name):
        def call(*args, **kwargs):
            nonlocal counted
            result = originals[name](*args, **kwargs)
            counted += 1
            if counted == step:
                raise Killed
            return result

        return call

    with monkeypatch.context() as patched:
        for name in originals:
            patched.setattr(copying, name, dying(name))
        with contextlib.suppress(Killed):
            platform.copy_courses([wish(template)])
    platform.copy_courses([wish(template)])
    assert_made_once(site, platform, wish(template))
    assert names(site) == ["MINE", "MODEL"]
