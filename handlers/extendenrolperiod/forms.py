"""Parameters of `extendenrolperiod`, and what it asks of the customer."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.references import check_reference, normalise_reference
from delegation.refusals import Refused
from handlers.contract import CustomerDataForm
from handlers.fields import DaysField
from handlers.params import ParamsForm
from seats.selectors.products import find_product


class ExtendParams(ParamsForm):
    """By how much a product is extended."""

    extension = DaysField(
        label=gettext_lazy("Extension in days"),
        required=True,
        help_text=gettext_lazy("Days of 24 hours, for each unit bought."),
    )


class ExtendWish(CustomerDataForm):
    """Which product a unit extends: several units may name the same."""

    unit_key = "reference"

    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=40,
        help_text=gettext_lazy(
            "The reference of the product to extend, as My products shows it: XXXX-XXXX-XXXX-XXCC."
        ),
    )

    def clean_reference(self) -> str:
        """Well-formed for everybody; for a known account one of its own products that may last longer."""
        reference = normalise_reference(self.cleaned_data["reference"])
        if not check_reference(reference):
            raise ValidationError(
                _("This is no reference: compare it, letter by letter, with the one under My products.")
            )
        if self.account_id is None:
            return reference
        try:
            product = find_product(reference, account_id=self.account_id)
        except Refused as refused:
            raise ValidationError(str(refused.message)) from refused
        if product.obstacle is not None:
            raise ValidationError(str(product.obstacle.message))
        return reference
