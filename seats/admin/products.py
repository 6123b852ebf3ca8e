"""Products in the back office: read in lists and trails, changed by actions only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.zone import format_instant
from courses.admin import CourseSpaceAdmin as SpaceAdmin
from courses.models import CourseSpace
from courses.selectors import product_events
from seats.admin.actions import PoolActions, ProductActions
from seats.admin.tables import ReadOnlyAdmin
from seats.models import Seat, SeatPool, Session


class Trailed(ReadOnlyAdmin[Any]):
    """Shows what happened to the product."""

    readonly_fields = ("trail",)

    @admin.display(description=_("what happened"))
    def trail(self, product: Any) -> SafeString | str:
        """The events of the product, oldest first."""
        rows = (
            (format_instant(event.at), event.verb, event.actor, event.detail.get("why", ""))
            for event in product_events(product.reference)
        )
        return format_html_join("", "<p>{} · {} · {} {}</p>", rows) or "–"


@admin.register(SeatPool)
class SeatPoolAdmin(PoolActions, ReadOnlyAdmin[SeatPool]):
    """The seats of one order line: their terms."""

    operate_permission = "seats.change_seatpool"
    list_display = ("item_code", "bill_number", "account", "size", "courselist", "purchased_at")
    list_select_related = ("account",)
    list_filter = ("unassigned_end",)
    search_fields = ("item_code", "bill_number", "account__name", "account__slug")
    date_hierarchy = "purchased_at"


@admin.register(Session)
class SessionAdmin(ProductActions[Session], Trailed):
    operate_permission = "seats.change_session"
    list_display = ("reference", "course", "group_name", "account", "starts_at", "ends_at", "withdrawn_at")
    list_select_related = ("account", "course")
    search_fields = ("reference", "group_name", "account__slug", "course__shortname")


@admin.register(Seat)
class SeatAdmin(ProductActions[Seat], Trailed):
    operate_permission = "seats.change_seat"
    list_display = ("reference", "pool", "account", "expired_at", "withdrawn_at")
    list_select_related = ("account", "pool")
    search_fields = ("reference", "pool__bill_number", "account__slug")


admin.site.unregister(CourseSpace)


@admin.register(CourseSpace)
class CourseSpaceAdmin(ProductActions[CourseSpace], SpaceAdmin):
    """Course spaces with what staff does to them."""

    operate_permission = "courses.change_coursespace"
