"""The plan: a verdict for every row before anything happens (DESIGN section 4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import CustomerAccount, Person
from common.audit import OPERATOR
from common.listing import from_rows
from common.models import OutboxMail
from courses.models import Course, Enrolment
from delegation.models import Delegation
from seats.models import Assignment, AssignmentBatch, AssignmentRow, SeatPool
from seats.selectors import batch_rows, batch_totals
from seats.services import Refused, choose_pool, create_list, discard, plan, start_apply
from seats.wording import public_verdict
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import apply, give, make_pool, people, plan_list, planned

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course()


def test_every_verdict_of_the_table(account, course):
    make_pool(account, 2)
    make_person(email="known@example.org")
    enrolled = make_person(email="inside@example.org")
    make_enrolment(course, enrolled, ends_at=NOW + 30 * DAY)

    batch = plan_list(
        account,
        course,
        "new@example.org",
        " KNOWN@Example.org ",
        "inside@example.org",
        "New@example.org",
        "not an address",
        "late@example.org",
    )

    assert planned(batch) == [
        "new_account",
        "existing_account",
        "already_enrolled",
        "duplicate",
        "invalid",
        "no_seat",
    ]
    rows = list(batch.rows.all())
    assert rows[2].detail == {"ends": (NOW + 30 * DAY).isoformat()}
    assert rows[3].detail == {"row": 1}
    assert rows[4].problems == [{"field": "email", "code": "no_at"}]
    assert batch.state == "planned"


def test_a_plan_changes_nothing_but_the_list(account, course):
    make_pool(account, 1)
    known = make_person(email="known@example.org", first_name="Own")
    stamp = CustomerAccount.objects.get(pk=account.pk).stamp

    plan_list(account, course, "new@example.org", "known@example.org")

    assert list(Person.objects.all()) == [known]
    assert not Assignment.objects.exists()
    assert not Enrolment.objects.exists()
    assert not Delegation.objects.exists()
    assert not OutboxMail.objects.exists()
    assert CustomerAccount.objects.get(pk=account.pk).stamp == stamp


def test_the_rows_are_kept_as_typed_from_the_first_moment(account, course):
    make_pool(account, 1)
    listed = from_rows(
        [
            {"email": "Ada@Example.org", "firstname": "Ada", "lastname": "Lovelace", "role": "tuteur"},
            {"email": "bob@example.org", "role": "chef"},
        ]
    )

    batch = plan_list(account, course, listed=listed)

    first, second = batch.rows.all()
    assert (first.position, first.email, first.email_key) == (1, "Ada@Example.org", "ada@example.org")
    assert (first.first_name, first.last_name, first.role) == ("Ada", "Lovelace", "tutor")
    assert second.problems == [{"field": "role", "code": "unknown_role"}]
    assert (batch.size, batch.source, batch.created_by) == (2, "form", "operator")


def test_an_address_given_twice_counts_once_and_a_bad_row_does_not_count(account, course):
    make_pool(account, 5)
    listed = from_rows(
        [
            {"email": "ada@example.org", "role": "chef"},
            {"email": "ada@example.org"},
            {"email": "ADA@example.org"},
        ]
    )

    batch = plan_list(account, course, listed=listed)

    assert planned(batch) == ["invalid", "new_account", "duplicate"]
    assert batch.rows.get(position=3).detail == {"row": 2}


class TestAlreadyEnrolled:
    def test_an_enrolment_whose_start_lies_ahead_counts(self, account, course):
        make_pool(account, 1)
        make_enrolment(course, make_person(email="a@example.org"), starts_at=NOW + DAY, opened_at=None)

        assert planned(plan_list(account, course, "a@example.org")) == ["already_enrolled"]

    def test_a_suspended_or_ended_one_does_not(self, account, course):
        make_pool(account, 2)
        make_enrolment(course, make_person(email="a@example.org"), status="suspended")
        make_enrolment(course, make_person(email="b@example.org"), ends_at=NOW - timedelta(hours=1))

        assert planned(plan_list(account, course, "a@example.org", "b@example.org")) == [
            "existing_account",
            "existing_account",
        ]

    def test_it_uses_no_seat(self, account, course):
        make_pool(account, 1)
        make_enrolment(course, make_person(email="a@example.org"))

        batch = plan_list(account, course, "a@example.org", "b@example.org")

        assert planned(batch) == ["already_enrolled", "new_account"]

    def test_nothing_is_told_about_people_when_the_account_has_no_seat_for_the_course(self, account, course):
        make_enrolment(course, make_person(email="a@example.org"))
        without_seats = plan_list(account, course, "a@example.org", "nobody@example.org")
        make_pool(account, 1, courselist="OTHER")
        with_others = plan_list(account, course, "a@example.org", "nobody@example.org")

        assert planned(without_seats) == ["no_seat", "no_seat"]
        assert planned(with_others) == ["not_allowed", "not_allowed"]

    def test_it_is_still_told_when_all_seats_are_used(self, account, course):
        make_pool(account, 1)
        give(account, course, "a@example.org")

        assert planned(plan_list(account, course, "a@example.org", "b@example.org")) == [
            "already_enrolled",
            "no_seat",
        ]


class TestNotAllowed:
    def test_which_courses_the_seats_do_cover_is_said(self, account, course):
        make_pool(account, 3, courselist="EXCEL*,WORD")
        excel, word = make_course("EXCEL1"), make_course("WORD")
        make_course("POWERPOINT")

        batch = plan_list(account, course, "a@example.org", "b@example.org")

        assert planned(batch) == ["not_allowed", "not_allowed"]
        totals = batch_totals(batch.pk)
        assert {(one.course_id, one.free) for one in totals.covered} == {(excel.pk, 3), (word.pk, 3)}
        assert (totals.seats_used, totals.free_left, totals.missing) == (0, 3, 0)

    def test_a_course_created_later_counts(self, account):
        make_pool(account, 1, courselist="EXCEL*")
        late = make_course("EXCEL2027")

        assert planned(plan_list(account, late, "a@example.org")) == ["new_account"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"is_space": True},
            {"is_template": True},
            {"is_support": True},
            {"not_for_seats": True},
            {"visible": False},
            {"closed_at": NOW - DAY},
            {"ends_at": NOW - DAY},
        ],
    )
    def test_a_seat_without_courselist_reaches_open_courses_only(self, account, fields):
        make_pool(account, 1)

        assert planned(plan_list(account, make_course(**fields), "a@example.org")) == ["not_allowed"]

    @pytest.mark.parametrize("fields", [{"is_space": True}, {"is_template": True}, {"is_support": True}])
    def test_nor_does_one_that_names_the_course(self, account, fields):
        make_pool(account, 1, courselist="SPACE1")

        assert planned(plan_list(account, make_course("SPACE1", **fields), "a@example.org")) == [
            "not_allowed"
        ]


class TestTotals:
    def test_seats_used_free_left_and_the_pools_they_come_from(self, account, course):
        make_pool(account, 2, courselist=course.shortname, item_name="Pack")
        make_pool(account, 5, item_name="Any")

        totals = batch_totals(plan_list(account, course, "a@x.org", "b@x.org", "c@x.org").pk)

        assert (totals.rows, totals.seats_used, totals.free_left, totals.missing) == (3, 3, 4, 0)
        assert [(use.item_name, use.seats) for use in totals.pools] == [("Pack", 2), ("Any", 1)]
        assert totals.verdicts["new_account"] == 3
        assert sum(totals.verdicts.values()) == 3

    def test_how_many_seats_are_missing_is_told(self, account, course):
        make_pool(account, 1)

        totals = batch_totals(plan_list(account, course, "a@x.org", "b@x.org", "c@x.org").pk)

        assert (totals.seats_used, totals.free_left, totals.missing) == (1, 0, 2)

    def test_customers_see_new_and_known_people_as_one(self, account, course):
        make_pool(account, 5)
        make_person(email="known@x.org")
        batch = plan_list(account, course, "new@x.org", "known@x.org")

        assert batch_totals(batch.pk).public["will_be_invited"] == 2
        rows = batch_rows(batch.pk).rows
        assert {(row.planned_verdict, row.message, row.outcome) for row in rows} == {
            ("will_be_invited", rows[0].message, "")
        }
        assert "new_account" not in batch_totals(batch.pk).public
        assert public_verdict("no_seat") == "no_seat"

    def test_rows_are_filtered_and_paged(self, account, course):
        make_pool(account, 5)
        batch = plan_list(account, course, *(f"p{n}@x.org" for n in range(7)))

        page = batch_rows(batch.pk, page=2, per_page=3)
        assert ([row.position for row in page.rows], page.pages, page.total) == ([4, 5, 6], 3, 7)
        beyond = batch_rows(batch.pk, page=99, per_page=3, verdict="no_seat")
        assert ([row.position for row in beyond.rows], beyond.number, beyond.total) == ([6, 7], 1, 2)

    def test_a_list_of_any_length_costs_the_same_queries(self, account, course, django_assert_num_queries):
        make_pool(account, 100)
        short = plan_list(account, course, "a@x.org")
        long = plan_list(account, course, *(f"p{n}@x.org" for n in range(90)))

        for batch in (short, long):
            apply(batch)
            with django_assert_num_queries(7):
                batch_totals(batch.pk)
            with django_assert_num_queries(3):
                batch_rows(batch.pk)


class TestAnotherPool:
    def test_the_manager_may_choose_the_pool(self, account, course):
        make_pool(account, 5, courselist=course.shortname)
        other = make_pool(account, 1)

        batch = plan_list(account, course, "a@x.org", "b@x.org", pool=other)

        assert planned(batch) == ["new_account", "no_seat"]
        assert [use.pool_id for use in batch_totals(batch.pk).pools] == [other.pk]

    def test_choosing_later_plans_anew(self, account, course):
        first = make_pool(account, 1)
        make_pool(account, 5)
        batch = plan_list(account, course, "a@x.org", "b@x.org", "bad")

        choose_pool(batch_id=batch.pk, pool_id=first.pk)
        assert planned(batch) == ["new_account", "no_seat", "invalid"]
        choose_pool(batch_id=batch.pk, pool_id=None)
        assert planned(batch) == ["new_account", "new_account", "invalid"]

    def test_a_pool_that_does_not_cover_the_course_gives_nothing(self, account, course):
        make_pool(account, 5)
        other = make_pool(account, 5, courselist="OTHER")

        assert planned(plan_list(account, course, "a@x.org", pool=other)) == ["not_allowed"]

    def test_another_accounts_pool_does_not_exist(self, account, course):
        foreign = make_pool(make_account(), 5)
        make_pool(account, 1)

        with pytest.raises(SeatPool.DoesNotExist):
            plan_list(account, course, "a@x.org", pool=foreign)
        assert not AssignmentBatch.objects.exists()

        batch = plan_list(account, course, "a@x.org")
        with pytest.raises(SeatPool.DoesNotExist):
            choose_pool(batch_id=batch.pk, pool_id=foreign.pk)
        batch.refresh_from_db()
        assert batch.pool_id is None

    def test_it_is_too_late_once_the_list_is_applied(self, account, course):
        pool = make_pool(account, 1)
        batch = plan_list(account, course, "a@x.org")
        apply(batch)

        with pytest.raises(Refused) as refusal:
            choose_pool(batch_id=batch.pk, pool_id=pool.pk)

        assert refusal.value.code == "applied"


class TestDiscarding:
    def test_a_discarded_list_forgets_its_addresses_and_cannot_be_applied(self, account, course):
        make_pool(account, 1)
        batch = plan_list(account, course, "a@x.org")

        discard(batch_id=batch.pk, actor=OPERATOR)
        discard(batch_id=batch.pk, actor=OPERATOR)

        assert not AssignmentRow.objects.exists()
        with pytest.raises(Refused) as refusal:
            start_apply(batch_id=batch.pk, actor=OPERATOR)
        assert refusal.value.code == "discarded"
        plan(batch_id=batch.pk)
        assert AssignmentBatch.objects.get().state == "discarded"

    def test_an_applied_list_is_history(self, account, course):
        make_pool(account, 1)
        batch = plan_list(account, course, "a@x.org")
        apply(batch)

        with pytest.raises(Refused) as refusal:
            discard(batch_id=batch.pk, actor=OPERATOR)

        assert refusal.value.code == "applied"
        assert AssignmentRow.objects.count() == 1


def test_ten_thousand_rows_are_planned_in_few_statements(account, course, django_assert_max_num_queries):
    make_pool(account, 10)
    listed = people(*(f"p{n}@x.org" for n in range(10_000)))

    # SQLite takes 999 parameters a statement: 10,000 rows of 13 columns.
    with django_assert_max_num_queries(200):
        batch = create_list(account_id=account.pk, course_id=course.pk, people=listed, actor=OPERATOR)

    assert batch_totals(batch.pk).verdicts["no_seat"] == 9_990
