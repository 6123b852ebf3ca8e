from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from handlers import registry
from handlers.base import Handler
from handlers.contract import Delivered, Delivery, Feedback, Message, Purchase
from handlers.generateseats.forms import GenerateSeatsParams
from tests.billing.factories import Customer


@pytest.fixture(autouse=True)
def _english() -> None:
    """Messages are asserted in the language of the source."""
    translation.activate("en")


@pytest.fixture
def customer(db: None) -> Customer:
    return Customer()


class Scripted(Handler):
    """A handler that does what the test says: each call takes the next step of its script.

    A step is an exception to raise, a Delivery to give back, or a function of the purchase.
    """

    name = "scripted"
    label = "Scripted"
    Params = GenerateSeatsParams
    messages = {"public": "Look here", "private": "For you: %(word)s", "sales": "Sold %(word)s"}

    def __init__(self) -> None:
        self.preparing: list[Any] = []
        self.delivering: list[Any] = []
        self.calls: list[tuple[str, Purchase]] = []

    def prepare(self, purchase: Purchase) -> Delivery:
        self.calls.append(("prepare", purchase))
        return self._next(self.preparing, purchase, Delivery())

    def deliver(self, purchase: Purchase) -> Delivery:
        self.calls.append(("deliver", purchase))
        return self._next(self.delivering, purchase, Delivery(delivered=Delivered(enrolments=1)))

    def _next(self, script: list[Any], purchase: Purchase, default: Delivery) -> Delivery:
        step = script.pop(0) if script else default
        if isinstance(step, Exception):
            raise step
        return step(purchase) if callable(step) else step

    @property
    def phases(self) -> list[str]:
        """The phases in which it was called, in order."""
        return [phase for phase, _purchase in self.calls]


def talking() -> Delivery:
    """A delivery that says something to everybody."""
    word = {"word": "hello"}
    return Delivery(
        Feedback(Message("public"), Message("private", word), Message("sales", word)), Delivered(enrolments=1)
    )


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """A registered handler whose steps the test sets."""
    handler = Scripted()
    monkeypatch.setitem(registry.load().handlers, "scripted", handler)
    return handler
