"""The checkout: one view for every step, which itself knows what to ask."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import AccountRequest, account_required, current
from billing.checkout.state import CART_KEYS, Checkout
from billing.checkout.step import Answer, Step
from billing.checkout.steps import STEPS, applicable, first_incomplete, is_of_cart, step_of
from billing.checkout.visitor import find_cart
from billing.models import Bill
from billing.services.errors import Problem
from billing.services.orders import placed_with
from catalog.models import Shop
from catalog.selectors import get_shop, seller_problems


@require_safe
@account_required("shop", create=True)
def start(request: AccountRequest) -> HttpResponse:
    """Where the buyer is in his checkout."""
    checkout = _open(request)
    if isinstance(checkout, HttpResponse):
        return checkout
    return redirect(first_incomplete(checkout).url(checkout))


@require_http_methods(["GET", "POST"])
@account_required("shop", create=True)
def step(request: AccountRequest, code: str) -> HttpResponse:
    """A step, once those before it are complete."""
    asked = next((one for one in STEPS if one.code == code), None)
    if asked is None:
        raise Http404
    placed = _placed(request)
    if placed is not None:
        return redirect("billing:bill", placed.number)
    checkout = _open(request)
    if isinstance(checkout, HttpResponse):
        return checkout
    steps = applicable(checkout)
    waits = first_incomplete(checkout)
    if asked not in steps or steps.index(waits) < steps.index(asked):
        return redirect(waits.url(checkout))
    if request.method == "GET":
        return _show(request, checkout, asked, asked.context(checkout, request.GET))
    answer = asked.submit(checkout, request.POST, request.FILES)
    return _after(request, checkout, asked, answer)


def _placed(request: AccountRequest) -> Bill | None:
    """The order that this very form has placed already: the button was pressed twice, or the page sent again."""
    key = request.POST.get("checkout_key", "")
    return placed_with(account=request.account, buyer=request.user, checkout_key=key) if key else None


def _open(request: AccountRequest) -> Checkout | HttpResponse:
    """The checkout, or where to go when there is none to make."""
    shop = get_shop()
    reasons = seller_problems(shop)
    if reasons:
        return _closed(request, shop, reasons)
    cart = find_cart(request, shop)
    access = current(request)
    if cart is None or access is None:
        return redirect("billing:cart")
    checkout = Checkout(
        account=request.account,
        buyer=request.user,
        cart=cart,
        shop=shop,
        owns_account="members" in access.capabilities,
    )
    if not checkout.lines:
        return redirect("billing:cart")
    problems = checkout.problems_of(CART_KEYS)
    for problem in problems:
        messages.error(request, str(problem.message))
    return redirect("billing:cart") if problems else checkout


def _closed(request: AccountRequest, shop: Shop, reasons: list[str]) -> HttpResponse:
    return render(request, "billing/closed.html", {"shop": shop, "closed": reasons})


def _after(request: AccountRequest, checkout: Checkout, asked: Step, answer: Answer) -> HttpResponse:
    if answer.message:
        messages.success(request, answer.message)
    if answer.context is not None:
        context = dict(answer.context)
        context["reasons"] = [_reason(checkout, problem) for problem in context.pop("problems", ())]
        return _show(request, checkout, asked, context)
    return redirect(answer.url or first_incomplete(checkout).url(checkout))


def _show(request: AccountRequest, checkout: Checkout, asked: Step, context: dict[str, Any]) -> HttpResponse:
    steps = applicable(checkout)
    ways = [(step.label, reverse("billing:checkout_step", args=[step.code])) for step in steps]
    context |= {
        "checkout": checkout,
        "view": checkout.view,
        "shop": checkout.shop,
        "steps": ways,
        "current": steps.index(asked) + 1,
    }
    return render(request, asked.template, context)


def _reason(checkout: Checkout, problem: Problem) -> dict[str, Any]:
    """Why an order was refused, and where that is repaired."""
    step = step_of(problem)
    url = step.url(checkout) if step else reverse("billing:cart") if is_of_cart(problem) else ""
    # The lines may have changed in another window since.
    lines = checkout.lines if problem.line is None else checkout.lines[problem.line : problem.line + 1]
    item = lines[0].item.name if problem.line is not None and lines else ""
    return {"message": problem.message, "item": item, "row": problem.row, "url": url}
