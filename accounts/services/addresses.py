"""Addresses known to reach their owner."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import Person


@transaction.atomic
def verify_address(person: Person) -> None:
    """Note that a person's address reaches him: a link mailed there was used, or an operator vouches for it.

    A person has this one address, and nobody else has it: rows left from a change of address go.
    """
    EmailAddress.objects.filter(email=person.email_key).exclude(user=person).delete()
    EmailAddress.objects.filter(user=person).exclude(email=person.email_key).delete()
    EmailAddress.objects.update_or_create(
        user=person, email=person.email_key, defaults={"verified": True, "primary": True}
    )


def unverified_address(person: Person) -> EmailAddress:
    """The row that a confirmation link of this person's address points to."""
    address, _ = EmailAddress.objects.get_or_create(
        user=person, email=person.email_key, defaults={"primary": True}
    )
    return address
