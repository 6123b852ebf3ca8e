"""Items of the shop with a Moodle behind them: checked at save from what is known, without a call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone, translation

from courses.models import Course
from courses.services import run_sync_courses
from handlers.contract import SeatMode
from handlers.registry import get_handler
from tests.handlers.factories import make_offer
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.site import use_peer

pytestmark = pytest.mark.django_db

SEATED = {"setuponecoursesession": SeatMode.QUANTITY}
HAS = "It has: student, teacher."


@pytest.fixture(autouse=True)
def site(settings, site: Site, moodle_peer: MoodlePeer) -> Iterator[Site]:
    """A site with a course, a template and a category; only two roles are mapped."""
    use_peer(settings, moodle_peer)
    settings.MOODLE_ROLES = "student:5,teacher:4"
    site.add_course("SPOC", groupmode=1)
    site.add_course("NOWAY", groupmode=1, manual=False)
    site.add_course("HELP", manual=None)
    site.add_course("MODEL")
    run_sync_courses()
    Course.objects.filter(shortname="MODEL").update(is_template=True)
    Course.objects.filter(shortname="HELP").update(is_support=True)
    moodle_peer.forget_calls()
    with translation.override("en"):
        yield site
    assert moodle_peer.calls == []


def errors(handler: str, params: str) -> list[tuple[str, str, str]]:
    found = get_handler(handler).check(
        make_offer(params, seat_mode=SEATED.get(handler, SeatMode.NONE)), at=timezone.now()
    )
    return [(one.code, one.key, one.message) for one in found if one.level == "error"]


@pytest.mark.parametrize(
    ("handler", "params", "key"),
    [
        ("setuponecoursesession", "coursename=SPOC&role=editingteacher", "role"),
        ("setuponecoursesession", "coursename=SPOC&supervisor=editingteacher", "supervisor"),
        ("enrolonecourse", "coursename=SPOC&role=editingteacher", "role"),
        ("generateseats", "courselist=SPOC&supervisor=editingteacher", "supervisor"),
    ],
)
def test_a_role_that_is_not_mapped_is_an_error_at_save(handler, params, key):
    message = f"The course platform has no role editingteacher. {HAS}"
    assert errors(handler, params) == [("role_unknown", key, message)]
    assert errors(handler, params.replace("editingteacher", "teacher")) == []


def test_course_spaces_need_a_role_for_their_owners(settings):
    message = "The course platform has none of these roles: courseowner, editingteacher."
    assert errors("buycourse", "coursecategory=1&template=MODEL") == [("role_unknown", "", message)]
    settings.MOODLE_ROLES = "student:5,teacher:4,editingteacher:3"
    assert errors("buycourse", "coursecategory=1&template=MODEL") == []


def test_a_template_with_groups_and_a_category_that_moodle_has_not_are_errors(settings):
    settings.MOODLE_ROLES = "student:5,teacher:4,courseowner:10"
    Course.objects.filter(shortname="MODEL").update(groups_found=2)
    assert errors("buycourse", "coursecategory=99&template=MODEL") == [
        ("category_unknown", "coursecategory", "There is no course category with the number 99."),
        (
            "has_groups",
            "template",
            "MODEL has groups, which would come along into every course: delete them there.",
        ),
    ]


@pytest.mark.parametrize("handler", ["setuponecoursesession", "enrolonecourse"])
def test_a_course_without_manual_enrolment_is_an_error(handler):
    message = "NOWAY takes no enrolments: add “Manual enrolments” to it on the course platform."
    assert errors(handler, "coursename=NOWAY") == [("course_no_enrolments", "coursename", message)]


def test_seats_match_no_course_without_manual_enrolment():
    message = "No open course matches this list: the seats could not be given to anybody."
    assert errors("generateseats", "courselist=NOWAY") == [("no_course", "courselist", message)]


def test_a_support_course_without_manual_enrolment_is_an_error():
    assert errors("generateseats", "courselist=SPOC&customersupport=HELP") == [
        ("support_closed", "customersupport", "Nobody can be put into HELP on the course platform.")
    ]
