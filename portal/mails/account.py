"""Mails about signing in and about teams. Links and temporary passwords are made here, while the mail is sent."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import mails
from accounts.links import (
    confirmation_link,
    on_this_site,
    password_link,
    sign_in_link,
    sign_up_link,
    with_next,
)
from accounts.models import Invitation, Member, Person, Role
from accounts.services import InvitationClosed, find_open_code, text_of_code
from accounts.services.codes import is_for
from catalog.selectors import get_shop
from common import outbox
from common.models import OutboxMail
from common.outbox import Letter, Undeliverable
from common.zone import format_instant
from portal.mails.letters import WayIn, letter, way_button, way_facts, way_in, who_invites, works_until


def register() -> None:
    """Say who renders the kinds of accounts."""
    outbox.register(mails.CONFIRM_EMAIL, render_confirm_email)
    outbox.register(mails.RESET, render_reset)
    outbox.register(mails.EXISTS, render_exists)
    outbox.register(mails.UNKNOWN, render_unknown)
    outbox.register(mails.SIGN_IN_CODE, render_sign_in_code)
    outbox.register(mails.PASSWORD_CHANGED, render_password_changed)
    outbox.register(mails.MEMBER_INVITED, render_member_invited)
    outbox.register(mails.MEMBER_ADDED, render_member_added)
    outbox.register(mails.INVITATION_RENEWED, render_invitation_renewed)


def render_confirm_email(mail: OutboxMail) -> Letter:
    """Somebody signed up: the link confirms the address."""
    address = EmailAddress.objects.filter(pk=mail.ids["address"]).first()
    if address is None or address.verified:
        raise Undeliverable("the address is confirmed, or gone")
    return letter(
        _("Confirm your address"),
        paragraphs=[
            _(
                "You have signed up at %(shop)s with this address. One step is missing: confirm that it is yours."
            )
            % {"shop": get_shop().name},
            _("The link works for 3 days."),
        ],
        button=(_("Confirm my address"), confirmation_link(address, str(mail.ids["next"]))),
        after=[_("You did not sign up? Then do nothing: without you nobody gets in with your address.")],
    )


def render_reset(mail: OutboxMail) -> Letter:
    """Somebody asked for a new password."""
    person = _person(mail)
    return letter(
        _("Choose a new password"),
        paragraphs=[
            _("A new password was asked for, for your user name %(email)s.") % {"email": person.email},
            _("The link works once, for 24 hours."),
        ],
        button=(_("Choose a password"), password_link(person, str(mail.ids["next"]))),
        after=[_("You did not ask for it? Then do nothing: your password stays as it is.")],
    )


def render_exists(mail: OutboxMail) -> Letter:
    """Somebody signed up with an address that is known: its owner needs no second login."""
    person = _person(mail)
    next_path = str(mail.ids["next"])
    choose = password_link(person, next_path)
    if person.possessed_at is None:
        return letter(
            _("Choose your password"),
            paragraphs=[
                _("Everything is ready for you at %(shop)s; only a password is missing.")
                % {"shop": get_shop().name},
                _("Your user name is %(email)s. The link works once, for 24 hours.")
                % {"email": person.email},
            ],
            button=(_("Choose a password"), choose),
            after=[_("You did not ask for this? Then do nothing.")],
        )
    if person.has_usable_password():
        how = _(
            "There is no need to sign up again at %(shop)s: you sign in with %(email)s and your password."
        )
        otherwise = _("If you no longer know your password, choose a new one here within 24 hours:")
    else:
        how = _(
            "There is no need to sign up again at %(shop)s: you sign in with %(email)s and a code that we mail."
        )
        otherwise = _("If you would rather have a password, choose one here within 24 hours:")
    return letter(
        _("You can sign in already"),
        paragraphs=[how % {"shop": get_shop().name, "email": person.email}],
        button=(_("Sign in"), sign_in_link(next_path)),
        after=[
            otherwise,
            choose,
            _("You did not ask for this? Then do nothing."),
        ],
    )


def render_unknown(mail: OutboxMail) -> Letter:
    """Somebody asked for a new password with an address that nobody signs in with."""
    return letter(
        _("Your request for a new password"),
        paragraphs=[
            _("A new password was asked for at %(shop)s, but nobody signs in there with %(email)s.")
            % {"shop": get_shop().name, "email": mail.to},
            _("Perhaps you are known by another of your addresses; otherwise you can sign up."),
        ],
        button=(_("Sign up"), sign_up_link()),
        after=[_("You did not ask for this? Then do nothing.")],
    )


def render_sign_in_code(mail: OutboxMail) -> Letter:
    """Somebody asked for a code to sign in; or for one with an address that nobody signs in with."""
    code = find_open_code(int(mail.ids["code"]))
    if code is None:
        raise Undeliverable("the code has ended, or a newer one has replaced it")
    if code.person is None:
        return letter(
            _("Your request for a code"),
            paragraphs=[
                _("A code to sign in was asked for at %(shop)s, but nobody signs in there with %(email)s.")
                % {"shop": get_shop().name, "email": mail.to},
                _("Perhaps you are known by another of your addresses; otherwise you can sign up."),
            ],
            button=(_("Sign up"), sign_up_link()),
            after=[_("You did not ask for this? Then do nothing.")],
        )
    if not is_for(code, code.person):
        raise Undeliverable("the person is gone")
    digits = text_of_code(code)
    half = len(digits) // 2
    # A no-break space: the end of a line may not tear the code apart.
    facts = [(_("Your code"), f"{digits[:half]}\u00a0{digits[half:]}")]
    page = with_next(reverse("account_confirm_login_code"), str(mail.ids["next"]))
    return letter(
        _("Your code to sign in"),
        paragraphs=[
            _("A code was asked for to sign in at %(shop)s as %(email)s.")
            % {"shop": get_shop().name, "email": code.person.email},
            _("Type it into the page where you asked for it. It works once, until %(instant)s.")
            % {"instant": format_instant(code.expires_at)},
        ],
        facts=facts,
        button=(_("Back to that page"), on_this_site(page)),
        after=[_("You did not ask for it? Then do nothing, and give it to nobody: we never ask for it.")],
    )


def render_password_changed(mail: OutboxMail) -> Letter:
    """News for the owner of a login whose password was changed."""
    person = _person(mail)
    return letter(
        _("Your password was changed"),
        paragraphs=[
            _("The password of %(email)s at %(shop)s was changed. If it was you, all is well.")
            % {"email": person.email, "shop": get_shop().name}
        ],
        button=(_("It was not me: choose another password"), on_this_site(reverse("account_reset_password"))),
    )


def render_member_invited(mail: OutboxMail) -> Letter:
    """A new member of a team who has no password yet."""
    member = _member(mail)
    try:
        way = way_in(invitation_id=int(mail.ids["invitation"]))
    except InvitationClosed:
        return _member_added(member)
    invitation = Invitation.objects.select_related("invited_by", "account").get(pk=mail.ids["invitation"])
    return letter(
        _subject(member),
        who=who_invites(invitation),
        paragraphs=[_role_words(member), _password_words(way)],
        facts=way_facts(way),
        button=(way_button(way), way.url),
        after=[works_until(way)],
    )


def render_member_added(mail: OutboxMail) -> Letter:
    """A new member of a team who signs in already."""
    return _member_added(_member(mail))


def _member_added(member: Member) -> Letter:
    return letter(
        _subject(member),
        paragraphs=[
            _role_words(member),
            _("You sign in as usual, as %(email)s.") % {"email": member.person.email},
        ],
        button=(_("Sign in"), sign_in_link()),
    )


def render_invitation_renewed(mail: OutboxMail) -> Letter:
    """A new link, or a new temporary password, for somebody who asked for it."""
    invitation = (
        Invitation.objects.select_related("person", "invited_by", "account")
        .filter(pk=mail.ids["invitation"])
        .first()
    )
    if invitation is None:
        raise Undeliverable("the invitation is gone")
    try:
        way = way_in(invitation_id=invitation.pk)
    except InvitationClosed as closed:
        raise Undeliverable("the invitation is closed") from closed
    return letter(
        _("Your new way in"),
        who=who_invites(invitation),
        paragraphs=[_password_words(way)],
        facts=way_facts(way),
        button=(way_button(way), way.url),
        after=[works_until(way), _("Earlier mails of this invitation no longer work.")],
    )


def _person(mail: OutboxMail) -> Person:
    person = Person.objects.filter(pk=mail.ids["person"], is_active=True).first()
    if person is None:
        raise Undeliverable("the person is gone")
    return person


def _member(mail: OutboxMail) -> Member:
    member = Member.objects.select_related("person", "account").filter(pk=mail.ids["member"]).first()
    if member is None:
        raise Undeliverable("the membership has ended")
    return member


def _subject(member: Member) -> str:
    return _("You are in the team of %(organisation)s") % {"organisation": member.account.name}


def _role_words(member: Member) -> str:
    names = {"organisation": member.account.name, "shop": get_shop().name}
    words = {
        Role.OWNER: _(
            "You now act for %(organisation)s at %(shop)s, as an owner: orders, seats and the team."
        ),
        Role.BUYER: _("You now buy for %(organisation)s at %(shop)s: the shop, orders and their documents."),
        Role.MANAGER: _("You now give the seats of %(organisation)s at %(shop)s to people."),
        Role.VIEWER: _("You now see the seats and people of %(organisation)s at %(shop)s."),
    }
    return words[Role(member.role)] % names


def _password_words(way: WayIn) -> str:
    if way.password:
        return _("Sign in with this user name and this temporary password; you then choose your own.")
    if way.login and not way.login.is_ours:
        return _("Follow the link, and you are in.")
    return _("Choose your password through the link, and you are in.")
