"""The steps of the checkout in their order, and the way through them."""

from __future__ import annotations

from billing.checkout.identity import IdentityStep
from billing.checkout.participants import Participants
from billing.checkout.payment import Payment
from billing.checkout.requirements import Requirements
from billing.checkout.review import Review
from billing.checkout.state import CART_KEYS, Checkout
from billing.checkout.step import Step
from billing.services.errors import Problem

STEPS: tuple[Step, ...] = tuple(
    sorted(
        (Requirements(), Participants(), IdentityStep(), Review(), Payment()), key=lambda step: step.position
    )
)


def applicable(checkout: Checkout) -> list[Step]:
    """The steps that this cart has."""
    return [step for step in STEPS if step.applies(checkout)]


def first_incomplete(checkout: Checkout) -> Step:
    """Where the buyer is."""
    steps = applicable(checkout)
    return next((step for step in steps if not step.is_complete(checkout)), steps[-1])


def step_of(problem: Problem) -> Step | None:
    """The step at which a problem is repaired; None where no step can (the seller's identity, the cart itself)."""
    return next((step for step in STEPS if problem.key in step.keys), None)


def is_of_cart(problem: Problem) -> bool:
    """Whether only the cart page can repair it."""
    return problem.key in CART_KEYS
