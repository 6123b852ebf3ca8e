"""Mails about people and organisations, as drafts of kinds and ids. An app above knows the seller and writes them."""

from __future__ import annotations

import secrets

from allauth.account.models import EmailAddress
from django.utils.translation import get_language

from accounts.models import Invitation, Member, Person, SignInCode
from common.outbox import Draft

CONFIRM_EMAIL = "account_confirm_email"
RESET = "account_reset"
EXISTS = "account_exists"
UNKNOWN = "account_unknown"
PASSWORD_CHANGED = "account_password_changed"  # noqa: S105
MEMBER_INVITED = "member_invited"
MEMBER_ADDED = "member_added"
INVITATION_RENEWED = "invitation_renewed"
SIGN_IN_CODE = "account_code"


def _once(kind: str) -> str:
    """An event of its own: each request is answered by a mail, within the limits of its page."""
    return f"{kind}:{secrets.token_hex(12)}"


def _language(person: Person | None = None) -> str:
    return (person.language if person else get_language()) or "fr"


def confirm_email(address: EmailAddress, *, next_path: str) -> Draft:
    """Somebody signed up: is this his address?"""
    return Draft(
        kind=CONFIRM_EMAIL,
        to=address.user.email,
        event_key=_once(CONFIRM_EMAIL),
        ids={"address": address.pk, "next": next_path},
        language=_language(),
    )


def reset(person: Person, *, next_path: str) -> Draft:
    """Somebody asked for a new password."""
    ids: dict[str, int | str] = {"person": person.pk, "next": next_path}
    return Draft(kind=RESET, to=person.email, event_key=_once(RESET), ids=ids, language=_language())


def exists(person: Person, *, next_path: str) -> Draft:
    """Somebody signed up with an address that is known already."""
    ids: dict[str, int | str] = {"person": person.pk, "next": next_path}
    return Draft(kind=EXISTS, to=person.email, event_key=_once(EXISTS), ids=ids, language=_language())


def unknown(email: str) -> Draft:
    """Somebody asked for a new password for an address that is not known."""
    return Draft(kind=UNKNOWN, to=email, event_key=_once(UNKNOWN), language=_language())


def sign_in_code(code: SignInCode, *, to: str, next_path: str) -> Draft:
    """Somebody asked for a code to sign in, for a known or an unknown address."""
    return Draft(
        kind=SIGN_IN_CODE,
        to=to,
        event_key=_once(SIGN_IN_CODE),
        ids={"code": code.pk, "next": next_path},
        language=_language(),
    )


def password_changed(person: Person) -> Draft:
    """The password was changed: its owner should know."""
    return Draft(
        kind=PASSWORD_CHANGED,
        to=person.email,
        event_key=_once(PASSWORD_CHANGED),
        ids={"person": person.pk},
        language=_language(person),
    )


def member_invited(member: Member, *, invitation_id: int) -> Draft:
    """A new member who has no access yet: he chooses a password."""
    return Draft(
        kind=MEMBER_INVITED,
        to=member.person.email,
        event_key=_once(MEMBER_INVITED),
        ids={"member": member.pk, "invitation": invitation_id},
        language=_language(member.person),
    )


def member_added(member: Member) -> Draft:
    """A new member who has access already: he signs in."""
    return Draft(
        kind=MEMBER_ADDED,
        to=member.person.email,
        event_key=_once(MEMBER_ADDED),
        ids={"member": member.pk},
        language=_language(member.person),
    )


def invitation_renewed(invitation: Invitation) -> Draft:
    """The person asked for a new link, or a new temporary password."""
    return Draft(
        kind=INVITATION_RENEWED,
        to=invitation.person.email,
        event_key=_once(INVITATION_RENEWED),
        ids={"invitation": invitation.pk},
        language=_language(invitation.person),
    )
