"""What the shop admin says about the item, and what the customer is asked for each unit."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from handlers.contract import CustomerDataForm
from handlers.fields import DaysField, TextField
from handlers.params import ParamsForm
from handlers.shared_params import support_course


class LetterParams(ParamsForm):
    """`sheet=welcome&days=3`: which sheet is printed, and how soon the letter must leave."""

    sheet = TextField(
        label=_("Sheet"), required=True, max_length=20, help_text=_("What is printed: welcome or badge.")
    )
    days = DaysField(
        label=_("Days"), default=2, help_text=_("Days of 24 hours from the purchase until it must be posted.")
    )
    customersupport = support_course()


class PostalAddress(CustomerDataForm):
    """Where one letter goes."""

    addressee = forms.CharField(label=_("Name"), max_length=120, help_text=_("Who receives the letter."))
    street = forms.CharField(label=_("Street"), max_length=120, help_text=_("Number and street."))
    postcode = forms.RegexField(
        r"^[0-9]{5}$",
        label=_("Postcode"),
        help_text=_("Five digits."),
        error_messages={"invalid": _("Write the five digits of the postcode.")},
    )
    town = forms.CharField(label=_("Town"), max_length=80, help_text=_("As on an envelope."))
