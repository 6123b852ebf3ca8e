"""Who orders, and who receives the documents."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.services.organisations import Identity as AccountIdentity
from accounts.services.organisations import edit_account
from billing.checkout.state import Checkout
from billing.checkout.step import Answer, Files, Step
from billing.forms import CustomerForm
from billing.services.carts import save_answers
from common.audit import Actor

PARTY = ("siren", "vat_number", "address", "postcode", "city", "country")


class IdentityStep(Step):
    """The organisation's legal identity, as the order will say it; the buyer's own order number; a copy to whom."""

    code = "identity"
    position = 30
    label = _("Organisation")
    keys = frozenset({"customer", "payer", "recipient"})

    def is_complete(self, checkout: Checkout) -> bool:
        return "customer" in checkout.answers

    def context(self, checkout: Checkout, query: QueryDict) -> dict[str, Any]:
        identity = checkout.identity
        initial = {name: getattr(identity.customer, name) for name in PARTY} | {
            "legal_name": identity.customer.name,
            "purchase_order": identity.purchase_order,
            "recipient_email": checkout.answers.get("recipient_email", ""),
        }
        form = CustomerForm(initial=initial, account=checkout.account, may_keep=checkout.owns_account)
        return {"form": form}

    def submit(self, checkout: Checkout, data: QueryDict, files: Files) -> Answer:
        form = CustomerForm(data, account=checkout.account, may_keep=checkout.owns_account)
        if not form.is_valid():
            return Answer(context={"form": form})
        customer = {name: str(form.cleaned_data[name]) for name in PARTY}
        customer["name"] = form.cleaned_data["legal_name"]
        save_answers(
            cart=checkout.cart,
            customer=customer,
            purchase_order=form.cleaned_data["purchase_order"],
            recipient_email=form.cleaned_data["recipient_email"],
        )
        if form.cleaned_data.get("remember", not _is_on_file(checkout)):
            _keep(checkout, customer)
        return Answer()


def _is_on_file(checkout: Checkout) -> bool:
    """Whether the organisation has said who it is; the first buyer does, later only an owner changes it."""
    return bool(checkout.account.legal_name or checkout.account.address)


def _keep(checkout: Checkout, customer: dict[str, str]) -> None:
    identity = AccountIdentity(
        name=checkout.account.name, legal_name=customer["name"], **{name: customer[name] for name in PARTY}
    )
    edit_account(account=checkout.account, identity=identity, actor=Actor.person(checkout.buyer.pk))
