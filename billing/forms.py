"""Forms of the cart and of the checkout."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms.organisations import IdentityForm
from accounts.models import CustomerAccount
from billing.gateways import Gateway
from billing.selectors.carts import CartRow
from billing.services.carts import limit_message
from common.emailkey import check_email, clean_email
from common.forms import FileDrop, Stepper

if TYPE_CHECKING:
    PersonRows = BaseFormSet["PersonRow"]
else:
    PersonRows = BaseFormSet


class QuantitiesForm(forms.Form):
    """How many of each article of a cart."""

    use_required_attribute = False

    def __init__(self, *args: Any, rows: Sequence[CartRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in rows:
            message = limit_message(row.item)
            # Messages of validators are formatted once more.
            escaped = message.replace("%", "%%")
            self.fields[self.name_of(row)] = forms.IntegerField(
                label=_("Quantity of “%(item)s”") % {"item": row.item.name},
                min_value=1,
                max_value=row.limit,
                initial=row.line.quantity,
                widget=Stepper(attrs={"inputmode": "numeric"}),
                error_messages={
                    "required": message,
                    "invalid": message,
                    "min_value": escaped,
                    "max_value": escaped,
                },
            )

    @staticmethod
    def name_of(row: CartRow) -> str:
        return f"quantity-{row.line.pk}"


class _Unchecked:
    """A field that is not called optional, and whose value is checked elsewhere: with the whole list."""

    def validate(self, value: Any) -> None:
        pass


class _Text(_Unchecked, forms.CharField):
    pass


class _Choice(_Unchecked, forms.ChoiceField):
    pass


class _File(_Unchecked, forms.FileField):
    pass


class PersonRow(forms.Form):
    """A row for one person. What is wrong in it is found by the rules of lists and orders, not here."""

    use_required_attribute = False

    # The browser would offer the buyer's own name and address.
    email = _Text(
        label=gettext_lazy("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    firstname = forms.CharField(
        label=gettext_lazy("First name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    lastname = forms.CharField(
        label=gettext_lazy("Last name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    roles: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[dict[str, Any]] = {
        "learner": gettext_lazy("Learner"),
        "tutor": gettext_lazy("Tutor"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(self.roles) < 2:
            return
        choices: list[tuple[str, Any]] = [(role, self.names[role]) for role in self.roles]
        if self.is_bound and not self.data.get(self.add_prefix("role")):
            choices.insert(0, ("", gettext_lazy("Choose")))
        self.fields["role"] = _Choice(label=gettext_lazy("Role"), choices=choices, initial="learner")


@lru_cache(maxsize=8)
def person_rows(roles: tuple[str, ...]) -> type[PersonRows]:
    """The rows of a list of people who may have these roles."""
    row = type("RoledPersonRow", (PersonRow,), {"roles": roles})
    return formset_factory(row, extra=0, max_num=1000, absolute_max=1000)


class ListForm(forms.Form):
    """A list of people to be read: pasted, or as a file."""

    use_required_attribute = False

    paste = _Text(
        label=gettext_lazy("Paste a list"),
        help_text=gettext_lazy(
            "From a spreadsheet or a mail program: e-mail address, first name, last name, role. Only the address is "
            "needed."
        ),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    file = _File(
        label=gettext_lazy("Or choose a file"),
        allow_empty_file=True,
        help_text=gettext_lazy("CSV or XLSX, 5 MB at most."),
        widget=FileDrop(attrs={"accept": ".csv,.txt,.xlsx"}),
    )


class CustomerForm(IdentityForm):
    """Who orders, as the order will say it; and who else has to do with the order."""

    purchase_order = forms.CharField(
        label=gettext_lazy("Your purchase order number"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Your own reference, if you have one: it is printed on every document."),
    )
    recipient_email = forms.CharField(
        label=gettext_lazy("Send the documents also to"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("An e-mail address, of your accounting department for example."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    remember = forms.BooleanField(
        label=gettext_lazy("Keep this identity for the next orders"), required=False, initial=True
    )

    class Meta:
        model = CustomerAccount
        widgets: ClassVar = IdentityForm.Meta.widgets
        fields = ("legal_name", "siren", "vat_number", "address", "postcode", "city", "country")
        labels: ClassVar = {"legal_name": gettext_lazy("Name of the organisation")}
        help_texts: ClassVar = {"legal_name": gettext_lazy("As registered.")}

    def __init__(self, *args: Any, account: CustomerAccount, may_keep: bool, **kwargs: Any) -> None:
        # The form writes what was typed into its instance; the organisation itself is changed by a service.
        kwargs["instance"] = copy.copy(account)
        super().__init__(*args, **kwargs)
        for name in ("legal_name", "address", "postcode", "city"):
            self.fields[name].required = True
        for name, token in (
            ("legal_name", "organization"), ("postcode", "postal-code"), ("city", "address-level2"), ("country", "country")
        ):  # fmt: skip
            self.fields[name].widget.attrs["autocomplete"] = token
        self.fields["postcode"].widget.attrs["class"] = "short"
        if not may_keep:
            del self.fields["remember"]

    def clean_recipient_email(self) -> str:
        email = clean_email(self.cleaned_data["recipient_email"])
        if email and (problem := check_email(email)) is not None:
            raise ValidationError(str(problem.message), code=problem.value)
        return email


class TermsForm(forms.Form):
    """The buyer's agreement to what he orders."""

    agree = forms.BooleanField(
        error_messages={"required": gettext_lazy("Agree to the terms of sale to go on: tick the box.")}
    )
    # What was on the page: agreement to other terms or to another total does not count.
    version = forms.CharField(widget=forms.HiddenInput)
    gross = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, version: str, gross: int, **kwargs: Any) -> None:
        kwargs["initial"] = {"version": version, "gross": gross}
        super().__init__(*args, **kwargs)
        self.fields["agree"].label = _("I agree to the terms of sale, version %(version)s") % {
            "version": version
        }


class PaymentForm(forms.Form):
    """How the order is paid."""

    paymode = forms.ChoiceField(
        label=gettext_lazy("How do you pay?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how to pay.")},
    )
    checkout_key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, gateways: Sequence[Gateway], checkout_key: str, **kwargs: Any) -> None:
        only = gateways[0].code if len(gateways) == 1 else None
        kwargs["initial"] = {"checkout_key": checkout_key, "paymode": only}
        super().__init__(*args, **kwargs)
        field = self.fields["paymode"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [(gateway.code, capfirst(str(gateway.label))) for gateway in gateways]
