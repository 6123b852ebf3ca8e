"""Mails about the life of products: what ends soon, and what staff has done to what an organisation owns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import roles_with
from accounts.links import on_this_site
from accounts.models import CustomerAccount, Member
from billing.mails import GIFT_MAIL
from billing.models import Bill, ProductionRun
from billing.services.credits import CREDIT_MAIL, owed_seats
from billing.services.gifts import reason_of
from catalog.selectors import get_shop
from common import outbox
from common.models import OutboxMail
from common.outbox import Letter, Undeliverable
from common.zone import format_until, parse_iso
from courses.models import ProductEvent
from courses.services.space_life import EXTENDED, RESTORED, WITHDRAWN
from portal.mails.letters import letter
from seats.models import SeatPool
from seats.selectors.endings import EndingKind, EndingLine, told_endings
from seats.selectors.products import Product, ProductKind, find_products
from seats.services.life_rows import COURSES
from seats.services.life_staff import CHANGED_MAIL
from seats.services.notices import ENDING_MAIL

NAMED = 5  # people named for each line, and products named in a mail


def register() -> None:
    """Say who renders the kinds of a product's life."""
    outbox.register(ENDING_MAIL, render_ending_soon)
    outbox.register(CHANGED_MAIL, render_product_changed)
    outbox.register(GIFT_MAIL, render_gift)
    outbox.register(CREDIT_MAIL, render_to_credit)


# --- what ends soon -------------------------------------------------------------------------------


def render_ending_soon(mail: OutboxMail) -> Letter:
    """One mail a day to those who manage an organisation: what ends, and when."""
    account = _account(mail)
    now = timezone.now()
    lines = told_endings(account.pk, date.fromisoformat(str(mail.ids["day"])), now=now)
    if not lines:
        raise Undeliverable("nothing of it ends any more")
    return letter(
        _("What ends soon at %(organisation)s") % {"organisation": account.name},
        who=_why_you(account),
        paragraphs=[
            ngettext(
                "One thing of yours ends soon. Under My products you can extend it, by its reference.",
                "%(count)d things of yours end soon. Under My products you can extend them, by their references.",
                len(lines),
            )
            % {"count": len(lines)}
        ],
        facts=[(_title(line), _ending(line)) for line in lines],
        button=_my_products(),
        after=[_("We write 60, 30 and 7 days ahead, and never twice about the same end.")],
    )


def _title(line: EndingLine) -> str:
    name = line.course or line.item_name
    return _("%(item)s, order %(number)s") % {"item": name, "number": line.bill_number}


def _ending(line: EndingLine) -> str:
    words: dict[EndingKind, Callable[[EndingLine], str]] = {
        EndingKind.SEATS: _seats_ending,
        EndingKind.VALIDITY: _validity_ending,
        EndingKind.SESSION: _session_ending,
        EndingKind.SPACE: _space_ending,
    }
    return words[line.kind](line)


def _seats_ending(line: EndingLine) -> str:
    text = ngettext(
        "access of %(people)s %(until)s", "access of %(count)d people %(until)s: %(people)s", line.number
    )
    return text % {
        "count": line.number,
        "people": _some(line.people),
        "until": format_until(line.ends_at),
    }


def _validity_ending(line: EndingLine) -> str:
    text = ngettext(
        "%(count)d free seat to be given %(until)s.",
        "%(count)d free seats to be given %(until)s.",
        line.number,
    )
    follows = {
        "extend": _("Seats that are free then may be given for as long again."),
        "credit": _("Seats that are free then expire, and the shop sees to a credit."),
        "nothing": _("Seats that are free then expire."),
    }[line.unassigned_end]
    return f"{text % {'count': line.number, 'until': format_until(line.ends_at)}} {follows}"


def _session_ending(line: EndingLine) -> str:
    text = ngettext(
        "session %(reference)s, %(count)d seat, %(until)s",
        "session %(reference)s, %(count)d seats, %(until)s",
        line.number,
    )
    return text % {
        "count": line.number,
        "reference": line.reference,
        "until": format_until(line.ends_at),
    }


def _space_ending(line: EndingLine) -> str:
    return _("course space %(reference)s, %(until)s. The course is closed then; nothing in it is lost.") % {
        "reference": line.reference,
        "until": format_until(line.ends_at),
    }


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:NAMED])
    more = len(names) - NAMED
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(more)d more", "%(names)s and %(more)d more", more) % {
        "names": shown,
        "more": more,
    }


# --- what staff has done ------------------------------------------------------------------------------


def render_product_changed(mail: OutboxMail) -> Letter:
    """Staff has extended, withdrawn or given back products, or changed what free seats are good for: with the reason."""
    account = _account(mail)
    ids = [int(pk) for pk in str(mail.ids["events"]).split(",")]
    events = list(ProductEvent.objects.filter(pk__in=ids).order_by("pk"))
    if not events:
        raise Undeliverable("the events are gone")
    number = int(mail.ids["number"])
    products = find_products(event.reference for event in events)
    facts = [(_product(products.get(event.reference)), _change(event)) for event in events[:NAMED]]
    if number > NAMED:
        more = number - NAMED
        facts.append((_("and"), ngettext("%(more)d more", "%(more)d more", more) % {"more": more}))
    if why := events[0].detail.get("why"):
        facts.append((_("Reason"), str(why)))
    names = {"organisation": account.name, "count": number}
    subjects = {
        EXTENDED: ngettext(
            "A product of %(organisation)s was extended",
            "%(count)d products of %(organisation)s were extended",
            number,
        ),
        WITHDRAWN: ngettext(
            "A product of %(organisation)s was withdrawn",
            "%(count)d products of %(organisation)s were withdrawn",
            number,
        ),
        RESTORED: ngettext(
            "A product of %(organisation)s was given back",
            "%(count)d products of %(organisation)s were given back",
            number,
        ),
        COURSES: ngettext(
            "A free seat of %(organisation)s is good for other courses",
            "%(count)d free seats of %(organisation)s are good for other courses",
            number,
        ),
    }
    paragraphs = {
        EXTENDED: _("We have given this a later end for you."),
        WITHDRAWN: _("Nobody gets in through this any more. Nothing is lost, and it can be given back."),
        RESTORED: _("This is yours again as it was before it was withdrawn."),
        COURSES: _(
            "From now on these seats can be given for other courses. Seats that somebody has stay as they are."
        ),
    }
    verb = events[0].verb
    return letter(
        subjects[verb] % names,
        who=_why_you(account),
        paragraphs=[paragraphs[verb]],
        facts=facts,
        button=_my_products(),
        after=[_("Questions? Answer this mail.")],
    )


def _product(product: Product | None) -> str:
    names = {
        ProductKind.SEAT: _("Seat"),
        ProductKind.SESSION: _("Session"),
        ProductKind.SPACE: _("Course space"),
    }
    return names[product.kind] if product else _("Product")


def _change(event: ProductEvent) -> str:
    if event.verb == EXTENDED and event.detail.get("until"):
        return f"{event.reference}, {format_until(parse_iso(event.detail['until']))}"
    if event.verb == COURSES:
        courses = str(event.detail.get("courses", "")).replace(",", ", ")
        return f"{event.reference}, {courses or _('every open course')}"
    return event.reference


# --- seats given by the shop ------------------------------------------------------------------------


def render_gift(mail: OutboxMail) -> Letter:
    """The shop has given seats, and they are there: how many, of what, and why."""
    runs = ProductionRun.objects.select_related("line__bill__account")
    run = runs.filter(pk=mail.ids["run"]).first()
    if run is None:
        raise Undeliverable("the delivery is gone")
    bill = run.line.bill
    seats = run.delivered["seats"]
    return letter(
        ngettext("%(shop)s gives you a seat", "%(shop)s gives you %(count)d seats", seats)
        % {"shop": get_shop().name, "count": seats},
        who=_why_you(bill.account),
        paragraphs=[_("There is nothing to pay. The seats are open: give them under My seats.")],
        facts=[
            (_("Item"), run.line.item_name),
            (_("Order"), bill.number),
            (_("Reason"), reason_of(bill)),
        ],
        button=(_("Open My seats"), on_this_site(reverse("seats:my"))),
    )


# --- for the shop -----------------------------------------------------------------------------------


def render_to_credit(mail: OutboxMail) -> Letter:
    """To the shop: seats expired unassigned whose item promises a credit."""
    pool = SeatPool.objects.select_related("account").filter(pk=mail.ids["pool"]).first()
    number = owed_seats(int(mail.ids["pool"]))
    if pool is None or not number:
        raise Undeliverable("nothing is owed")
    bill = Bill.objects.filter(number=pool.bill_number).first()
    address = reverse("admin:billing_bill_change", args=[bill.pk]) if bill else reverse("admin:index")
    text = ngettext(
        "To credit: %(count)d seat of %(organisation)s was not given in time",
        "To credit: %(count)d seats of %(organisation)s were not given in time",
        number,
    )
    return letter(
        text % {"count": number, "organisation": pool.account.name},
        paragraphs=[
            _("The item promises a credit for these. Nothing is credited by itself: it is for you to do.")
        ],
        facts=[
            (_("Item"), pool.item_name),
            (_("Order"), pool.bill_number),
            (_("Seats of the order"), str(pool.size)),
            (_("Not given in time"), str(number)),
        ],
        button=(_("Open it in the back office"), on_this_site(address)),
    )


# --- helpers ----------------------------------------------------------------------------------------


def _account(mail: OutboxMail) -> CustomerAccount:
    account = CustomerAccount.objects.filter(pk=mail.ids["account"]).first()
    manages = Member.objects.filter(
        account=mail.ids["account"], person=mail.ids["person"], role__in=roles_with("seats.write")
    )
    if account is None or not manages.exists():
        raise Undeliverable("the person no longer manages the organisation")
    return account


def _why_you(account: CustomerAccount) -> str:
    return _("%(shop)s writes to you because you manage the seats of %(organisation)s.") % {
        "shop": get_shop().name,
        "organisation": account.name,
    }


def _my_products() -> tuple[str, str]:
    return _("See My products"), on_this_site(reverse("seats:products"))
