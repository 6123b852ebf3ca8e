"""Reconciling: what differs between a far platform and our rows is told, and mended only when that is asked for."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import CustomerAccount
from common import jobs
from common.models import AuditEntry
from courses.models import Course, CourseMaking, Enrolment, ProductEvent
from seats.models import Assignment, Seat, SeatChange
from seats.services.life_rows import HOLD_JOB
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course
from tests.portal.reconciling import ENDED, SUSPENDED, Drifted, pair_of, reconcile
from tests.seats.factories import give, make_pool, states
from tests.seats.remote import install_as

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> CustomerAccount:
    account = make_account()
    make_pool(account, 5)
    return account


@pytest.fixture
def course() -> Course:
    return make_course("SPOC")


@pytest.fixture
def ada(account: CustomerAccount, course: Course) -> Assignment:
    return give(account, course, "ada@x.org")


@pytest.fixture
def far(ada: Assignment, monkeypatch, settings) -> Drifted:
    """The platform once Ada has her seat."""
    return install_as(Drifted(), monkeypatch, settings)


def everything() -> list[Any]:
    tables = (Assignment, Enrolment, Seat, AuditEntry)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


# --- seats without an enrolment -------------------------------------------------------------------


def test_when_both_agree_there_is_nothing_to_say(far, ada):
    assert reconcile() == []
    out = io.StringIO()
    call_command("reconcile", stdout=out)
    assert out.getvalue() == "The course platform and our rows agree.\n"


def test_a_seat_without_an_enrolment_is_told_and_nothing_is_changed(far, ada):
    far.gone.add(pair_of(ada))
    before = everything()
    assert reconcile() == [
        {
            "kind": "missing",
            "email": "ada@x.org",
            "seat": ada.seat.reference,
            "space": "",
            "course": "SPOC",
            "platform": "not enrolled",
            "ours": "without an end",
            "repair": "enrolments",
            "done": False,
            "note": "",
        }
    ]
    assert (everything(), far.rows, far.calls) == (before, [], ["enrolments"])


def test_it_is_enrolled_again_with_the_dates_of_its_seat(far, ada):
    ends = timezone.now() + timedelta(days=30)
    Assignment.objects.update(ends_at=ends)
    Enrolment.objects.update(ends_at=ends)
    far.gone.add(pair_of(ada))
    [finding] = reconcile("--repair", "enrolments")
    assert (finding["done"], finding["note"]) == (True, "")
    assert [
        (row.course_id, row.person_id, row.role, row.starts_at, row.ends_at, row.suspended)
        for row in far.rows
    ] == [(ada.course_id, ada.person_id, "student", ada.starts_at, ends, False)]
    assert reconcile() == []
    entry = AuditEntry.objects.get(verb="platform.reconciled")
    assert (entry.actor, entry.object, entry.counts) == ("operator", f"platform:{far.name}", {"missing": 1})


def test_what_is_not_asked_for_is_not_mended(far, ada):
    far.gone.add(pair_of(ada))
    [finding] = reconcile("--repair", "seats,addresses,logins")
    assert (finding["done"], far.rows) == (False, [])


def test_a_refusal_is_said(far, ada):
    far.gone.add(pair_of(ada))
    far.refuses.add(pair_of(ada))
    [finding] = reconcile("--repair", "enrolments")
    assert (finding["done"], finding["note"]) == (False, "no_enrolments")
    assert not AuditEntry.objects.filter(verb="platform.reconciled").exists()


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"visible": False}, "the course is hidden"),
        ({"ends_at": timezone.now() - timedelta(days=1)}, "the course is over"),
        ({"takes_enrolments": False}, "the course takes no enrolments of ours"),
    ],
)
def test_nobody_is_put_into_a_course_that_keeps_people_out(far, ada, changes, note):
    Course.objects.update(**changes)
    far.gone.add(pair_of(ada))
    [finding] = reconcile("--repair", "enrolments")
    assert (finding["repair"], finding["done"], finding["note"]) == ("", False, note)
    assert far.rows == []


def test_a_closed_course_is_not_asked_about(far, ada):
    Course.objects.update(closed_at=timezone.now())
    far.gone.add(pair_of(ada))
    assert (reconcile(), far.calls) == ([], [])


def test_a_course_that_is_gone_there_is_told_once(far, ada):
    Course.objects.update(missing_since=timezone.now())
    [finding] = reconcile("--repair", "enrolments")
    assert (finding["kind"], finding["course"], finding["platform"], finding["ours"]) == (
        "course",
        "SPOC",
        "gone",
        "1 people",
    )
    assert far.calls == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": timezone.now() - timedelta(minutes=1)},
        {"state": "reserved"},
        {"state": "ended", "ended_at": timezone.now(), "end_reason": "taken_back"},
    ],
)
def test_seats_that_nobody_sits_in_need_no_enrolment(far, ada, changes):
    Assignment.objects.update(starts_at=timezone.now() - timedelta(days=1), **changes)
    Enrolment.objects.update(status="suspended")
    far.gone.add(pair_of(ada))
    assert reconcile() == []


def test_what_a_job_is_about_to_tell_is_no_difference(far, ada):
    event = ProductEvent.objects.create(reference=ada.seat.reference, actor="system", verb="extended")
    job = jobs.start(kind=HOLD_JOB, object_id=event.pk)
    far.other[pair_of(ada)] = ENDED
    Enrolment.objects.all().delete()
    assert reconcile() == []
    job.state = "done"
    job.save()
    assert [one["kind"] for one in reconcile()] == ["missing"]


def test_a_seat_about_which_somebody_changes_his_mind_is_no_difference(far, ada, account):
    change = SeatChange.objects.create(
        kind="release", account=account, seat=ada.seat, assignment=ada, actor="x"
    )
    Enrolment.objects.all().delete()
    assert reconcile() == []
    change.state = "refused"
    change.save()
    assert [one["kind"] for one in reconcile()] == ["missing"]


def test_whoever_leaves_his_seat_while_it_is_repaired_is_not_left_enrolled(far, ada):
    far.gone.add(pair_of(ada))

    def leaves() -> None:
        Assignment.objects.update(state="ended", ended_at=timezone.now(), end_reason="taken_back")

    far.while_telling = leaves
    reconcile("--repair", "enrolments")
    assert far.other[pair_of(ada)] == SUSPENDED
    assert Enrolment.objects.get().status == "suspended"


def test_only_the_courses_named_are_compared(far, ada, account):
    other = make_course("OTHER")
    bob = give(account, other, "bob@x.org")
    far.gone |= {pair_of(ada), pair_of(bob)}
    assert [one["email"] for one in reconcile("OTHER")] == ["bob@x.org"]
    assert [one["email"] for one in reconcile()] == ["bob@x.org", "ada@x.org"]


# --- ended on the platform ------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "kind"), [(SUSPENDED, "suspended"), (ENDED, "ended")])
def test_an_enrolment_that_ended_there_is_told_and_never_freed_silently(far, ada, account, state, kind):
    far.other[pair_of(ada)] = state
    before = everything()
    [finding] = reconcile("--repair", "enrolments")
    assert (finding["kind"], finding["platform"], finding["repair"], finding["done"]) == (
        kind,
        kind,
        "seats",
        False,
    )
    assert everything() == before
    assert states(account) == {"assigned": 1, "free": 4}


def test_it_is_let_in_again_when_that_is_asked_for(far, ada, account):
    far.other[pair_of(ada)] = SUSPENDED
    [finding] = reconcile("--repair", "seats")
    assert finding["done"]
    assert states(account) == {"assigned": 1, "free": 4}
    assert reconcile() == []


def test_or_the_seat_is_free_again_when_the_end_is_accepted(far, ada, account):
    far.other[pair_of(ada)] = SUSPENDED
    [finding] = reconcile("--repair", "seats", "--accept")
    assert (finding["done"], finding["note"], far.rows) == (True, "the seat is free again", [])
    assert states(account) == {"free": 5}
    entry = AuditEntry.objects.get(verb="seat.release")
    assert (entry.actor, entry.why) == ("operator", "ended on the platform")
    assert reconcile() == []


def test_a_seat_that_was_started_stays_where_it_is(far, ada, account):
    far.other[pair_of(ada)] = SUSPENDED
    Assignment.objects.update(opened_at=timezone.now())
    [finding] = reconcile("--repair", "seats", "--accept")
    assert not finding["done"]
    assert "started" in finding["note"] or "commencé" in finding["note"]
    assert states(account) == {"consumed": 1, "free": 4}


# --- people without a seat ------------------------------------------------------------------------


def test_people_of_our_record_are_compared_too(far, ada, course):
    Assignment.objects.all().delete()
    far.gone.add(pair_of(ada))
    [finding] = reconcile("--repair", "enrolments")
    assert (finding["kind"], finding["seat"], finding["email"], finding["done"]) == (
        "missing",
        "",
        "ada@x.org",
        True,
    )
    [row] = far.rows
    assert (row.role, row.starts_at) == ("student", Enrolment.objects.get().starts_at)


def test_what_the_platform_has_not_answered_yet_is_no_difference(far, ada):
    Assignment.objects.all().delete()
    Enrolment.objects.update(status="suspended", waits=True)
    far.gone.add(pair_of(ada))
    assert reconcile() == []


def test_an_end_there_is_taken_over_into_our_record(far, ada):
    Assignment.objects.all().delete()
    far.other[pair_of(ada)] = SUSPENDED
    [finding] = reconcile("--repair", "seats", "--accept")
    assert (finding["done"], Enrolment.objects.get().status) == (True, "suspended")


# --- courses in the making, arguments, size ---------------------------------------------------------


def test_a_course_that_never_became_ready_is_told(far, ada):
    CourseMaking.objects.create(key="old", state="called", created_at=timezone.now() - timedelta(hours=2))
    CourseMaking.objects.create(key="done", state="done", created_at=timezone.now() - timedelta(hours=2))
    CourseMaking.objects.create(key="new", state="called")
    [finding] = reconcile("--repair", "enrolments,seats")
    assert (finding["kind"], finding["course"], finding["platform"], finding["done"]) == (
        "course",
        "old",
        "called",
        False,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--repair", "seats,everything"], "repair: “everything” is none of"),
        (["--repair", "enrolments", "--accept"], "accept: "),
        (["NOWHERE"], "course: there is no course NOWHERE"),
    ],
)
def test_bad_arguments_change_nothing(far, ada, arguments, said):
    far.gone.add(pair_of(ada))
    before = everything()
    with pytest.raises(CommandError, match=said) as caught:
        reconcile(*arguments)
    assert (caught.value.returncode, everything(), far.calls) == (2, before, [])


def test_a_platform_that_is_away_is_said(far, ada):
    far.is_away = True
    with pytest.raises(CommandError, match="The course platform is away: no route to host") as caught:
        reconcile()
    assert caught.value.returncode == 1


def test_the_text_says_what_would_mend_it(far, ada):
    far.gone.add(pair_of(ada))
    out = io.StringIO()
    call_command("reconcile", stdout=out)
    assert out.getvalue() == (
        f"missing: ada@x.org in {ada.seat.reference} SPOC: not enrolled there, without an end here: "
        "--repair enrolments\n1 missing\n"
    )


def test_the_built_in_platform_is_compared_with_its_seats(ada, account):
    Enrolment.objects.all().delete()
    [finding] = reconcile("--repair", "enrolments")
    assert (finding["kind"], finding["done"]) == ("missing", True)
    assert Enrolment.objects.get().person_id == ada.person_id


@pytest.mark.parametrize("people", [3, 40])
def test_a_course_costs_the_same_however_many_sit_there(far, ada, course, django_assert_num_queries, people):
    account = make_account()
    make_pool(account, people)
    for number in range(people):
        give(account, course, f"p{number}@x.org")
    far.calls.clear()
    with django_assert_num_queries(12):
        assert reconcile() == []
    assert far.calls == ["enrolments"]


@pytest.mark.django_db(transaction=True)
def test_the_platform_is_never_called_inside_a_transaction(far, ada):
    far.gone.add(pair_of(ada))
    bob = make_person(email="bob@x.org")
    Enrolment.objects.create(course=ada.course, person=bob, role="student", starts_at=timezone.now())
    far.other[(ada.course_id, bob.pk)] = SUSPENDED
    far.checks_transactions = True
    assert [one["done"] for one in reconcile("--repair", "enrolments,seats")] == [True, True]
