"""Course spaces at the same second: names, places, ends. On PostgreSQL and on SQLite alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Person
from common.audit import OPERATOR
from common.listing import read_list
from common.models import OutboxMail
from courses.models import Course, CourseSpace, Enrolment, Page, ProductEvent
from courses.platform import OK, EnrolmentRow, Outcome, Refusal, refused
from courses.platforms import get_platform
from courses.services import expire_spaces, extend_space, extend_space_by, withdraw_space
from handlers.contract import Delivered, Delivery, Purchase
from handlers.registry import get_handler
from portal.services.spaces import PutIn, put_into_space
from tests.accounts.factories import make_account, make_person
from tests.concurrency.racing import together
from tests.courses.factories import make_category, make_space, make_template
from tests.handlers.factories import PURCHASED

pytestmark = pytest.mark.django_db(transaction=True)

HANDLER = get_handler("buycourse")
ROUNDS = 3
DAY = timedelta(days=1)


def purchase(*names: str) -> Purchase:
    wishes = [{"fullname": f"Course {name}", "idnumber": name} for name in names]
    return Purchase(
        line_key=uuid4(),
        account_id=make_account().pk,
        buyer_id=make_person().pk,
        bill_number="CMD-2026-000007",
        item_code="SPACE",
        item_name="Course space",
        quantity=len(names),
        params=HANDLER.typed(f"coursecategory={make_category('Spaces').pk}&template=MODEL"),
        purchased_at=PURCHASED,
        customer_data=tuple(wishes),
    )


def test_two_workers_at_one_line_make_each_space_once() -> None:
    """As when a lease ends while its holder is still at it."""
    make_template()
    for number in range(ROUNDS):
        bought = purchase(f"N{number}", f"N{number}")
        results = together([partial(HANDLER.deliver, bought)] * 3)
        deliveries = [result for result in results if isinstance(result, Delivery)]
        assert len(deliveries) == 3, results
        assert all(one == deliveries[0] for one in deliveries)
        assert deliveries[0].delivered == Delivered(spaces=2, enrolments=2)
        spaces = CourseSpace.objects.filter(line_key=bought.line_key)
        assert sorted(spaces.values_list("ordinal", flat=True)) == [1, 2]
    assert Course.objects.filter(is_space=True).count() == 2 * ROUNDS
    assert Page.objects.filter(course__is_space=True).count() == 4 * ROUNDS
    assert ProductEvent.objects.filter(verb="bought").count() == 2 * ROUNDS


def test_orders_at_the_same_second_that_wish_the_same_short_name_each_get_one() -> None:
    make_template()
    orders = [purchase("SAME", "SAME") for _ in range(4)]
    results = together([partial(HANDLER.deliver, order) for order in orders])
    assert all(isinstance(result, Delivery) for result in results), results
    names = sorted(CourseSpace.objects.values_list("course__shortname", flat=True))
    assert names == sorted(["SAME", *(f"SAME-{number}" for number in range(2, 9))])


def test_of_many_who_enrol_at_once_as_many_get_in_as_there_are_places() -> None:
    for _round in range(ROUNDS):
        space = make_space(max_participants=3)
        people = [make_person() for _ in range(6)]

        def enrol(person_id: int, course_id: int = space.course_id) -> list[Outcome]:
            row = EnrolmentRow(course_id, person_id, "student", timezone.now() - DAY, None)
            return get_platform().ensure_enrolments([row])

        results = together([partial(enrol, person.pk) for person in people])
        assert sorted(str(result) for result in results) == sorted(
            str(outcome) for outcome in [[OK]] * 3 + [[refused(Refusal.FULL)]] * 3
        )
        learners = Enrolment.objects.filter(course=space.course_id, role="student")
        assert learners.count() == 3


def test_of_two_lists_for_the_last_places_one_comes_in_and_the_other_leaves_nothing() -> None:
    for number in range(ROUNDS):
        space = make_space(max_participants=3)
        before = Person.objects.count()

        def put(name: str, space_id: int = space.pk, number: int = number) -> PutIn:
            people = read_list(f"{name}1@example{number}.org {name}2@example{number}.org")
            return put_into_space(space_id=space_id, entries=people.rows, actor=OPERATOR, language="en")

        results = together([partial(put, name) for name in "ab"])
        assert sorted(type(result).__name__ for result in results) == ["PutIn", "Refused"], results
        assert Enrolment.objects.filter(course=space.course_id, role="student").count() == 2
        assert Person.objects.count() == before + 2


def test_the_same_list_entered_twice_at_once_is_one() -> None:
    space = make_space()
    people = read_list("a@example.org b@example.org")
    put = partial(put_into_space, space_id=space.pk, entries=people.rows, actor=OPERATOR, language="en")
    results = together([put] * 3)
    assert sorted(result.put for result in results if isinstance(result, PutIn)) == [0, 0, 2], results
    assert OutboxMail.objects.count() == 2


def test_an_order_line_extends_once_however_many_workers_are_at_it() -> None:
    space = make_space()
    extend = partial(
        extend_space_by, reference=space.reference, days=10, at=timezone.now(), key="line", actor=OPERATOR
    )
    results = together([extend] * 4)
    ends = {result.ends_at for result in results if isinstance(result, CourseSpace)}
    assert ends == {space.ends_at + 10 * DAY}, results
    assert ProductEvent.objects.filter(verb="extended").count() == 1


@pytest.mark.parametrize("change", ["extended", "withdrawn"])
def test_a_space_that_ends_while_it_is_changed_is_what_its_row_says(change: str) -> None:
    for _round in range(ROUNDS):
        now = timezone.now()
        space = make_space(starts_at=now - 9 * DAY, ends_at=now)
        until: datetime = now + DAY
        actions: list[Callable[[], Any]] = [
            partial(expire_spaces, now=now),
            partial(extend_space, reference=space.reference, until=until, actor=OPERATOR)
            if change == "extended"
            else partial(withdraw_space, reference=space.reference, actor=OPERATOR),
        ]
        results = together(actions)
        assert not [result for result in results if isinstance(result, Exception)], results
        space.refresh_from_db()
        is_closed = change == "withdrawn"
        assert (space.closed_at is not None) is is_closed
        assert (Course.objects.get(pk=space.course_id).closed_at is not None) is is_closed
    connections.close_all()
