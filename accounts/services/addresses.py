"""Addresses known to reach their owner."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from accounts.models import Person


def verify_address(person: Person) -> None:
    """Note that a person's address reaches him: a link mailed there was used, or an operator vouches for it."""
    EmailAddress.objects.update_or_create(
        user=person, email=person.email_key, defaults={"verified": True, "primary": True}
    )


def unverified_address(person: Person) -> EmailAddress:
    """The row that a confirmation link of this person's address points to."""
    address, _ = EmailAddress.objects.get_or_create(
        user=person, email=person.email_key, defaults={"primary": True}
    )
    return address
