"""What the seat commands share: reading their arguments, and the documents of DESIGN section 9."""

from __future__ import annotations

from typing import Any, NoReturn

from accounts.models import CustomerAccount
from common.commands import JsonCommand
from common.references import normalise_reference
from courses.models import Course
from seats.models import Seat
from seats.selectors import SeatRow, find_seat
from seats.selectors.products import Product, find_product
from seats.services import NotTold, Refused


class SeatCommand(JsonCommand):
    """A command about the seats of an account."""

    def account(self, slug: str) -> CustomerAccount:
        """Refuses `account` when there is none."""
        account = CustomerAccount.objects.filter(slug=slug).first()
        if account is None:
            self.refuse("account", f"there is no account “{slug}”.")
        return account

    def course(self, shortname: str) -> Course:
        """Refuses `course` when there is none."""
        course = Course.objects.filter(shortname=shortname).first()
        if course is None:
            self.refuse("course", f"there is no course “{shortname}”.")
        return course

    def seat(self, text: str) -> SeatRow:
        """The seat of a reference as somebody typed it. Refuses `reference` when there is none."""
        try:
            return find_seat(normalise_reference(text))
        except Seat.DoesNotExist:
            self.refuse("reference", f"there is no seat “{text}”.")

    def product(self, text: str) -> Product:
        """The seat, session or course space of a reference as somebody typed it. Refuses `reference`."""
        try:
            return find_product(normalise_reference(text))
        except Refused:
            self.refuse("reference", f"there is no product “{text}”.")

    def emit_seat(self, reference: str) -> None:
        """Print a seat as it is now."""
        seat = find_seat(reference)
        self.emit(seat_document(seat), seat_line(seat))

    def decline(self, reference: str, refusal: Refused) -> NoReturn:
        """Print the seat, which nothing has changed, and end with exit 1 and the reason."""
        self.emit_seat(reference)
        self.fail(str(refusal.message))

    def wait(self, reference: str, why: NotTold) -> None:
        """Print the seat as it still is, and say on standard error that the rest waits for the course platform."""
        self.emit_seat(reference)
        self.stderr.write(f"It waits for the course platform and goes on by itself: {why}")


def seat_document(seat: SeatRow) -> dict[str, Any]:
    """A seat as `listseats` prints it."""
    sitter = seat.sitter
    return {
        "reference": seat.reference,
        "session": seat.session,
        "item": seat.item_code,
        "state": seat.state.value,
        "course": sitter.course if sitter else None,
        "email": sitter.email if sitter else None,
        "role": sitter.role if sitter else None,
        "group": sitter.group if sitter else None,
        "starts": sitter.starts_at if sitter else None,
        "ends": sitter.ends_at if sitter else None,
    }


def seat_line(seat: SeatRow) -> str:
    """A seat on one line."""
    sitter = f"  {sitter.email} in {sitter.course}" if (sitter := seat.sitter) else ""
    return f"{seat.reference}  {seat.item_code}  {seat.state}{sitter}"
