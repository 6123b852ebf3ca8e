"""Items as handlers see them, and what there is to say about an item before it is on sale."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from catalog.models import CatalogItem
from handlers.contract import Finding, Offer, SeatMode
from handlers.registry import UnknownHandler, get_handler


def offer_of(item: CatalogItem) -> Offer:
    """The item as its handler sees it."""
    return Offer(
        code=item.code,
        name=item.name,
        params=item.params,
        seat_mode=SeatMode(item.seat_mode),
        renewable=item.renewable,
    )


def item_findings(item: CatalogItem, *, at: datetime | None = None) -> list[Finding]:
    """Errors, warnings and information about an item, for the shop admin. An error keeps it off sale."""
    if not item.handler:
        return list(_without_handler(item))
    try:
        handler = get_handler(item.handler)
    except UnknownHandler as error:
        return [Finding("error", "unknown_handler", str(error), "handler")]
    return handler.check(offer_of(item), at=at)


def _without_handler(item: CatalogItem) -> list[Finding]:
    findings = []
    if item.params:
        message = _("There are parameters but no automation to read them.")
        findings.append(Finding("error", "params_without_handler", message, "params"))
    if item.seat_mode != SeatMode.NONE:
        message = _("Without an automation nobody is put anywhere: choose “no participants are named”.")
        findings.append(Finding("error", "seat_mode_without_handler", message, "seat_mode"))
    if not findings:
        message = _("Nothing is delivered automatically.")
        findings.append(Finding("info", "no_handler", message, "handler"))
    return findings
