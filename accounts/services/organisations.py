"""Organisations and their members."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import mails
from accounts.models import CustomerAccount, Member, Person, Role
from accounts.services.invitations import InvitationClosed, ensure_invitations, renew_invitation
from accounts.services.people import NewPerson, ensure_person
from common.audit import Actor, record
from common.emailkey import check_email
from common.outbox import queue

SLUG_LENGTH = 60


class LastOwner(Exception):
    """An organisation keeps at least one owner."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an organisation is, as printed on its documents."""

    name: str
    legal_name: str = ""
    siren: str = ""
    vat_number: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "FR"


@transaction.atomic
def set_account(*, slug: str, name: str, owner_email: str, actor: Actor) -> CustomerAccount:
    """Create an account or rename it, and make somebody its owner (other owners stay).

    Raises ValidationError, keyed by `slug`, `name` or `owner`, before anything is changed.
    """
    problems: dict[str, str] = {}
    if len(slug) > SLUG_LENGTH:
        problems["slug"] = _("At most %(count)s characters.") % {"count": SLUG_LENGTH}
    try:
        validate_slug(slug)
    except ValidationError as error:
        problems["slug"] = error.messages[0]
    name = " ".join(name.split())
    if not name or len(name) > _longest_name():
        problems["name"] = _("A name of 1 to %(count)s characters is needed.") % {"count": _longest_name()}
    if (problem := check_email(owner_email)) is not None:
        problems["owner"] = str(problem.message)
    if problems:
        raise ValidationError(problems)
    account, created = CustomerAccount.objects.update_or_create(slug=slug, defaults={"name": name})
    set_member(account=account, email=owner_email, role=Role.OWNER, actor=actor)
    record(
        actor=actor,
        verb="account.created" if created else "account.changed",
        object=f"account:{account.pk}",
        scope=f"account:{account.pk}",
    )
    return account


def _longest_name() -> int:
    return CustomerAccount._meta.get_field("name").max_length or 0


@transaction.atomic
def create_account(*, name: str, owner: Person, siren: str = "") -> CustomerAccount:
    """Somebody names the organisation he acts for and becomes its owner.

    Sent twice, the same name gives the same organisation.
    """
    # Two clicks on the button are one organisation.
    Person.objects.select_for_update(no_key=True).get(pk=owner.pk)
    name = " ".join(name.split())
    known = CustomerAccount.objects.filter(name=name, members__person=owner, members__role=Role.OWNER).first()
    if known is not None:
        return known
    account = _new_account(name, siren)
    Member.objects.create(account=account, person=owner, role=Role.OWNER, accepted_at=timezone.now())
    record(
        actor=Actor.person(owner.pk),
        verb="account.created",
        object=f"account:{account.pk}",
        scope=f"account:{account.pk}",
    )
    return account


def _new_account(name: str, siren: str) -> CustomerAccount:
    """An account with a slug made from its name; organisations of the same name are told apart by some letters."""
    stem = slugify(name)[: SLUG_LENGTH - 7].strip("-") or "organisation"
    slug = stem
    while True:
        account, created = CustomerAccount.objects.get_or_create(
            slug=slug, defaults={"name": name, "siren": siren}
        )
        if created:
            return account
        slug = f"{stem}-{token_hex(3)}"


@transaction.atomic
def edit_account(*, account: CustomerAccount, identity: Identity, actor: Actor) -> CustomerAccount:
    """Replace an organisation's identity. The values must have been validated by a form."""
    locked = _lock(account.pk)
    for field in Identity.__slots__:
        setattr(locked, field, getattr(identity, field))
    locked.save(update_fields=list(Identity.__slots__))
    record(
        actor=actor,
        verb="account.changed",
        object=f"account:{account.pk}",
        scope=f"account:{account.pk}",
    )
    return locked


@transaction.atomic
def set_member(*, account: CustomerAccount, email: str, role: str, actor: Actor) -> Member:
    """Make somebody a member, or give a member another role.

    A new member is written to: to choose a password when he has no access yet, to sign in otherwise. Raises
    ValidationError keyed by `email` or `role`, LastOwner when it would leave the account without an owner.
    """
    if role not in Role.values:
        raise ValidationError({"role": _("Not a role: %(role)s.") % {"role": role}})
    if (problem := check_email(email)) is not None:
        raise ValidationError({"email": str(problem.message)})
    _lock(account.pk)
    person, _created = ensure_person(NewPerson(email, language=get_language() or "fr"))
    member = Member.objects.filter(account=account, person=person).select_related("person").first()
    if member is not None:
        return _give_role(member, role, actor)
    member = Member.objects.create(account=account, person=person, role=role)
    _write_to(member, actor)
    _record(member, "member.added", actor)
    return member


@transaction.atomic
def change_role(*, member: Member, role: str, actor: Actor) -> Member:
    """Give a member another role. Raises LastOwner when it would leave the account without an owner."""
    if role not in Role.values:
        raise ValidationError({"role": _("Not a role: %(role)s.") % {"role": role}})
    _lock(member.account_id)
    return _give_role(Member.objects.select_related("person").get(pk=member.pk), role, actor)


@transaction.atomic
def remove_member(*, member: Member, actor: Actor) -> None:
    """End a membership; the person and what he did stay. Raises LastOwner for the last owner."""
    _lock(member.account_id)
    current = Member.objects.filter(pk=member.pk).first()
    if current is None:
        return
    _keep_an_owner(current)
    _record(current, "member.removed", actor)
    current.delete()


@transaction.atomic
def write_again(*, member: Member, actor: Actor) -> None:
    """Write once more to a member who has not come yet: an older link dies."""
    _lock(member.account_id)
    if member.accepted_at is None:
        _write_to(member, actor, again=True)
        _record(member, "member.written", actor)


def _lock(account_id: int) -> CustomerAccount:
    return CustomerAccount.objects.select_for_update(no_key=True).get(pk=account_id)


def _give_role(member: Member, role: str, actor: Actor) -> Member:
    if member.role == role:
        return member
    _keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    _record(member, "member.changed", actor)
    return member


def _keep_an_owner(member: Member) -> None:
    """Refuse to lose the last owner; the account's row is locked."""
    if member.role != Role.OWNER:
        return
    others = Member.objects.filter(account_id=member.account_id, role=Role.OWNER).exclude(pk=member.pk)
    if not others.exists():
        raise LastOwner


def _write_to(member: Member, actor: Actor, *, again: bool = False) -> None:
    """A link to choose a password for somebody without access, plain news for anybody else."""
    invitation_id = ensure_invitations(
        account_id=member.account_id, person_ids=[member.person_id], invited_by_id=actor.person_id
    ).get(member.person_id)
    if invitation_id is not None and again:
        try:
            invitation_id = renew_invitation(invitation_id=invitation_id).pk
        except InvitationClosed:
            # He came in at this very moment.
            invitation_id = None
    if invitation_id is None:
        queue(mails.member_added(member))
    else:
        queue(mails.member_invited(member, invitation_id=invitation_id))


def _record(member: Member, verb: str, actor: Actor) -> None:
    record(
        actor=actor,
        verb=verb,
        object=f"person:{member.person_id}",
        scope=f"account:{member.account_id}",
        why=member.role,
    )
