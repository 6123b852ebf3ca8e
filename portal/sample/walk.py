"""One order of the sample shop, from cart to assigned seats, through the services that pages use."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from accounts.models import CustomerAccount, Person
from billing.models import Bill
from billing.production import produce
from billing.services import identity_of, record_payment
from billing.services.carts import add_item, new_cart, place_cart
from catalog.models import Shop
from catalog.selectors import find_item, get_shop
from common import outbox
from common.audit import SYSTEM, Actor
from common.listing import read_list
from courses.models import Course
from courses.platform import EnrolmentRow
from courses.platforms import get_platform
from portal.sample.load import person_with_password
from seats.models import AssignmentBatch
from seats.services import apply_here, create_list

COURSE = "EXCEL1"
CHECKOUT_KEY = "sample"
# Ten lines as a manager pastes them: three known people, one of them in the course already, one line twice, one
# that is no address.
KNOWN = {
    "anne.moreau@demo.example": ("Anne", "Moreau"),
    "boris.petit@demo.example": ("Boris", "Petit"),
    "chloe.roux@demo.example": ("Chloé", "Roux"),
}
ENROLLED = "chloe.roux@demo.example"
PASTE = """\
Anne Moreau <Anne.Moreau@demo.example>; Boris Petit <boris.petit@demo.example>;
"Roux, Chloé" <chloe.roux@demo.example>
David Leroy <david.leroy@demo.example>; Emma Simon <emma.simon@demo.example>
Fanny Michel <fanny.michel@demo.example>; Hugo Blanc <hugo.blanc@demo.example>
Jeanne Henry <jeanne.henry@demo.example>; david.leroy@DEMO.example
karim.faure@@demo.example
"""


@dataclass(frozen=True, slots=True)
class Walk:
    """What came of it."""

    bill: Bill
    batch: AssignmentBatch


def walk(account: CustomerAccount) -> Walk:
    """Buy ten seats, pay them, deliver them, give them to ten people; done again it changes nothing."""
    shop = get_shop()
    buyer = Person.objects.get(email_key="buyer@demo.example")
    manager = Person.objects.get(email_key="manager@demo.example")
    bill = _order(shop, account, buyer)
    record_payment(number=bill.number, actor=SYSTEM)
    produce(numbers=[bill.number], actor=SYSTEM)
    course = Course.objects.get(shortname=COURSE)
    batch = AssignmentBatch.objects.filter(account=account, state=AssignmentBatch.State.APPLIED).first()
    if batch is None:
        _known_people(course)
        batch = create_list(
            account_id=account.pk,
            course_id=course.pk,
            people=read_list(PASTE),
            actor=Actor.person(manager.pk),
        )
        apply_here(batch_id=batch.pk, actor=Actor.person(manager.pk))
    outbox.deliver_due()
    batch.refresh_from_db()
    bill.refresh_from_db()
    return Walk(bill, batch)


def _order(shop: Shop, account: CustomerAccount, buyer: Person) -> Bill:
    item = find_item(shop, "SEATS")
    if item is None:
        raise LookupError("the sample shop is not loaded")
    cart = new_cart(shop=shop, person=buyer, account=account)
    add_item(cart=cart, item=item, quantity=10)
    bill = place_cart(
        cart=cart,
        account=account,
        buyer=buyer,
        identity=identity_of(account, buyer),
        paymode=Bill.Paymode.TRANSFER,
        terms_version=shop.terms_version,
        expected_gross=None,
        checkout_key=CHECKOUT_KEY,
        actor=Actor.person(buyer.pk),
    )
    cart.lines.all().delete()
    return bill


def _known_people(course: Course) -> None:
    people = {
        email: person_with_password(email, first_name=f, last_name=n) for email, (f, n) in KNOWN.items()
    }
    platform = get_platform()
    enrolled = people[ENROLLED].pk
    platform.ensure_logins([enrolled])
    platform.ensure_enrolments([EnrolmentRow(course.pk, enrolled, "student", timezone.now(), None)])
