"""Items in the admin."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.admin.params import admin_form, field_name
from catalog.admin.questions import QuestionInline
from catalog.admin.rehearsal import rehearsal_view
from catalog.forms import TierForm
from catalog.models import CatalogItem, PriceTier
from catalog.offers import item_findings
from catalog.selectors import get_shop
from common import audit
from common.audit import Actor
from common.money import format_money
from handlers.params import from_local_shop
from handlers.registry import UnknownHandler, all_handlers, get_handler

TEXTS = ["name_fr", "name_en", "summary_fr", "summary_en", "description_fr", "description_en"]


class TierInline(admin.TabularInline[PriceTier, CatalogItem]):
    model = PriceTier
    form = TierForm
    extra = 0


@admin.register(CatalogItem)
class CatalogItemAdmin(admin.ModelAdmin[CatalogItem]):
    list_display = ("code", "name", "shown_price", "handler", "seat_mode", "visibility", "category")
    list_filter = ("visibility", "handler", "category")
    list_select_related = ("category", "shop")
    search_fields = ("code", "search_text")
    readonly_fields = ("findings",)
    inlines = (TierInline, QuestionInline)
    save_on_top = True
    change_form_template = "admin/catalog/catalogitem/change_form.html"

    class Media:
        js = ("js/item_params.js",)

    @admin.display(description=_("price"), ordering="price")
    def shown_price(self, item: CatalogItem) -> str:
        return format_money(item.price, item.shop.currency)

    @admin.display(description=_("check"))
    def findings(self, item: CatalogItem | None) -> str | SafeString:
        """What the automation says about the item as it was last saved."""
        if item is None or item.pk is None:
            return gettext("Shown once the item is saved.")
        rows = ((finding.level, finding.message) for finding in item_findings(item))
        listed = format_html_join("", '<li class="finding finding-{}">{}</li>', rows)
        return (
            format_html('<ul class="findings">{}</ul>', listed)
            if listed
            else gettext("Nothing to say: all is well.")
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = admin_form()
        # The parameters' own fields are declared on the form, not on the model.
        kwargs["fields"] = list(kwargs["form"].Meta.fields)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sale = ["shop", "category", "code", *TEXTS, "image", "leaflet", "visibility", "position"]
        price = ["price", "price_includes_tax", "tax_rate", "max_quantity"]
        delivery = ["handler", "seat_mode", "renewable", "unassigned_end", "params", "local_shop", "findings"]
        by_handler = [
            (
                gettext("Parameters of “%(name)s”") % {"name": handler.label},
                {
                    "fields": [field_name(handler, key) for key in handler.Params.base_fields],
                    "classes": ["handler-params", f"handler-params-{handler.name}"],
                },
            )
            for handler in all_handlers()
        ]
        return [
            (gettext("On sale"), {"fields": sale}),
            (gettext("Price"), {"fields": price}),
            (gettext("Automation"), {"fields": delivery}),
            *by_handler,
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"shop": get_shop().pk}

    def save_model(self, request: HttpRequest, obj: CatalogItem, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit.record(actor=Actor.person(request.user.pk or 0), verb="item.set", object=f"item:{obj.code}")
        for finding in item_findings(obj):
            if finding.level == "warning":
                self.message_user(request, finding.message, messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.params_view)
        rehearsal = self.admin_site.admin_view(partial(rehearsal_view, self))
        return [
            path("params/", view, name="catalog_item_params"),
            path("<int:pk>/rehearsal/", rehearsal, name="catalog_item_rehearsal"),
            *super().get_urls(),
        ]

    def params_view(self, request: HttpRequest) -> HttpResponse:
        """Keep string and fields in step while typing: a string as texts per key, with what is wrong."""
        name = request.GET.get("handler", "")
        string, notes = request.GET.get("params", ""), tuple[str, ...]()
        if "local_shop" in request.GET:
            paste = from_local_shop(request.GET["local_shop"])
            string, notes, name = paste.string, paste.notes, paste.handler or name
        try:
            parsed = get_handler(name).read(string)
        except UnknownHandler as error:
            return JsonResponse({"errors": [{"key": "handler", "message": str(error)}], "string": string})
        errors = [error.as_json() for error in parsed.errors]
        return JsonResponse(
            {"handler": name, "string": string, "texts": parsed.texts, "errors": errors, "notes": notes}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogItem]:
        return super().get_queryset(request).prefetch_related("tiers")
