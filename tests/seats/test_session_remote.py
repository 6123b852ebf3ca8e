"""Sessions on a remote platform: nobody hears of one before everybody is in, and a refusal undoes it as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from accounts.models import CustomerAccount, Invitation, Person
from common.leases import LeaseLost
from common.models import OutboxMail
from courses.models import Course, Enrolment, PlatformLogin
from courses.platform import OK, EnrolmentRow, Outcome, refused
from delegation.models import Delegation
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Seat, SeatPool, Session
from seats.services import NotTold, SessionRefused, set_up_session
from seats.services import session as work
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment, put_into_group
from tests.seats.factories import give, states
from tests.seats.remote import FarPlatform, install
from tests.seats.sessions import enrolled, members, ordered, seated

pytestmark = pytest.mark.django_db
MADE = (
    SeatPool,
    Seat,
    Session,
    AssignmentBatch,
    AssignmentRow,
    Assignment,
    Delegation,
    Invitation,
    OutboxMail,
)


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    platform = install(monkeypatch, settings)
    # So that four people are two chunks.
    monkeypatch.setattr(work, "CHUNK", 2)
    monkeypatch.setattr(work, "PART", 2)
    return platform


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course("SPOC")


FOUR = ("a@x.org", "b@x.org", "c@x.org", "d@x.org")


def left() -> dict[str, int]:
    """What there is of all that a session makes."""
    return {
        model.__name__: model._default_manager.count() for model in MADE if model._default_manager.exists()
    }


def refuse(far: FarPlatform, monkeypatch, *emails: str, code: str = "unknown_role") -> None:
    """From now on the platform refuses to enrol these people; without any it refuses nobody."""
    known = FarPlatform.ensure_enrolments

    def ensure_enrolments(rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        no = set(Person.objects.filter(email__in=emails).values_list("pk", flat=True))
        known(far, [row for row in rows if row.person_id not in no])
        return [refused(code) if row.person_id in no else OK for row in rows]

    monkeypatch.setattr(far, "ensure_enrolments", ensure_enrolments)


def test_everybody_is_seated_enrolled_and_told(far, account, course):
    make_enrolment(course, make_person(email="eve@x.org"))
    order = ordered(course, *FOUR, "eve@x.org", account=account)
    done = set_up_session(order)
    assert (done.enrolled, done.created, done.already) == (4, 4, 1)
    assert seated(order) == [(1, "a@x.org"), (2, "b@x.org"), (3, "c@x.org"), (4, "d@x.org"), (5, "")]
    assert states(account) == {"assigned": 4, "free": 1}
    assert members(course, order.bill_number) == [*FOUR, "eve@x.org"]
    assert Delegation.objects.filter(account=account).count() == 5
    assert sorted(OutboxMail.objects.values_list("to", flat=True)) == list(FOUR)


@pytest.mark.django_db(transaction=True)
def test_the_platform_is_never_called_inside_a_transaction(far, account, course):
    far.checks_transactions = True
    buyer = make_person()
    set_up_session(ordered(course, *FOUR, account=account, buyer_id=buyer.pk, buyer_tutors=True))
    assert (buyer.email, "teacher") in enrolled(course)
    assert set(far.calls) == {
        "active_enrolments",
        "strangers",
        "ensure_logins",
        "ensure_enrolments",
        "ensure_group_members",
        "oversee",
    }


def test_nobody_is_told_before_everybody_is_in(far, account, course, monkeypatch):
    told: list[int] = []
    far.on_enrolling = lambda: told.append(OutboxMail.objects.count())
    set_up_session(ordered(course, *FOUR, account=account))
    assert told == [0, 0]
    assert OutboxMail.objects.count() == 4


def test_no_seat_is_free_before_the_session_is_done(far, account, course):
    make_enrolment(course, make_person(email="eve@x.org"))
    seen: list[dict[str, int]] = []
    far.on_enrolling = lambda: seen.append(states(account))
    set_up_session(ordered(course, "a@x.org", "eve@x.org", "b@x.org", account=account))
    assert seen == [{"reserved": 2}]
    assert states(account) == {"assigned": 2, "free": 1}


def test_a_platform_that_is_away_is_asked_again_later(far, account, course):
    make_person(email="a@x.org")
    order = ordered(course, *FOUR, account=account)
    far.is_away = True
    with pytest.raises(NotTold):
        set_up_session(order)
    assert OutboxMail.objects.count() == 0
    far.is_away = False
    assert set_up_session(order).enrolled == 4


def test_somebody_left_unanswered_holds_up_everybody_until_he_is_answered(far, account, course):
    silent = make_person(email="c@x.org")
    far.silent_about = {silent.pk}
    order = ordered(course, *FOUR, account=account)
    with pytest.raises(NotTold):
        set_up_session(order)
    assert states(account) == {"reserved": 4}
    assert OutboxMail.objects.count() == 0
    far.silent_about = set()
    assert (set_up_session(order).enrolled, states(account)) == (4, {"assigned": 4})
    assert OutboxMail.objects.count() == 4


# --- refused ------------------------------------------------------------------------------------------


def test_one_refusal_undoes_everything_and_a_retry_after_the_repair_completes(
    far, account, course, monkeypatch
):
    make_person(email="b@x.org")
    eve = make_enrolment(course, make_person(email="eve@x.org"))
    order = ordered(course, *FOUR, "eve@x.org", account=account)
    people = Person.objects.count()
    refuse(far, monkeypatch, "d@x.org")
    with pytest.raises(SessionRefused) as refusal:
        set_up_session(order)
    assert refusal.value.code == "unknown_role"
    assert left() == {}
    # The logins that were made on the platform are known to be ours.
    assert (Person.objects.count(), PlatformLogin.objects.filter(is_ours=True).count()) == (people + 3, 4)
    assert enrolled(course) == [("eve@x.org", "student")]
    assert members(course, order.bill_number) == []
    refuse(far, monkeypatch)
    done = set_up_session(order)
    assert (done.enrolled, done.created, done.already) == (4, 0, 1)
    assert Invitation.objects.count() == OutboxMail.objects.filter(kind="invitation").count() == 4
    eve.refresh_from_db()
    assert eve.status == "active"


def test_a_refused_group_undoes_everything(far, account, course, monkeypatch):
    make_enrolment(course, make_person(email="eve@x.org"))
    monkeypatch.setattr(far, "ensure_group_members", lambda rows: [refused("bad_group") for _row in rows])
    with pytest.raises(SessionRefused):
        set_up_session(ordered(course, "a@x.org", "eve@x.org", account=account))
    assert left() == {}
    assert enrolled(course) == [("eve@x.org", "student")]


def test_undoing_leaves_people_in_the_group_whom_another_line_of_the_order_put_there(
    far, account, course, monkeypatch
):
    first = ordered(course, "a@x.org", account=account)
    set_up_session(first)
    refuse(far, monkeypatch, "b@x.org")
    with pytest.raises(SessionRefused):
        set_up_session(ordered(course, "a@x.org", "b@x.org", account=account, bill_number=first.bill_number))
    assert members(course, first.bill_number) == ["a@x.org"]
    assert seated(first) == [(1, "a@x.org")]


def test_a_login_that_is_in_use_meanwhile_survives_the_undoing(far, account, course, monkeypatch):
    refuse(far, monkeypatch, "b@x.org")
    # The built-in logins alone: none is made anywhere else.
    monkeypatch.setattr(far, "ensure_logins", lambda people: [OK for _person in people])
    ensure = far.ensure_enrolments

    def ensure_and_sign_in(rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        Person.objects.filter(email="a@x.org").update(possessed_at=rows[0].starts_at)
        told: list[Outcome] = ensure(rows)
        return told

    monkeypatch.setattr(far, "ensure_enrolments", ensure_and_sign_in)
    with pytest.raises(SessionRefused):
        set_up_session(ordered(course, "a@x.org", "b@x.org", account=account))
    assert list(Person.objects.values_list("email", flat=True)) == ["a@x.org"]
    assert left() == {}


def test_the_platform_away_while_undoing_the_next_attempt_undoes_it(far, account, course, monkeypatch):
    order = ordered(course, *FOUR, account=account)
    refuse(far, monkeypatch, "d@x.org")
    end = far.end_enrolments

    def away(pairs):
        far.is_away = True
        return end(pairs)

    monkeypatch.setattr(far, "end_enrolments", away)
    with pytest.raises(NotTold):
        set_up_session(order)
    assert states(account) == {"reserved": 4}
    far.is_away = False
    monkeypatch.setattr(far, "end_enrolments", end)
    with pytest.raises(SessionRefused):
        set_up_session(order)
    assert left() == {}


def test_a_refusal_after_somebody_was_told_undoes_nothing_and_waits_for_the_repair(
    far, account, course, monkeypatch
):
    order = ordered(course, *FOUR, account=account)
    beats: list[int] = []

    def lose_the_run() -> None:
        beats.append(1)
        if OutboxMail.objects.exists():
            raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        set_up_session(order, heartbeat=lose_the_run)
    assert states(account) == {"assigned": 2, "reserved": 2}
    refuse(far, monkeypatch, "d@x.org")
    with pytest.raises(SessionRefused):
        set_up_session(order)
    assert states(account) == {"assigned": 2, "reserved": 2}
    refuse(far, monkeypatch)
    assert set_up_session(order).enrolled == 4
    assert (states(account), OutboxMail.objects.count()) == ({"assigned": 4}, 4)


# --- others at the same time --------------------------------------------------------------------------


def test_somebody_enrolled_meanwhile_no_more_is_judged_anew(far, account, course, monkeypatch):
    eve = make_enrolment(course, make_person(email="eve@x.org"))
    order = ordered(course, "a@x.org", "eve@x.org", account=account)

    def unenrol() -> None:
        Enrolment.objects.filter(pk=eve.pk).delete()
        far.on_enrolling = lambda: None

    far.on_enrolling = unenrol
    with pytest.raises(NotTold):
        set_up_session(order)
    done = set_up_session(order)
    assert (done.enrolled, done.already) == (2, 0)
    assert members(course, order.bill_number) == ["a@x.org", "eve@x.org"]


def test_whoever_sits_in_another_accounts_reserved_seat_is_enrolled_already(
    far, account, course, monkeypatch
):
    other = ordered(course, "a@x.org")
    far.is_away = True
    make_person(email="a@x.org")
    monkeypatch.setattr(far, "active_enrolments", lambda pairs, **_options: [None for _pair in pairs])
    with pytest.raises(NotTold):
        set_up_session(other)
    far.is_away = False
    mine = ordered(course, "a@x.org", account=account)
    # The other account's enrolment has not reached the platform yet: ours waits for it.
    with pytest.raises(NotTold):
        set_up_session(mine)
    set_up_session(other)
    assert set_up_session(mine).already == 1
    assert states(account) == {"free": 1}


def test_two_groups_of_one_person_are_told(far, account, course):
    held = make_enrolment(course, make_person(email="eve@x.org"))
    put_into_group("of the school", held)
    other = ordered(course, "ada@x.org")
    set_up_session(other)
    done = set_up_session(ordered(course, "ada@x.org", "eve@x.org", account=account))
    assert (done.shared, done.shared_groups) == (1, (other.bill_number,))


def test_a_free_seat_of_the_session_is_given_by_a_list(account, course):
    make_enrolment(course, make_person(email="eve@x.org"))
    set_up_session(ordered(course, "eve@x.org", account=account))
    assert give(account, course, "ben@x.org").state == "live"
