"""People and organisations for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from accounts.models import CustomerAccount, Invitation, Member, Person, Role

PASSWORD = "correct horse battery"

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
