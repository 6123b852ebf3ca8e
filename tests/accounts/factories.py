"""People and organisations for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from accounts.models import CustomerAccount, Invitation, Member, Person, Role
from accounts.services import issue_token

PASSWORD = "correct horse battery"
OWN = "my very own password"  # chosen through a link

IDENTITY = {
    "name": "New name",
    "legal_name": "New name SAS",
    "siren": "404 833 048",
    "vat_number": "FR 83 404 833 048",
    "address": "1 rue du Port",
    "postcode": "29200",
    "city": "Brest",
    "country": "FR",
}

_numbers = count(1)


def make_person(*, password: str | None = None, **fields: Any) -> Person:
    """Somebody; without a password as if brought in by an account. `possessed_at` is left empty."""
    number = next(_numbers)
    values = {
        "email": f"person{number}@example.org",
        "first_name": "Ada",
        "last_name": f"Lovelace {number}",
        "language": "en",
    }
    return Person.objects.create_user(password=password, **(values | fields))


def make_account(**fields: Any) -> CustomerAccount:
    number = next(_numbers)
    values = {"slug": f"organisation-{number}", "name": f"Organisation {number}"}
    return CustomerAccount.objects.create(**(values | fields))


def make_member(
    role: Role = Role.OWNER, *, account: CustomerAccount | None = None, person: Person | None = None
) -> Member:
    """A member; the person signs in with PASSWORD."""
    return Member.objects.create(
        account=account or make_account(), person=person or make_person(password=PASSWORD), role=role
    )


def make_invitation(**fields: Any) -> Invitation:
    values = {
        "account": fields.get("account") or make_account(),
        "person": fields.get("person") or make_person(),
    }
    return Invitation.objects.create(**(values | fields))


def make_invited(**fields: Any) -> tuple[Invitation, str]:
    """An invitation that was mailed, and its token."""
    invitation = make_invitation(**fields)
    token = issue_token(invitation_id=invitation.pk, notice_version="7")
    invitation.refresh_from_db()
    return invitation, token
