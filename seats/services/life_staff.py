"""What staff does to products of customers: always with a reason, audited, and mailed to those who manage them.

The mails name events (ids only); `portal.mails.life` puts them into words while they are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import roles_with
from accounts.models import Person
from common import audit, outbox
from common.audit import Actor
from common.outbox import Draft
from courses.models import CourseSpace, ProductEvent
from courses.selectors import matching_courses
from courses.services import restore_space, withdraw_space
from courses.services.space_life import RESTORED, WITHDRAWN
from delegation.refusals import Refused
from seats.models import SeatPool
from seats.selectors.products import Product, ProductKind, find_products, refusal
from seats.services.life_extend import extend_to
from seats.services.life_rows import CHUNK, COURSES, events_of
from seats.services.life_withdraw import Operation, restore_seats, withdraw_seats
from seats.services.locking import lock_account, touch_account
from seats.services.picking import free_seats

CHANGED_MAIL = "product_changed"
MOST_MAILED = 200  # products that one mail names; a longer operation says how many it was


@dataclass(slots=True)
class Done:
    """What came of an operation: the references changed, and why the others were not."""

    changed: list[str] = field(default_factory=list)
    refused: list[tuple[str, Refused]] = field(default_factory=list)


def withdraw(*, references: Sequence[str], actor: Actor, why: str) -> Done:
    """Withdraw seats, sessions and course spaces: nobody gets in through them any more, and nothing is lost.

    May be repeated. A remote platform is told by jobs. A seat of which somebody has just changed his mind is refused.
    """
    return _each_account(references, actor, why, withdraw_seats, _withdraw_space)


def restore(*, references: Sequence[str], actor: Actor, why: str) -> Done:
    """Give withdrawn seats, sessions and course spaces back as they were; what has ended meanwhile stays ended.

    Whoever sat in a seat has it again, unless he sits in another one of the course.
    """
    return _each_account(references, actor, why, restore_seats, _restore_space)


def extend_until(*, references: Sequence[str], until: datetime, actor: Actor, why: str) -> Done:
    """Give each of these products this end (exclusive), no earlier than the one it has."""
    done = Done()
    for product in _products(references, done):
        try:
            with transaction.atomic():
                extended = extend_to(reference=product.reference, until=until, actor=actor, why=why)
                if extended.event_id is not None:
                    tell_managers(product.account_id, [extended.event_id])
                    done.changed.append(product.reference)
        except Refused as refused:
            done.refused.append((product.reference, refused))
    return done


def set_courses(*, pool_id: int, courselist: str, actor: Actor, why: str) -> int:
    """Say anew for which courses the free seats of a pool are good; returns how many there are.

    Short names, comma separated, `*` as wildcard; empty: every open course. Whoever has a seat keeps it. Raises
    Refused with the code `bound` (people were named for one course) or `no_course` (the list matches nothing).
    """
    typed = courselist.replace("%", "*").split(",")
    names = ",".join(dict.fromkeys(name for part in typed if (name := part.strip())))
    if not matching_courses(names).exists():
        raise Refused("no_course", _("No open course matches this list: nothing was changed."))
    with transaction.atomic():
        account_id = SeatPool.objects.values_list("account", flat=True).get(pk=pool_id)
        lock_account(account_id)
        pool = SeatPool.objects.get(pk=pool_id)
        if pool.course_id is not None:
            raise Refused("bound", _("These seats were bought for one course: it cannot be changed."))
        now = timezone.now()
        free = list(free_seats(now).filter(pool=pool).order_by("pk").values_list("reference", flat=True))
        if pool.courselist == names:
            return len(free)
        detail = {"from": pool.courselist, "courses": names}
        pool.courselist = names
        pool.save(update_fields=["courselist"])
        events = events_of(dict.fromkeys(free, detail), COURSES, actor=actor, at=now, why=why)
        ProductEvent.objects.bulk_create(events, batch_size=CHUNK)
        audit.record(
            actor=actor,
            verb="pool.courses",
            object=f"pool:{pool.pk}",
            scope=f"account:{account_id}",
            counts={"seats": len(free)},
            why=why,
        )
        touch_account(account_id)
        tell_managers(account_id, [event.pk for event in events])
        return len(free)


# --- mails ----------------------------------------------------------------------------------------


def managers(account_id: int) -> list[Person]:
    """Who manages the seats of an account: its owners and managers."""
    people = Person.objects.filter(
        memberships__account=account_id, memberships__role__in=roles_with("seats.write"), is_active=True
    )
    return list(people.distinct().order_by("pk"))


def tell_managers(account_id: int, event_ids: Sequence[int]) -> None:
    """Queue one mail to each of them about what was done; the events are those of one operation."""
    if not event_ids:
        return
    ids: dict[str, int | str] = {
        "account": account_id,
        "events": ",".join(map(str, event_ids[:MOST_MAILED])),
        "number": len(event_ids),
    }
    outbox.queue_many(
        Draft(
            CHANGED_MAIL,
            person.email,
            f"products:{event_ids[0]}:{person.pk}",
            {**ids, "person": person.pk},
            person.language,
        )
        for person in managers(account_id)
    )


# --- helpers ----------------------------------------------------------------------------------------


def _each_account(
    references: Sequence[str],
    actor: Actor,
    why: str,
    seats: Callable[[Operation, Sequence[Product]], None],
    space: Callable[[str, Actor, str], ProductEvent | None],
) -> Done:
    done = Done()
    groups: dict[int, list[Product]] = {}
    for product in _products(references, done):
        groups.setdefault(product.account_id, []).append(product)
    for account_id, products in sorted(groups.items()):
        operation = Operation(account_id, actor, why)
        seated = [one for one in products if one.kind is not ProductKind.SPACE]
        try:
            with transaction.atomic():
                if seated:
                    seats(operation, seated)
                spaces = [one.reference for one in products if one.kind is ProductKind.SPACE]
                changed = [event for one in spaces if (event := space(one, actor, why)) is not None]
                operation.events += changed
                tell_managers(account_id, [event.pk for event in operation.events])
        except Refused as refused:
            done.refused += [(one.reference, refused) for one in products]
            continue
        done.changed += [event.reference for event in operation.events]
        done.refused += operation.refused
    return done


def _products(references: Iterable[str], done: Done) -> list[Product]:
    wanted = list(dict.fromkeys(references))
    found = find_products(wanted)
    done.refused += [(reference, refusal("unknown")) for reference in wanted if reference not in found]
    return [found[reference] for reference in wanted if reference in found]


def _withdraw_space(reference: str, actor: Actor, why: str) -> ProductEvent | None:
    if CourseSpace.objects.filter(reference=reference, withdrawn_at__isnull=False).exists():
        return None
    withdraw_space(reference=reference, actor=actor, why=why)
    return _last(reference, WITHDRAWN)


def _restore_space(reference: str, actor: Actor, why: str) -> ProductEvent | None:
    if CourseSpace.objects.filter(reference=reference, withdrawn_at=None).exists():
        return None
    restore_space(reference=reference, actor=actor, why=why)
    return _last(reference, RESTORED)


def _last(reference: str, verb: str) -> ProductEvent | None:
    return ProductEvent.objects.filter(reference=reference, verb=verb).last()
