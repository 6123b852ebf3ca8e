"""`manage.py demo`: load the sample shop and carry one order from cart to assigned seats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser
from django.utils import translation

from billing.selectors import bill_document
from common.commands import JsonCommand
from common.models import OutboxMail
from courses.models import CourseCategory
from courses.platforms import get_platform
from portal.sample import PASSWORD, Walk, load_sample, walk
from portal.sample.load import MEMBERS, STAFF
from seats.models import AssignmentBatch
from seats.seatrow import sentence
from seats.selectors import SeatFilter, every_seat, total_counts
from seats.selectors.pools import pool_counts


class Command(JsonCommand):
    help = "Load the sample shop, carry one order from cart to assigned seats and print what happened."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop-only", action="store_true", help="load the sample shop, and nothing else")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        shop_only = options["shop_only"]
        if get_platform().is_remote and not shop_only:
            raise CommandError(
                "demo would enrol people on your course platform: --shop-only loads the shop alone"
            )
        with translation.override("fr"):
            try:
                account = load_sample()
            except CourseCategory.DoesNotExist as error:
                raise CommandError(
                    "the course platform has not the courses of the sample shop; run synccourses first"
                ) from error
            done = None if shop_only else walk(account)
        if done is None:
            self.emit({"people": [*MEMBERS, STAFF]}, _sign_ins())
        else:
            self.emit(_document(done), _lines(done))


def _mails() -> list[OutboxMail]:
    return list(OutboxMail.objects.order_by("id"))


def _document(done: Walk) -> dict[str, Any]:
    return {
        "bill": bill_document(done.bill.number),
        "rows": list(_rows(done.batch)),
        "seats": [
            {
                "reference": seat.reference,
                "state": seat.state,
                "email": seat.sitter.email if seat.sitter else None,
            }
            for seat in every_seat(done.bill.account_id, SeatFilter())
        ],
        "mail": [{"to": mail.to, "kind": mail.kind, "state": mail.state} for mail in _mails()],
    }


def _rows(batch: AssignmentBatch) -> Iterator[dict[str, Any]]:
    for row in batch.rows.order_by("position"):
        yield {"row": row.position, "email": row.email, "verdict": row.verdict, "outcome": row.outcome}


def _lines(done: Walk) -> Iterator[str]:
    document = _document(done)
    bill = document["bill"]
    yield f"Order {bill['bill']}: {bill['state']}, {bill['payment']}, production {bill['production']}"
    for line in bill["lines"]:
        yield f"  {line['quantity']} × {line['item']} at {line['unit_price']}: {line['gross']} {bill['currency']}"
    yield f"Seats: {sentence(total_counts(pool_counts(done.bill.account_id)), 'en')}"
    for seat in document["seats"]:
        yield f"  {seat['reference']}  {seat['state']:<9} {seat['email'] or ''}"
    yield f"The list given to {done.batch.course.fullname}:"
    for row in document["rows"]:
        yield f"  {row['row']:>2}  {row['email']:<34} {row['verdict']:<17} {row['outcome']}"
    yield "Mails:"
    for mail in document["mail"]:
        yield f"  {mail['state']:<7} {mail['kind']:<16} {mail['to']}"
    if settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        yield f"They lie as files in {settings.EMAIL_FILE_PATH}"
    yield from _sign_ins()


def _sign_ins() -> Iterator[str]:
    yield f"Sign in with the password {PASSWORD} as:"
    for email, (_first, _last, role) in MEMBERS.items():
        yield f"  {email:<22} {role.value}"
    yield f"  {STAFF:<22} staff, at /admin/"
