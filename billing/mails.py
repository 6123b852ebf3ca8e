"""Mails about orders: what is queued at each event, and how it is put into words while sending."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import roles_with
from accounts.models import Member, Person
from billing.models import Bill, Payment, ProductionRun
from billing.selectors import bill_page
from catalog.models import Shop
from common import outbox
from common.models import OutboxMail
from common.money import format_money
from common.outbox import Draft, Letter, Undeliverable
from handlers.registry import say
from seats.seatrow import SeatCounts, pack_sentence, sentence, text_row

GIFT_MAIL = "seats_gift"  # put into words by `portal.mails.life`

# --- what is queued --------------------------------------------------------------------------------


def received_key(bill: Bill) -> str:
    """The event of an order being placed."""
    return f"bill:{bill.pk}:received"


def order_received(bill: Bill, buyer: Person) -> Draft:
    """To the buyer, when an order is placed."""
    return Draft("order_received", buyer.email, received_key(bill), {"bill": bill.pk}, bill.language)


def payment_received(payment: Payment, bill: Bill) -> Draft:
    """To the buyer, for each payment."""
    key = f"payment:{payment.pk}:received"
    return Draft("payment_received", bill.buyer.email, key, {"payment": payment.pk}, bill.language)


def finished(run: ProductionRun) -> list[Draft]:
    """After a run ended well: seats to give, other deliveries and private words to the customer, notes to the shop."""
    drafts = []
    if opens_seats(run):
        kind = GIFT_MAIL if run.line.bill.is_gift else "seats_open"
        drafts = [_to_person(kind, run, person) for person in _who_gives_seats(run)]
    elif run.phase == ProductionRun.Phase.DELIVER or "private" in run.feedback:
        drafts = [_to_person("delivered", run, run.line.bill.buyer)]
    if "sales" in run.feedback:
        drafts += _to_shop("production_note", run)
    return drafts


def production_failed(run: ProductionRun) -> list[Draft]:
    """To the shop, for each attempt that ended for good."""
    return _to_shop("production_failed", run)


def opens_seats(run: ProductionRun) -> bool:
    """Whether a finished run made seats in which nobody sits yet."""
    delivered = run.delivered
    return bool(
        run.phase == ProductionRun.Phase.DELIVER and delivered["seats"] and not delivered["enrolments"]
    )


def _who_gives_seats(run: ProductionRun) -> Iterable[Person]:
    """The buyer, and whoever may give seats in his organisation."""
    bill = run.line.bill
    managers = Member.objects.filter(account=bill.account_id, role__in=roles_with("seats.write"))
    return Person.objects.filter(
        Q(pk=bill.buyer_id) | Q(pk__in=managers.values("person")), is_active=True
    ).order_by("id")


def _to_person(kind: str, run: ProductionRun, person: Person) -> Draft:
    key = f"run:{run.pk}:{kind}:{person.pk}"
    return Draft(kind, person.email, key, {"run": run.pk, "person": person.pk}, person.language)


def _to_shop(kind: str, run: ProductionRun) -> list[Draft]:
    shop = run.line.bill.shop
    to = shop.help_email or shop.mail_sender
    key = f"run:{run.pk}:{kind}:{run.attempt}"
    return [Draft(kind, to, key, {"run": run.pk}, settings.LANGUAGE_CODE)] if to else []


# --- how it is told --------------------------------------------------------------------------------


def register() -> None:
    """Say who renders the kinds of this app."""
    outbox.register("order_received", render_order_received)
    outbox.register("payment_received", render_payment_received)
    outbox.register("seats_open", render_seats_open)
    outbox.register("delivered", render_delivered)
    outbox.register("production_failed", render_production_failed)
    outbox.register("production_note", render_production_note)


def render_order_received(mail: OutboxMail) -> Letter:
    """What was ordered, what it costs and how to pay it."""
    bill = Bill.objects.filter(pk=mail.ids["bill"]).first()
    if bill is None or bill.state == Bill.State.CANCELLED:
        raise Undeliverable("the order is cancelled")
    page = bill_page(bill.number)
    subject = _("We have received your order %(number)s") % {"number": bill.number}
    lines = [
        {"line": view.line, "seat_row": _pack_row(view.seats), "answers": view.answers} for view in page.lines
    ]
    return _letter(
        mail,
        page.bill.shop,
        subject,
        button=(_see_order(), _order_address(bill)),
        greeting=_greeting(page.bill.buyer),
        page=page,
        bill=page.bill,
        lines=lines,
    )


def render_payment_received(mail: OutboxMail) -> Letter:
    """What has arrived, and what is still due."""
    payment = Payment.objects.filter(pk=mail.ids["payment"]).select_related("bill").first()
    if payment is None:
        raise Undeliverable("the payment is gone")
    page = bill_page(payment.bill.number)
    subject = _("We have received %(amount)s for your order %(number)s") % {
        "amount": format_money(payment.amount, page.bill.currency),
        "number": page.bill.number,
    }
    return _letter(
        mail,
        page.bill.shop,
        subject,
        button=(_see_order(), _order_address(page.bill)),
        greeting=_greeting(page.bill.buyer),
        page=page,
        bill=page.bill,
        payment=payment,
    )


def render_seats_open(mail: OutboxMail) -> Letter:
    """Seats that wait to be given: with the way to My seats for whoever may give them."""
    run = _run(mail)
    bill = run.line.bill
    seats = run.delivered["seats"]
    may_give = Member.objects.filter(
        account=bill.account_id, person=mail.ids["person"], role__in=roles_with("seats.write")
    ).exists()
    subject = ngettext("%(count)d seat is open", "%(count)d seats are open", seats) % {"count": seats}
    button = (_see_order(), _order_address(bill))
    if may_give:
        label = ngettext("Give the seat", "Give the %(count)d seats", seats) % {"count": seats}
        button = (label, f"{settings.SHOPSEATS_URL}{reverse('seats:my')}")
    return _letter(
        mail,
        bill.shop,
        subject,
        button=button,
        bill=bill,
        run=run,
        seats=seats,
        seat_row=_free_row(seats),
        may_give=may_give,
        private=_said(run, "private"),
    )


def render_delivered(mail: OutboxMail) -> Letter:
    """What was done for a line, in the handler's own words."""
    run = _run(mail)
    bill = run.line.bill
    subject = _("Your order %(number)s: %(item)s") % {"number": bill.number, "item": run.line.item_name}
    return _letter(
        mail,
        bill.shop,
        subject,
        button=(_see_order(), _order_address(bill)),
        greeting=_greeting(bill.buyer),
        bill=bill,
        run=run,
        private=_said(run, "private"),
    )


def render_production_failed(mail: OutboxMail) -> Letter:
    """To the shop: what failed, why, and where to repair it."""
    run = _run(mail)
    bill = run.line.bill
    subject = _("Delivery failed: order %(number)s, %(item)s") % {
        "number": bill.number,
        "item": run.line.item_code,
    }
    return _letter(mail, bill.shop, subject, button=_back_office(bill), bill=bill, run=run)


def render_production_note(mail: OutboxMail) -> Letter:
    """To the shop: what a handler wants it to know."""
    run = _run(mail)
    bill = run.line.bill
    subject = _("Order %(number)s: %(item)s") % {"number": bill.number, "item": run.line.item_code}
    return _letter(
        mail, bill.shop, subject, button=_back_office(bill), bill=bill, run=run, note=_said(run, "sales")
    )


def _run(mail: OutboxMail) -> ProductionRun:
    runs = ProductionRun.objects.select_related(
        "line__bill__shop", "line__bill__account", "line__bill__buyer"
    )
    run = runs.filter(pk=mail.ids["run"]).first()
    if run is None:
        raise Undeliverable("the delivery is gone")
    return run


def _said(run: ProductionRun, audience: str) -> str:
    """A handler's words for an audience, in the language of the mail."""
    return say(run.handler, run.feedback[audience]) if audience in run.feedback else ""


def _greeting(person: Person) -> str:
    """By name, unless nobody has told us one."""
    if person.name_is_guess or not (person.first_name or person.last_name):
        return _("Hello,")
    return _("Hello %(name)s,") % {"name": person.name}


def _pack_row(seats: int | None) -> str:
    """Ordered seats as text: marks and their number."""
    return f"{text_row(SeatCounts(free=seats))}  {pack_sentence(seats)}" if seats else ""


def _free_row(seats: int) -> str:
    """New seats as text: marks and words."""
    counts = SeatCounts(free=seats)
    return f"{text_row(counts)}  {sentence(counts)}"


def _see_order() -> str:
    return _("See the order")


def _order_address(bill: Bill) -> str:
    return f"{settings.SHOPSEATS_URL}{reverse('billing:bill', args=[bill.number])}"


def _back_office(bill: Bill) -> tuple[str, str]:
    address = reverse("admin:billing_bill_change", args=[bill.pk])
    return _("Open it in the back office"), settings.SHOPSEATS_URL + address


def _letter(mail: OutboxMail, shop: Shop, subject: str, *, button: tuple[str, str], **context: Any) -> Letter:
    """The kind's two templates around the same facts."""
    label, url = button
    context |= {"seller": shop, "subject": subject, "button_label": label, "button_url": url}
    return Letter(
        subject=subject,
        text=render_to_string(f"mail/{mail.kind}.txt", context),
        html=render_to_string(f"mail/{mail.kind}.html", context),
        sender=formataddr((shop.name, shop.mail_sender)) if shop.mail_sender else "",
        reply_to=(shop.help_email,) if shop.help_email else (),
    )
