"""Products by reference: a seat, a session or a course space, and whether it may be given a later end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from courses.models import CourseSpace
from delegation.refusals import Refused
from seats.models import Assignment, Seat, Session

Reason = Assignment.EndReason


class ProductKind(StrEnum):
    """What an account can own for a time."""

    SEAT = "seat"
    SESSION = "session"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class Product:
    """What a reference stands for. `pk` is that of the seat, the session or the space."""

    kind: ProductKind
    pk: int
    reference: str
    account_id: int
    ends_at: datetime | None
    obstacle: Refused | None = None  # why it cannot be extended

    @property
    def object(self) -> str:
        """How the audit trail calls it."""
        return f"{self.kind}:{self.reference}"


def find_product(reference: str, *, account_id: int | None = None) -> Product:
    """A product by its reference. At most four queries.

    Raises Refused(unknown); with `account_id` also for another account's product, in the same words.
    """
    mine = {} if account_id is None else {"account": account_id}
    seat = Seat.objects.filter(reference=reference, **mine).first()
    if seat is not None:
        return _seat(seat)
    session = Session.objects.filter(reference=reference, **mine).first()
    if session is not None:
        return _session(session)
    space = CourseSpace.objects.filter(reference=reference, **mine).first()
    if space is not None:
        return _space(space)
    raise refusal("unknown")


def find_products(references: Iterable[str]) -> dict[str, Product]:
    """Those of these references that are products, without what could stand in the way of extending them. Three queries."""
    wanted = list(references)
    found: dict[str, Product] = {}
    for kind, rows in (
        (ProductKind.SEAT, Seat.objects.all()),
        (ProductKind.SESSION, Session.objects.all()),
        (ProductKind.SPACE, CourseSpace.objects.all()),
    ):
        for pk, reference, account_id in rows.filter(reference__in=wanted).values_list(
            "pk", "reference", "account"
        ):
            found[reference] = Product(kind, pk, reference, account_id, None)
    return found


def latest_assignments(seats: QuerySet[Seat]) -> QuerySet[Assignment]:
    """Who sat in each of these seats last, in the order of the seats; each with its `person`, `course` and `seat`."""
    last = Assignment.objects.filter(seat__in=seats.order_by().values("pk")).order_by().values("seat")
    found = Assignment.objects.filter(pk__in=last.annotate(last=Max("pk")).values("last"))
    return found.select_related("person", "course", "seat__pool").order_by("seat_id")


def sits_elsewhere() -> Exists:
    """Whether the person of an assignment sits in another seat of the same course now."""
    running = Assignment.objects.filter(person=OuterRef("person"), course=OuterRef("course"), ended_at=None)
    return Exists(running.exclude(pk=OuterRef("pk")))


def seat_obstacle(seat: Seat, last: Assignment | None, *, elsewhere: bool) -> Refused | None:
    """Why the access of a seat cannot be extended: `last` sat in it last, and perhaps sits `elsewhere` now."""
    if seat.withdrawn_at is not None:
        return refusal("withdrawn")
    if last is None or last.person_id is None or last.end_reason not in ("", Reason.EXPIRED):
        return refusal("free")
    if last.ended_at is not None and seat.expired_at is None:
        return refusal("free")
    if last.state == Assignment.State.RESERVED:
        return refusal("busy")
    if last.ends_at is None:
        return refusal("unlimited")
    return refusal("elsewhere") if last.ended_at is not None and elsewhere else None


def session_obstacle(session: Session) -> Refused | None:
    """Why a session cannot be extended."""
    if session.withdrawn_at is not None:
        return refusal("withdrawn")
    return refusal("unlimited") if session.ends_at is None else None


_MESSAGES: dict[str, str | Promise] = {
    "unknown": _("Your organisation has no product with this reference."),
    "withdrawn": _("This product was withdrawn: it cannot be extended."),
    "unlimited": _("Access through this product has no end: there is nothing to extend."),
    "free": _("Nobody has this seat: access begins on the day you give it to somebody."),
    "busy": _("This seat is just being given. Try again in a moment."),
    "elsewhere": _("The person who had this seat has another one in the same course: extend that one."),
}


def refusal(code: str) -> Refused:
    """Why something cannot be done with a product now: `unknown`, `withdrawn`, `unlimited`, `free`, `busy` or `elsewhere`."""
    return Refused(code, _MESSAGES[code])


def _seat(seat: Seat) -> Product:
    last = latest_assignments(Seat.objects.filter(pk=seat.pk)).annotate(elsewhere=sits_elsewhere()).first()
    obstacle = seat_obstacle(seat, last, elsewhere=last is not None and last.elsewhere)
    return Product(
        ProductKind.SEAT,
        seat.pk,
        seat.reference,
        seat.account_id,
        last.ends_at if last is not None and obstacle is None else None,
        obstacle,
    )


def _session(session: Session) -> Product:
    return Product(
        ProductKind.SESSION,
        session.pk,
        session.reference,
        session.account_id,
        session.ends_at,
        session_obstacle(session),
    )


def _space(space: CourseSpace) -> Product:
    obstacle = refusal("withdrawn") if space.withdrawn_at is not None else None
    return Product(ProductKind.SPACE, space.pk, space.reference, space.account_id, space.ends_at, obstacle)
