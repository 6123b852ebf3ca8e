"""What every handler does alike."""

from __future__ import annotations

from datetime import datetime

import pytest

from common.zone import seller_zone
from handlers.base import Handler
from handlers.contract import (
    Availability,
    Delivered,
    Delivery,
    Feedback,
    Finding,
    HandlerError,
    Message,
    Purchase,
    SeatMode,
)
from handlers.params import ParamsForm
from tests.handlers.factories import LINE, make_offer


class Silent(Handler):
    name = "silent"
    label = "Silent"
    Params = ParamsForm


class Speaking(Silent):
    def deliver(self, purchase: Purchase) -> Delivery:
        return Delivery(Feedback(public=Message("done")))


def test_a_handler_without_delivery_cannot_be_put_on_sale_and_fails_for_good() -> None:
    message = "This automation cannot deliver anything yet: an item that uses it cannot be put on sale."
    assert Silent().check(make_offer()) == [Finding("error", "delivers_nothing", message, "handler")]
    with pytest.raises(HandlerError) as caught:
        Silent().deliver(bought())
    assert (caught.value.permanent, str(caught.value)) == (True, f"handler: {message}")


def test_a_handler_of_any_seat_mode_takes_each() -> None:
    for mode in SeatMode:
        assert Speaking().check(make_offer(seat_mode=mode)) == []


def test_a_handler_without_more_to_say_is_available_and_unlimited() -> None:
    assert Speaking().is_available(make_offer(), 1) == Availability()
    assert Speaking().quantity_limit(make_offer()) is None
    assert Speaking().courses({}) == []


def test_a_purchase_beats_only_when_there_is_a_run() -> None:
    beats: list[str] = []
    bought().beat()
    bought(run_heartbeat=lambda: beats.append("beat")).beat()
    assert beats == ["beat"]


def test_the_zone_of_offers_and_purchases_is_the_sellers() -> None:
    assert make_offer().zone == bought().zone == seller_zone()


def test_documents_of_a_delivery() -> None:
    delivery = Delivery(Feedback(sales=Message("made", {"seats": 2})), Delivered(seats=2))
    assert delivery.feedback.as_json() == {"sales": {"code": "made", "data": {"seats": 2}}}
    assert delivery.delivered.as_json() == {"seats": 2, "enrolments": 0, "spaces": 0, "accounts_created": 0}
    assert Finding("info", "code", "Text.", "key").as_json() == {
        "level": "info",
        "code": "code",
        "message": "Text.",
        "key": "key",
    }


def bought(**fields: object) -> Purchase:
    values = {
        "line_key": LINE,
        "account_id": 1,
        "buyer_id": None,
        "bill_number": "CMD-2026-000007",
        "item_code": "X",
        "item_name": "X",
        "quantity": 1,
        "params": {},
        "purchased_at": datetime.fromisoformat("2026-11-20T10:00:00+01:00"),
    }
    return Purchase(**(values | fields))  # type: ignore[arg-type]
