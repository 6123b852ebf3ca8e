"""Offers, purchases and courses for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from courses.models import Course, CourseCategory
from handlers.contract import Offer, Purchase, SeatMode
from handlers.registry import get_handler
from tests.accounts.factories import make_account

LINE = UUID("7a1c6d0e-0000-4000-8000-000000000001")
PURCHASED = datetime.fromisoformat("2026-11-20T10:00:00+01:00")


def make_course(shortname: str, **fields: Any) -> Course:
    category, _ = CourseCategory.objects.get_or_create(name="Courses")
    values = {"fullname": f"Course {shortname}", "category": category}
    return Course.objects.create(shortname=shortname, **(values | fields))


def make_offer(params: str = "", **fields: Any) -> Offer:
    values: dict[str, Any] = {"code": "SEATS", "name": "Ten seats", "seat_mode": SeatMode.NONE}
    return Offer(params=params, **(values | fields))


def make_purchase(params: str = "", *, handler: str = "generateseats", **fields: Any) -> Purchase:
    """A purchase of one unit by a new account, opened at PURCHASED."""
    values: dict[str, Any] = {
        "line_key": LINE,
        "account_id": fields.get("account_id") or make_account().pk,
        "buyer_id": None,
        "bill_number": "CMD-2026-000007",
        "item_code": "SEATS",
        "item_name": "Ten seats",
        "quantity": 1,
        "params": get_handler(handler).typed(params),
        "purchased_at": PURCHASED,
    }
    return Purchase(**(values | fields))
