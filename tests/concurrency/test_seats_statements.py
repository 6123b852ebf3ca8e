"""How many statements applying a list takes, and which ones (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CustomerAccount, Person
from accounts.services import NewPerson, ensure_people
from common.audit import OPERATOR
from common.models import OutboxMail
from seats.models import Assignment
from seats.services import apply_here
from seats.services.picking import free_seats
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import make_pool, people, plan_list, states

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]

ALLOWED = 60  # for 1,000 people


@pytest.fixture(autouse=True)
def _no_mail_leaves(settings) -> Iterator[None]:
    settings.SHOPSEATS_MAIL = "hold"
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    yield
    current_app.conf.update(task_always_eager=True)


def statements(size: int, *, known: bool) -> CaptureQueriesContext:
    """What is sent to the database from the manager's yes to the end of the job."""
    account = make_account()
    make_pool(account, size)
    emails = [f"p{size}.{n}@x.org" for n in range(size)]
    if known:
        ensure_people([NewPerson(email) for email in emails])
        Person.objects.update(possessed_at=timezone.now())
    batch = plan_list(account, make_course(), listed=people(*emails))
    with CaptureQueriesContext(connection) as sent:
        apply_here(batch_id=batch.pk, actor=OPERATOR)
    assert states(account) == {"assigned": size}
    mails = OutboxMail.objects.filter(to__startswith=f"p{size}.")
    assert mails.filter(kind="enrolled" if known else "invitation").count() == size
    return sent


@pytest.mark.parametrize("known", [False, True])
def test_a_thousand_people_take_at_most_sixty_and_two_thousand_twice_that(known):
    assert len(statements(1_000, known=known)) <= ALLOWED
    assert len(statements(2_000, known=known)) <= 2 * ALLOWED


def test_the_account_is_locked_before_anything_is_read_or_written():
    sent = [query["sql"] for query in statements(10, known=False)]

    lock = next(place for place, sql in enumerate(sent) if "FOR NO KEY UPDATE" in sql)
    assert 'FROM "accounts_customeraccount"' in sent[lock]
    assert sent[lock - 1] == "BEGIN"
    writes = [place for place, sql in enumerate(sent) if sql.startswith('INSERT INTO "seats_assignment"')]
    assert lock < writes[0] < sent.index("COMMIT", lock)


def test_free_seats_are_found_without_reading_the_whole_account():
    """A pool most of which is used: the search must go by the index of the pool, not through the table."""
    account: CustomerAccount = make_account()
    used, other = make_pool(account, 4_000), make_pool(account, 4_000)
    people_ids = [
        pk for pk, _made in ensure_people([NewPerson(f"p{n}@x.org") for n in range(3_900)]).values()
    ]
    course = make_course()
    now = timezone.now()
    seats = used.seats.order_by("ordinal")[:3_900]
    Assignment.objects.bulk_create(
        Assignment(
            seat=seat,
            account=account,
            person_id=pk,
            course=course,
            role="student",
            email="p@x.org",
            state="live",
            starts_at=now,
            created_by="operator",
        )
        for seat, pk in zip(seats, people_ids, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE seats_seat, seats_assignment")

    found = free_seats(now).filter(pool=other).order_by("ordinal")[:500]
    plan = found.explain(analyze=True)

    assert "Seq Scan on seats_seat" not in plan
    assert len(found) == 500
    assert len(free_seats(now).filter(pool=used)) == 100
