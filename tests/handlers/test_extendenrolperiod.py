"""`extendenrolperiod`: what it asks, what it refuses, what it delivers."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone, translation

from accounts.models import CustomerAccount
from common.references import new_reference
from courses.models import Course, ProductEvent
from courses.platform import PlatformAway
from handlers.contract import Delivered, HandlerError, Purchase
from handlers.extendenrolperiod.forms import ExtendWish
from handlers.registry import get_handler, say
from seats.models import Assignment, Seat
from seats.services import run_expire
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_course, make_space
from tests.handlers.factories import make_offer, make_purchase
from tests.seats.factories import give, make_pool
from tests.seats.life import DAY, details, session_of, verbs

pytestmark = pytest.mark.django_db

HANDLER = get_handler("extendenrolperiod")
NOW = timezone.now()


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture
def ada(account, course) -> Assignment:
    make_pool(account, 2, access_seconds=30 * 86_400)
    return give(account, course, "ada@example.org")


def bought(account: CustomerAccount, *references: str, extension: int = 10, **fields: Any) -> Purchase:
    """One unit for each reference, bought now."""
    values: dict[str, Any] = {
        "handler": "extendenrolperiod",
        "line_key": uuid.uuid4(),
        "account_id": account.pk,
        "item_code": "EXTEND",
        "quantity": len(references),
        "customer_data": tuple({"reference": reference} for reference in references),
        "purchased_at": timezone.now(),
    }
    return make_purchase(f"extension={extension}", **(values | fields))


# --- what is asked --------------------------------------------------------------------------------------


def asked(reference: str, account: CustomerAccount | None = None) -> tuple[str, str]:
    """The cleaned reference, and why it is refused."""
    form = ExtendWish({"reference": reference}, account_id=account.pk if account else None)
    reasons = [str(reason) for reason in form.errors.get("reference", ())]
    return form.cleaned_data.get("reference", ""), reasons[0] if reasons else ""


def test_a_reference_is_read_as_people_type_it(account, ada):
    typed = ada.seat.reference.lower().replace("-", " ")
    assert asked(typed, account) == (ada.seat.reference, "")


def test_the_checksum_is_looked_at_before_anybody_signs_in():
    good = new_reference()
    wrong = good[:-1] + ("2" if good[-1] != "2" else "3")
    assert asked(good) == (good, "")
    assert asked(wrong)[1].startswith("This is no reference")
    assert asked("hello")[1].startswith("This is no reference")


def test_products_of_others_are_unknown_in_the_same_words_as_none(account, ada):
    unknown = asked(new_reference(), account)[1]
    assert unknown == "Your organisation has no product with this reference."
    assert asked(ada.seat.reference, make_account())[1] == unknown


def test_what_cannot_last_longer_is_refused(account, course, ada):
    make_pool(account, 1, item_code="ENDLESS")
    Seat.objects.filter(pool__item_code="SEATS", ordinal=2).update(withdrawn_at=NOW)
    withdrawn = Seat.objects.get(withdrawn_at__isnull=False).reference
    bob = give(account, course, "bob@example.org")
    free = make_pool(account, 1, access_seconds=86_400).seats.get().reference
    assert "no end" in asked(bob.seat.reference, account)[1]
    assert "withdrawn" in asked(withdrawn, account)[1]
    assert "Nobody has this seat" in asked(free, account)[1]
    assert asked(make_space(account=account).reference, account)[1] == ""
    assert asked(session_of(account, course, "tom@example.org").reference, account)[1] == ""


# --- what is delivered ----------------------------------------------------------------------------------


def test_days_of_24_hours_for_each_unit(account, ada):
    delivery = HANDLER.deliver(bought(account, ada.seat.reference, ada.seat.reference, ada.seat.reference))
    old = ada.ends_at
    ada.refresh_from_db()
    assert ada.ends_at == old + 30 * DAY
    assert delivery.delivered == Delivered()
    assert details(ada.seat.reference)[0]["order"] == "CMD-2026-000007"


def test_running_it_again_extends_nothing(account, ada):
    purchase = bought(account, ada.seat.reference)
    first = HANDLER.deliver(purchase)
    ada.refresh_from_db()
    end = ada.ends_at
    with time_machine.travel(NOW + 5 * DAY):
        assert HANDLER.deliver(purchase) == first
    ada.refresh_from_db()
    assert (ada.ends_at, verbs(ada.seat.reference)) == (end, ["extended"])


def test_units_for_several_products(account, course, ada):
    session = session_of(account, course, "tom@example.org")
    space = make_space(account=account)
    old = ada.ends_at, session.ends_at, space.ends_at
    HANDLER.deliver(
        bought(account, ada.seat.reference, session.reference, space.reference, session.reference)
    )
    for one in (ada, session, space):
        one.refresh_from_db()
    assert ada.ends_at == old[0] + 10 * DAY
    assert old[1] is not None
    assert session.ends_at == old[1] + 20 * DAY
    assert space.ends_at == old[2] + 10 * DAY


def test_a_session_can_be_renewed_by_a_manager_of_extensions_after_its_end(account, course):
    """Seed "Mise en place d'une formation", note 1."""
    session = session_of(account, course, "ada@a.example", "tom@a.example tutor", renewable=True)
    bought_at = NOW + 60 * DAY
    run_expire(now=bought_at)
    with time_machine.travel(bought_at):
        HANDLER.deliver(bought(account, session.reference, extension=180))
    assert {one.ends_at for one in Assignment.objects.filter(ended_at=None)} == {bought_at + 180 * DAY}


def test_a_course_space_can_be_renewed(account):
    """Seed "Achat d'un espace de cours Moodle": "Le produit peut être renouvelé."."""
    space = make_space(account=account, ends_at=NOW + DAY)
    run_expire(now=NOW + 2 * DAY)
    with time_machine.travel(NOW + 2 * DAY):
        HANDLER.deliver(bought(account, space.reference, extension=365))
    space.refresh_from_db()
    assert (space.ends_at, space.closed_at) == (NOW + 367 * DAY, None)


def test_the_end_is_told_as_people_read_it(account, course):
    end = datetime.fromisoformat("2027-07-22T00:00:00+02:00")
    make_pool(account, 1, access_ends_at=end)
    ada = give(account, course, "ada@example.org")
    feedback = HANDLER.deliver(bought(account, ada.seat.reference)).feedback.as_json()
    for audience in ("public", "private", "sales"):
        assert say("extendenrolperiod", feedback[audience]) == (
            f"Seat {ada.seat.reference} is extended until 31 July 2027 inclusive."
        )
    with translation.override("fr"):
        assert say("extendenrolperiod", feedback["private"]).endswith("jusqu’au 31 juillet 2027 inclus.")


# --- what fails -----------------------------------------------------------------------------------------


def failure(purchase: Purchase) -> tuple[bool, str]:
    with pytest.raises(HandlerError) as failed:
        HANDLER.deliver(purchase)
    return failed.value.permanent, failed.value.field


def test_what_was_withdrawn_meanwhile_fails_for_good_and_nothing_half_made_remains(account, course, ada):
    session = session_of(account, course, "tom@example.org")
    purchase = bought(account, session.reference, ada.seat.reference)
    Seat.objects.filter(pk=ada.seat_id).update(withdrawn_at=NOW)
    assert failure(purchase) == (True, "reference")
    assert verbs(session.reference) == []
    Seat.objects.filter(pk=ada.seat_id).update(withdrawn_at=None)
    HANDLER.deliver(purchase)
    assert (verbs(session.reference), verbs(ada.seat.reference)) == (["extended"], ["extended"])


def test_a_product_of_another_organisation_is_never_extended(account, ada):
    assert failure(bought(make_account(), ada.seat.reference)) == (True, "reference")
    assert verbs(ada.seat.reference) == []


@pytest.mark.parametrize("units", [(), ({},), ({"reference": ""},)])
def test_an_order_without_its_reference_fails_for_good(account, units):
    assert failure(bought(account, "x", customer_data=units)) == (True, "reference")


def test_a_platform_that_is_away_is_tried_again(account, ada, monkeypatch):
    def away(**fields: Any) -> None:
        raise PlatformAway("no route to host")

    monkeypatch.setattr("handlers.extendenrolperiod.handler.run_extend", away)
    assert failure(bought(account, ada.seat.reference))[0] is False


# --- the shop -------------------------------------------------------------------------------------------


def test_no_more_units_than_an_end_can_bear():
    assert HANDLER.quantity_limit(make_offer("extension=365")) == 100
    assert HANDLER.quantity_limit(make_offer("extension=36500")) == 1


def test_who_ordered_is_in_the_trail(account, ada):
    buyer = make_person()
    HANDLER.deliver(bought(account, ada.seat.reference, buyer_id=buyer.pk))
    [event] = ProductEvent.objects.filter(reference=ada.seat.reference)
    assert event.actor == f"person:{buyer.pk}"


def test_an_extension_is_on_sale_whatever_the_end_of_the_extension():
    assert HANDLER.is_available(make_offer("extension=30"), None)
    assert not HANDLER.check(make_offer("extension=30"))
    assert [found.key for found in HANDLER.check(make_offer("extension=0"))] == ["extension"]
    assert HANDLER.period({}, purchased_at=NOW, renewable=True, zone=make_offer().zone).ends is None


def test_an_hour_matters(account, ada):
    with time_machine.travel(ada.ends_at + timedelta(hours=1)):
        HANDLER.deliver(bought(account, ada.seat.reference))
    old = ada.ends_at
    ada.refresh_from_db()
    assert ada.ends_at - old == 10 * DAY + timedelta(hours=1)
