"""Parameters of `extendenrolperiod`, and what it asks of the customer."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from handlers.contract import CustomerDataForm
from handlers.fields import DaysField
from handlers.params import ParamsForm


class ExtendParams(ParamsForm):
    """By how much a product is extended."""

    extension = DaysField(
        label=_("Extension in days"), required=True, help_text=_("Days of 24 hours, for each unit bought.")
    )


class ExtendWish(CustomerDataForm):
    """Which product is extended."""

    reference = forms.CharField(
        label=_("Reference"),
        max_length=40,
        help_text=_("The reference of the product to extend, as My products shows it: XXXX-XXXX-XXXX-XXCC."),
    )
