"""Mails about the life of products, in both languages: what ends soon, what staff has done, gifts, credits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.core import mail as post
from django.utils import timezone

from accounts.models import CustomerAccount, Member, Role
from billing.models import Bill, ProductionRun
from billing.production import produce
from billing.services import Refused, give_seats, report_credits
from catalog.models import CatalogItem
from common import outbox
from common.audit import OPERATOR
from common.models import AuditEntry, OutboxMail
from courses.models import Course
from seats.models import Seat
from seats.services import extend_until, restore, run_expire, set_courses, tell_endings, withdraw
from tests.accounts.factories import make_account, make_member, make_person
from tests.billing.factories import seats_item
from tests.catalog.factories import make_shop
from tests.courses.factories import make_course, make_space
from tests.seats.factories import apply, give, make_pool, plan_list, references, states
from tests.seats.life import DAY, session_of

pytestmark = pytest.mark.django_db

NOW = datetime.fromisoformat("2027-05-03T08:00:00+02:00")
MIDNIGHT = datetime.fromisoformat("2027-06-01T00:00:00+02:00")


@pytest.fixture(autouse=True)
def _morning(settings) -> Any:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_shop()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def account() -> CustomerAccount:
    account = make_account(name="Demo Industries")
    owner = make_person(email="owner@demo.example", language="en", last_name="Owner")
    make_member(Role.OWNER, account=account, person=owner)
    return account


@pytest.fixture
def course() -> Course:
    return make_course(fullname="Excel basics")


def sent(kind: str) -> Any:
    """The one letter of this kind, after everything due was sent."""
    outbox.deliver_due(now=NOW + 3000 * DAY)
    assert OutboxMail.objects.get(kind=kind).state == "sent"
    mail = OutboxMail.objects.get(kind=kind)
    [letter] = [one for one in post.outbox if f"outbox-{mail.pk}@" in one.extra_headers["Message-ID"]]
    return letter


def french(account: CustomerAccount) -> None:
    person = Member.objects.get(account=account).person
    person.language = "fr"
    person.save()


# --- what ends soon -------------------------------------------------------------------------------


def test_a_notice_names_what_ends_when_and_who(account, course):
    pool = make_pool(account, 1, access_ends_at=MIDNIGHT, item_name="Seat for Excel", bill_number="CMD-1")
    give(account, course, "ada@example.org")
    free = make_pool(account, 3, assign_before=MIDNIGHT, item_name="Pack of 3", bill_number="CMD-2")
    session = session_of(
        account,
        course,
        "bob@example.org",
        "tom@example.org tutor",
        ends_at=MIDNIGHT + DAY,
        bill_number="CMD-3",
    )
    space = make_space(account=account, ends_at=MIDNIGHT + 2 * DAY, bill_number="CMD-4")
    tell_endings(now=NOW)
    letter = sent("ending_soon")
    assert letter.to == ["owner@demo.example"]
    assert letter.subject == "What ends soon at Demo Industries"
    text = letter.body
    assert "because you manage the seats of Demo Industries" in text
    assert "4 things of yours end soon" in text
    assert f"{pool.item_name}, order CMD-1: access of Ada Doe until 31 May 2027 inclusive" in text
    assert (
        f"{free.item_name}, order CMD-2: 3 free seats to be given until 31 May 2027 inclusive. "
        "Seats that are free then may be given for as long again." in text
    )
    assert (
        f"Excel basics, order CMD-3: session {session.reference}, 2 seats, until 1 June 2027 inclusive"
        in text
    )
    assert f"order CMD-4: course space {space.reference}, until 2 June 2027 inclusive" in text
    assert text.index("CMD-1") < text.index("CMD-3") < text.index("CMD-4")
    assert "/products/" in text


def test_a_notice_in_french_reads_as_people_write(account, course):
    french(account)
    make_pool(account, 2, access_ends_at=MIDNIGHT, bill_number="CMD-1")
    give(account, course, "ada@example.org")
    tell_endings(now=NOW)
    assert "jusqu’au 31 mai 2027 inclus" in sent("ending_soon").body


@pytest.mark.parametrize(
    ("choice", "words"),
    [("credit", "the shop sees to a credit"), ("nothing", "Seats that are free then expire.")],
)
def test_a_notice_says_what_follows_for_free_seats(account, choice, words):
    make_pool(account, 1, assign_before=MIDNIGHT, unassigned_end=choice)
    tell_endings(now=NOW)
    assert words in sent("ending_soon").body


def test_free_seats_that_end_with_a_fixed_day_are_not_promised_another_time(account):
    make_pool(account, 1, access_ends_at=MIDNIGHT)
    tell_endings(now=NOW)
    body = sent("ending_soon").body
    assert "Seats that are free then expire." in body
    assert "as long again" not in body


def test_many_people_are_counted(account, course):
    make_pool(account, 8, access_ends_at=MIDNIGHT)
    apply(plan_list(account, course, *(f"p{n}@example.org" for n in range(8))))
    tell_endings(now=NOW)
    body = sent("ending_soon").body
    assert (
        "access of 8 people until 31 May 2027 inclusive: P0 Doe, P1 Doe, P2 Doe, P3 Doe, P4 Doe and 3 more"
        in body
    )


def unsent(kind: str) -> str:
    outbox.deliver_due(now=NOW + 3000 * DAY)
    return OutboxMail.objects.get(kind=kind).state


def test_what_was_extended_meanwhile_is_not_told(account, course):
    make_pool(account, 1, access_ends_at=MIDNIGHT)
    ada = give(account, course, "ada@example.org")
    tell_endings(now=NOW)
    extend_until(references=[ada.seat.reference], until=MIDNIGHT + 90 * DAY, actor=OPERATOR, why="x")
    assert unsent("ending_soon") == "cancelled"


def test_whoever_left_the_team_is_told_nothing(account, course):
    make_pool(account, 1, access_ends_at=MIDNIGHT)
    give(account, course, "ada@example.org")
    tell_endings(now=NOW)
    Member.objects.all().delete()
    assert unsent("ending_soon") == "cancelled"


# --- what staff has done --------------------------------------------------------------------------------


def test_a_withdrawal_is_mailed_with_its_reason(account, course):
    make_pool(account, 1)
    ada = give(account, course, "ada@example.org")
    withdraw(references=[ada.seat.reference], actor=OPERATOR, why="The payment was reversed.")
    letter = sent("product_changed")
    assert letter.subject == "A product of Demo Industries was withdrawn"
    assert f"Seat: {ada.seat.reference}" in letter.body
    assert "Reason: The payment was reversed." in letter.body
    assert "Nothing is lost" in letter.body


def test_given_back(account):
    pool = make_pool(account, 7)
    withdraw(references=references(pool), actor=OPERATOR, why="a mistake")
    OutboxMail.objects.all().delete()
    restore(references=references(pool), actor=OPERATOR, why="sorry")
    letter = sent("product_changed")
    assert letter.subject == "7 products of Demo Industries were given back"
    assert "and: 2 more" in letter.body


def test_a_later_end_is_mailed_as_people_read_it(account, course):
    french(account)
    session = session_of(account, course, "ada@example.org", days=10)
    end = datetime.fromisoformat("2027-08-01T00:00:00+02:00")
    extend_until(references=[session.reference], until=end, actor=OPERATOR, why="Report de la session.")
    body = sent("product_changed").body
    assert f"{session.reference}, jusqu’au 31 juillet 2027 inclus" in body
    assert "Report de la session." in body


def test_other_courses_are_named(account):
    make_course("WORD1")
    pool = make_pool(account, 1, courselist="EXCEL*")
    set_courses(pool_id=pool.pk, courselist="WORD1,WORD*", actor=OPERATOR, why="asked for")
    letter = sent("product_changed")
    assert letter.subject == "A free seat of Demo Industries is good for other courses"
    assert f"{references(pool)[0]}, WORD1, WORD*" in letter.body


# --- gifts ------------------------------------------------------------------------------------------


@pytest.fixture
def item() -> CatalogItem:
    return seats_item(params="packsize=5&validity=90", name_en="Pack of 5")


def gift(account: CustomerAccount, item: CatalogItem, **fields: Any) -> Bill:
    values: dict[str, Any] = {
        "quantity": 2,
        "why": "For the trouble in May.",
        "actor": OPERATOR,
        "key": "once",
    }
    return give_seats(account=account, item=item, **(values | fields))


def test_extra_seats_are_an_order_at_no_price_through_the_same_services(account, item):
    bill = gift(account, item)
    produce(numbers=[bill.number], actor=OPERATOR)
    bill.refresh_from_db()
    assert (bill.gross, bill.paymode, bill.opened_how, bill.is_gift) == (0, "free", "free", True)
    assert (bill.terms_version, bill.terms_agreed_at) == ("", None)
    assert states(account) == {"free": 10}
    [run] = ProductionRun.objects.filter(phase="deliver")
    assert run.delivered["seats"] == 10
    assert AuditEntry.objects.get(verb="order.gift").why == "For the trouble in May."
    letter = sent("seats_gift")
    assert letter.subject == "Atelier gives you 10 seats"
    assert "Reason: For the trouble in May." in letter.body
    assert not OutboxMail.objects.filter(kind__in=["order_received", "seats_open"]).exists()


def test_a_doubled_submit_gives_once(account, item):
    assert gift(account, item) == gift(account, item)
    assert (Bill.objects.count(), AuditEntry.objects.filter(verb="order.gift").count()) == (1, 1)
    gift(account, item, key="another")
    assert Bill.objects.count() == 2


@pytest.mark.parametrize(("fields", "key"), [({"why": "  "}, "why"), ({"quantity": 0}, "quantity")])
def test_a_gift_without_reason_or_number_is_refused(account, item, fields, key):
    with pytest.raises(Refused) as refused:
        gift(account, item, **fields)
    assert [problem.key for problem in refused.value.problems] == [key]
    assert not Bill.objects.exists()


def test_only_seats_are_given_and_only_to_somebody(account, item):
    with pytest.raises(Refused) as refused:
        gift(account, seats_item(code="EXTEND", handler="extendenrolperiod", params="extension=1"))
    assert refused.value.problems[0].key == "item"
    with pytest.raises(Refused) as refused:
        gift(make_account(), item)
    assert refused.value.problems[0].key == "buyer"
    assert not Bill.objects.exists()


# --- credits ----------------------------------------------------------------------------------------


def test_the_shop_is_told_what_to_credit_once(account, course):
    pool = make_pool(
        account,
        3,
        assign_before=MIDNIGHT,
        unassigned_end="credit",
        item_name="Pack of 3",
        bill_number="CMD-1",
    )
    give(account, course, "ada@example.org")
    assert run_expire(now=MIDNIGHT).seats == 2
    assert report_credits(now=timezone.now()) == 1
    assert report_credits(now=timezone.now()) == 1
    letter = sent("seats_to_credit")
    assert letter.to == ["aide@atelier.example"]
    assert "2" in letter.subject
    assert "Demo Industries" in letter.subject
    assert "CMD-1" in letter.body
    assert Seat.objects.filter(pool=pool, expired_at=None).count() == 1


def test_nothing_to_credit_is_nothing_to_tell(account):
    make_pool(account, 1, assign_before=MIDNIGHT, unassigned_end="nothing")
    run_expire(now=MIDNIGHT)
    assert report_credits(now=timezone.now()) == 0
