"""The seller and the category tree in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren

from catalog.files import clean_image
from catalog.models import Category, Shop
from catalog.selectors import seller_problems
from common import audit
from common.audit import Actor


class SellerForm(forms.ModelForm[Shop]):
    """Numbers are checked and kept in their compact form."""

    class Meta:
        model = Shop
        exclude: ClassVar[list[str]] = []

    numbers: ClassVar[dict[str, Any]] = {"siren": siren, "iban": iban, "bic": bic, "vat_number": vat}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, number in self.numbers.items():
            try:
                if cleaned.get(name):
                    cleaned[name] = number.validate(cleaned[name])
            except NumberError:
                self.add_error(
                    name, ValidationError(gettext("This number is not valid: check it digit by digit."))
                )
        return cleaned

    def clean_logo(self) -> Any:
        logo = self.cleaned_data.get("logo")
        return clean_image(logo) if isinstance(logo, UploadedFile) else logo


@admin.register(Shop)
class SellerAdmin(admin.ModelAdmin[Shop]):
    """The *Seller* page: checkout stays closed until nothing is missing here."""

    form = SellerForm
    list_display = ("name", "legal_name", "siren", "complete")
    readonly_fields = ("missing",)
    fieldsets = (
        (None, {"fields": ["missing", "name", "slug", "currency"]}),
        (
            _("Legal identity"),
            {
                "fields": [
                    "legal_name",
                    "legal_form",
                    "siren",
                    "vat_number",
                    "address",
                    "postcode",
                    "city",
                    "country",
                ]
            },
        ),
        (_("Bank"), {"fields": ["iban", "bic"]}),
        (_("Terms of sale"), {"fields": ["terms_version", "terms_fr", "terms_en"]}),
        (_("Look"), {"fields": ["logo"]}),
        (_("Mail and help"), {"fields": ["mail_sender", "help_email", "help_phone"]}),
        (_("Information notice for participants"), {"fields": ["notice_version", "notice_fr", "notice_en"]}),
    )

    @admin.display(description=_("complete"), boolean=True)
    def complete(self, shop: Shop) -> bool:
        return not seller_problems(shop)

    @admin.display(description=_("checkout"))
    def missing(self, shop: Shop) -> str | SafeString:
        problems = seller_problems(shop)
        if not problems:
            return gettext("Open: nothing is missing.")
        listed = format_html_join("", "<li>{}</li>", ((problem,) for problem in problems))
        return format_html("{}<ul>{}</ul>", gettext("Closed until this is completed:"), listed)

    def has_delete_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Shop, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changed = ", ".join(form.changed_data)
        actor = Actor.person(request.user.pk or 0)
        audit.record(actor=actor, verb="seller.set", object=f"shop:{obj.slug}", why=changed)


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin[Category]):
    list_display = ("name", "parent", "position", "visible")
    list_editable = ("position", "visible")
    list_select_related = ("parent",)
    prepopulated_fields: ClassVar = {"slug": ("name_fr",)}
    search_fields = ("name_fr", "name_en")
