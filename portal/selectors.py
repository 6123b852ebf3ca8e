"""What pages read from several apps at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from billing.models import Bill
from catalog.models import CatalogItem
from catalog.selectors import get_shop, items_on_sale, unit_price
from catalog.units import seats_per_unit
from common.models import Job
from courses.models import SpaceChangePerson
from courses.selectors import names_match, on_their_way
from handlers.registry import get_handler
from portal.services.space_changes import JOB

Way = SpaceChangePerson.State
EXTENSION = "extendenrolperiod"
WAITING = 5  # orders that are named on an empty page
TOLD_FOR = timedelta(days=3)  # how long a page says what came of people who were on their way
MOST_TOLD = 50
SEATS = "generateseats"  # the automation that makes seats to be given later


@dataclass(frozen=True, slots=True)
class SeatOffer:
    """What to put into the cart to have so many more seats for a course."""

    item: CatalogItem
    quantity: int
    seats: int  # at least as many as are missing: packs are not split


@dataclass(frozen=True, slots=True)
class SpaceProgress:
    """What a remote platform still has to hear about a space, and what it would not do.

    `waits`: it does not answer at the moment; `stopped`: somebody has to look at it before it goes on.
    """

    coming: list[SpaceChangePerson]
    already: list[SpaceChangePerson]
    refused: list[SpaceChangePerson]
    waits: bool
    stopped: bool


def space_progress(space_id: int, *, now: datetime) -> SpaceProgress:
    """Who is on his way into or out of a space, and what came of those of the last days. Three queries at most."""
    coming = list(on_their_way(space_id))
    jobs = list(
        Job.objects.filter(kind=JOB, object_id__in={one.change_id for one in coming})
        if coming
        else Job.objects.none()
    )
    newer = SpaceChangePerson.objects.filter(
        space=OuterRef("space"), person=OuterRef("person"), pk__gt=OuterRef("pk")
    )
    told = SpaceChangePerson.objects.filter(
        ~Exists(newer),
        space=space_id,
        state__in=(Way.ALREADY, Way.REFUSED),
        settled_at__gt=now - TOLD_FOR,
    )
    recent = list(told.select_related("change").order_by("-pk")[:MOST_TOLD])
    return SpaceProgress(
        coming=coming,
        already=[one for one in recent if one.state == Way.ALREADY],
        refused=[one for one in recent if one.state == Way.REFUSED],
        waits=any(job.waiting_since is not None for job in jobs),
        stopped=any(job.state == Job.State.FAILED for job in jobs),
    )


def seat_offer(shortname: str, seats: int, *, preferred: str = "") -> SeatOffer | None:
    """The article on sale that gives these seats in this course: the preferred one if it does, else the cheapest.

    Two queries. None when nothing on sale does.
    """
    items = items_on_sale(get_shop()).filter(handler=SEATS).prefetch_related("tiers")
    offers = [offer for item in items if (offer := _offer(item, shortname, seats)) is not None]
    offers.sort(key=lambda one: (one.item.code != preferred, _price(one), one.item.pk))
    return next(
        (one for one in offers if one.item.code == preferred or one.item.visibility == "public"), None
    )


def waiting_orders(account_id: int) -> list[str]:
    """The numbers of an organisation's orders that are not open yet, newest first. One query."""
    waiting = Bill.objects.filter(account=account_id, state=Bill.State.PLACED, opened_at=None)
    return list(waiting.order_by("-id").values_list("number", flat=True)[:WAITING])


def extension_item() -> CatalogItem | None:
    """The article on sale that gives a product a later end. Two queries."""
    items = items_on_sale(get_shop()).filter(handler=EXTENSION, visibility="public")
    return items.order_by("position", "id").first()


def _offer(item: CatalogItem, shortname: str, seats: int) -> SeatOffer | None:
    courses = get_handler(item.handler).read(item.params).values.get("courselist", ())
    packed = seats_per_unit(item)
    if not packed or not names_match(",".join(courses), shortname):
        return None
    quantity = -(-seats // packed)
    if item.max_quantity is not None and quantity > item.max_quantity:
        return None
    return SeatOffer(item, quantity, quantity * packed)


def _price(offer: SeatOffer) -> int:
    return offer.quantity * unit_price(offer.item, offer.quantity)
