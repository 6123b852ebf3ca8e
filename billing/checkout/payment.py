"""How to pay, and the button that orders."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.checkout.state import Checkout
from billing.checkout.step import Answer, Files, Step
from billing.forms import PaymentForm
from billing.gateways import offered
from billing.models import Bill
from billing.services import Refused, pay_by_test_card
from billing.services.carts import place_cart
from common.audit import Actor


class Payment(Step):
    """Places the order. It is never complete: once the order is placed there is no cart any more."""

    code = "payment"
    position = 50
    label = gettext_lazy("Payment")
    keys = frozenset({"paymode"})

    def is_complete(self, checkout: Checkout) -> bool:
        return False

    def context(self, checkout: Checkout, query: QueryDict) -> dict[str, Any]:
        return {"form": self._form(checkout)}

    def submit(self, checkout: Checkout, data: QueryDict, files: Files) -> Answer:
        form = self._form(checkout, data)
        if not form.is_valid():
            return Answer(context={"form": form})
        try:
            bill = self._place(checkout, form)
        except Refused as refused:
            checkout.forget()
            return Answer(context={"form": form, "problems": refused.problems})
        if bill.paymode == Bill.Paymode.TESTCARD:
            # An order that could not be paid now stays, and its page says how to pay it.
            with suppress(Refused):
                pay_by_test_card(number=bill.number, actor=Actor.person(checkout.buyer.pk))
        return Answer(url=reverse("billing:bill", args=[bill.number]), message=_thanks(bill))

    def _form(self, checkout: Checkout, data: QueryDict | None = None) -> PaymentForm:
        return PaymentForm(data, gateways=offered(checkout.view.gross), checkout_key=checkout.key)

    def _place(self, checkout: Checkout, form: PaymentForm) -> Bill:
        terms = checkout.answers["terms"]
        return place_cart(
            cart=checkout.cart,
            account=checkout.account,
            buyer=checkout.buyer,
            identity=checkout.identity,
            paymode=form.cleaned_data["paymode"],
            terms_version=terms["version"],
            expected_gross=terms["gross"],
            checkout_key=form.cleaned_data["checkout_key"],
            actor=Actor.person(checkout.buyer.pk),
        )


def _thanks(bill: Bill) -> str:
    return _("Thank you. Your order %(number)s is placed; a mail confirms it.") % {"number": bill.number}
