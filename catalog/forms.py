"""The form of an item: one set of rules for the admin and for `setitem`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from catalog.files import check_leaflet, clean_image
from catalog.models import CatalogItem, PriceTier, Shop, Visibility
from catalog.offers import item_findings
from common.money import MoneyError, to_decimal, to_minor
from handlers.registry import all_handlers


class MinorUnitsField(forms.DecimalField):
    """An amount typed in units of the currency and kept in minor units."""

    currency = "EUR"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal(0), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return to_decimal(value, self.currency) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        if amount is None:
            return None
        try:
            return to_minor(amount, self.currency)
        except MoneyError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class CurrencyForm(forms.ModelForm[Any]):
    """A form whose `price` is an amount in the shop's currency."""

    price = MinorUnitsField(label=_("price"))

    def set_currency(self, shop: Shop | None) -> None:
        field = self.fields["price"]
        if isinstance(field, MinorUnitsField) and shop is not None:
            field.currency = shop.currency


class TierForm(CurrencyForm):
    class Meta:
        model = PriceTier
        fields: ClassVar = ["up_to", "price"]


class ItemForm(CurrencyForm):
    """Everything an item must satisfy. What its handler finds wrong is an error of the field it names."""

    handler = forms.ChoiceField(label=_("automation"), required=False)

    class Meta:
        model = CatalogItem
        fields: ClassVar = [
            "shop",
            "category",
            "code",
            "name_fr",
            "name_en",
            "summary_fr",
            "summary_en",
            "description_fr",
            "description_en",
            "image",
            "leaflet",
            "price",
            "price_includes_tax",
            "tax_rate",
            "handler",
            "params",
            "seat_mode",
            "renewable",
            "unassigned_end",
            "max_quantity",
            "visibility",
            "position",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        nothing = ("", _("none: nothing is delivered automatically"))
        self.fields["handler"].choices = [  # type: ignore[attr-defined]
            nothing,
            *((one.name, f"{one.label} ({one.name})") for one in all_handlers()),
        ]
        self.set_currency(self.instance.shop if self.instance.shop_id else None)

    def clean_image(self) -> Any:
        image = self.cleaned_data.get("image")
        return clean_image(image) if isinstance(image, UploadedFile) else image

    def clean_leaflet(self) -> Any:
        leaflet = self.cleaned_data.get("leaflet")
        if isinstance(leaflet, UploadedFile):
            check_leaflet(leaflet)
        return leaflet

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook: the instance is filled here
        if not self.errors and self.instance.visibility != Visibility.INACTIVE:
            self._ask_handler()

    def _ask_handler(self) -> None:
        """What keeps an item off sale. An inactive item may be kept as a draft, whatever its handler says."""
        for finding in item_findings(self.instance):
            if finding.level == "error":
                field = finding.key if finding.key in self.fields else "params"
                prefix = "" if field == finding.key or not finding.key else f"{finding.key}: "
                self.add_error(field, f"{prefix}{finding.message}")
