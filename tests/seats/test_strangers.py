"""People who have a login on a remote platform and are no rows of ours: known there, and nothing of theirs is changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone, translation

from accounts.models import CustomerAccount, Invitation, Person
from common import jobs
from common.audit import OPERATOR, Actor
from common.models import OutboxMail
from courses.models import Course, Enrolment, PlatformLogin
from courses.platform import Oversight, Stranger, refused
from delegation.models import Delegation
from seats.models import Assignment, AssignmentBatch
from seats.selectors import batch_rows
from seats.services import apply as applying
from seats.services import resend, set_up_session, start_apply
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import give, make_pool, plan_list, planned, states, told
from tests.seats.remote import FarPlatform, install
from tests.seats.sessions import members, ordered, seated

pytestmark = pytest.mark.django_db


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


@pytest.fixture
def account() -> CustomerAccount:
    account = make_account()
    make_pool(account, 5)
    return account


@pytest.fixture
def course() -> Course:
    return make_course()


def listed(account, course, *emails: str) -> AssignmentBatch:
    batch = plan_list(account, course, *emails)
    assert batch.job is not None
    assert jobs.run(batch.job.pk)
    return batch


def applied(batch: AssignmentBatch, actor: Actor = OPERATOR) -> list[tuple[str, str]]:
    jobs.run(start_apply(batch_id=batch.pk, actor=actor).pk)
    assert AssignmentBatch.objects.get(pk=batch.pk).state == "applied"
    return told(list(batch.rows.order_by("position")))


def mails() -> list[tuple[str, str]]:
    return sorted(OutboxMail.objects.values_list("to", "kind"))


class TestInAList:
    def test_one_who_is_not_enrolled_gets_a_seat_and_the_news(self, far, account, course):
        far.elsewhere = {"Eve@x.org": False}
        batch = listed(account, course, "eve@X.org", "new@x.org")
        assert planned(batch) == ["existing_account", "new_account"]

        assert applied(batch) == [("existing_account", "assigned"), ("new_account", "assigned")]

        assert mails() == [("eve@X.org", "enrolled"), ("new@x.org", "invitation")]
        made = dict(Assignment.objects.values_list("email", "created_login"))
        assert made == {"eve@X.org": False, "new@x.org": True}
        assert dict(Delegation.objects.values_list("email", "created_login")) == made
        assert Invitation.objects.get().person.email == "new@x.org"
        assert not PlatformLogin.objects.get(person__email="eve@X.org").is_ours

    def test_one_who_is_enrolled_costs_no_seat_and_no_row(self, far, account, course):
        far.elsewhere = {"eve@x.org": True}
        batch = listed(account, course, "eve@x.org")
        assert planned(batch) == ["already_enrolled"]

        assert applied(batch) == [("already_enrolled", "unchanged")]

        assert (states(account), mails()) == ({"free": 5}, [])
        assert not Person.objects.exists()
        with translation.override("en"):
            [row] = batch_rows(batch.pk, page=1, per_page=10).rows
            assert row.message == "Already enrolled in this course: no seat is used."

    def test_nobody_is_asked_about_who_has_no_seat_to_get(self, far, course):
        far.elsewhere = {"eve@x.org": True}
        batch = listed(make_account(), course, "eve@x.org")
        assert (planned(batch), far.calls) == (["no_seat"], [])

    def test_one_who_comes_there_after_the_list_was_read_is_known_when_it_is_applied(
        self, far, account, course
    ):
        batch = listed(account, course, "eve@x.org")
        assert planned(batch) == ["new_account"]
        far.elsewhere = {"eve@x.org": False}

        assert applied(batch) == [("existing_account", "assigned")]
        assert mails() == [("eve@x.org", "enrolled")]

    def test_a_login_found_only_when_it_was_to_be_made_was_not_created(self, far, account, course):
        batch = listed(account, course, "eve@x.org")
        far.on_enrolling = lambda: None
        far.before = lambda name: far.elsewhere.update(
            {"eve@x.org": False} if name == "ensure_logins" else {}
        )

        assert applied(batch) == [("existing_account", "assigned")]

        assert mails() == [("eve@x.org", "enrolled")]
        assert not Assignment.objects.get().created_login
        assert not Delegation.objects.get().created_login
        assert not Invitation.objects.exists()

    def test_who_asks_for_the_mail_again_gets_the_news_again(self, far, account, course, hour_ago):
        far.elsewhere = {"eve@x.org": False}
        applied(listed(account, course, "eve@x.org"))
        OutboxMail.objects.update(state="sent", created_at=hour_ago)
        resend(assignment_id=Assignment.objects.get().pk, actor=OPERATOR)
        assert mails() == [("eve@x.org", "enrolled")] * 2
        assert not Invitation.objects.exists()

    def test_somebody_of_ours_who_is_enrolled_there_without_known_dates(
        self, far, account, course, monkeypatch
    ):
        make_enrolment(course, make_person(email="bob@x.org"))
        tell = far.active_enrolments

        def without_dates(pairs, **options):
            from_there = tell(pairs, **options)
            for one in from_there:
                if one is not None:
                    object.__setattr__(one, "dates_known", False)
            return from_there

        monkeypatch.setattr(far, "active_enrolments", without_dates)
        batch = listed(account, course, "bob@x.org")
        assert batch.rows.get().detail == {}
        assert planned(batch) == ["already_enrolled"]


@pytest.fixture
def hour_ago() -> datetime:
    """An hour ago."""
    return timezone.now() - timedelta(hours=1)


class TestInASession:
    def test_one_who_is_enrolled_joins_the_group_and_his_seat_is_free(self, far, account, course):
        far.elsewhere = {"eve@x.org": True}
        order = ordered(course, "ann@x.org", "eve@x.org", account=account)

        def enrolled_there(name: str) -> None:
            # What the platform holds from before, as soon as there is a row of hers to hang it on here.
            eve = Person.objects.filter(email="eve@x.org").first()
            if eve is not None and not Enrolment.objects.filter(person=eve).exists():
                make_enrolment(course, eve)

        far.before = enrolled_there
        done = set_up_session(order)

        assert (done.enrolled, done.created, done.already) == (1, 1, 1)
        assert seated(order) == [(1, "ann@x.org"), (2, "")]
        assert members(course, order.bill_number) == ["ann@x.org", "eve@x.org"]
        assert mails() == [("ann@x.org", "invitation")]
        delegated = dict(Delegation.objects.values_list("email", "created_login"))
        assert delegated == {"ann@x.org": True, "eve@x.org": False}
        assert not PlatformLogin.objects.get(person__email="eve@x.org").is_ours
        assert set_up_session(order) == done

    def test_one_who_is_not_enrolled_gets_the_news(self, far, account, course):
        far.elsewhere = {"eve@x.org": False}
        done = set_up_session(ordered(course, "ann@x.org", "eve@x.org", account=account))
        assert (done.enrolled, done.created, done.already) == (2, 1, 0)
        assert mails() == [("ann@x.org", "invitation"), ("eve@x.org", "enrolled")]


class TestOversight:
    def test_whoever_gives_seats_sees_those_whose_login_was_made_for_it_and_nobody_else(
        self, far, account, course
    ):
        manager = make_person()
        known = make_person(email="known@x.org")
        far.elsewhere = {"eve@x.org": False}
        applied(listed(account, course, "new@x.org", "eve@x.org", "known@x.org"), Actor.person(manager.pk))
        assert states(account) == {"free": 2, "assigned": 3}
        assert known.platform_login.is_ours  # he had none there, but he is known here
        assert far.overseen == [Oversight(manager.pk, Person.objects.get(email="new@x.org").pk)]

    def test_an_operator_oversees_nobody(self, far, account, course):
        applied(listed(account, course, "new@x.org"))
        assert far.overseen == []

    def test_a_refusal_changes_nothing(self, far, account, course, monkeypatch, caplog):
        monkeypatch.setattr(far, "oversee", lambda rows: [refused("no_role") for _row in rows])
        applied(listed(account, course, "new@x.org"), Actor.person(make_person().pk))
        assert states(account) == {"free": 4, "assigned": 1}
        assert "no_role" in caplog.text

    def test_the_buyer_of_a_session_oversees_the_new_ones(self, far, account, course):
        buyer = make_person()
        set_up_session(ordered(course, "ann@x.org", account=account, buyer_id=buyer.pk))
        assert far.overseen == [Oversight(buyer.pk, Person.objects.get(email="ann@x.org").pk)]


def test_a_hundred_people_are_told_at_a_time_and_each_part_is_reported(far, account, course, monkeypatch):
    monkeypatch.setattr(applying, "PART", 2)
    batch = listed(account, course, "a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org")
    job = start_apply(batch_id=batch.pk, actor=OPERATOR)
    seen: list[tuple[int, dict[str, int]]] = []

    def noted() -> None:
        job.refresh_from_db()
        seen.append((job.done, states(account)))

    far.on_enrolling = noted
    jobs.run(job.pk)
    assert seen == [
        (2, {"free": 3, "reserved": 2}),
        (4, {"free": 1, "assigned": 2, "reserved": 2}),
        (5, {"assigned": 4, "reserved": 1}),
    ]


def test_on_the_local_platform_there_are_none(account, course, monkeypatch):
    monkeypatch.setattr(
        "courses.builtin.platform.BuiltinPlatform.strangers",
        lambda *_args, **_options: [Stranger(is_enrolled=True)],
    )
    assert give(account, course, "eve@x.org").created_login
