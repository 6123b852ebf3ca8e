"""Codes to sign in, mailed and used once: the way in without a password."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import mails
from accounts.models import Person, SignInCode
from accounts.services.addresses import verify_address
from accounts.services.people import find_person
from common.emailkey import clean_email, email_key
from common.outbox import queue

CODE_DIGITS = 8
CODE_LIFE = timedelta(minutes=15)
KEPT = timedelta(hours=1)  # after its end, before a row is deleted


class WrongCode(Exception):
    """These are not the digits of the code."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left)
        self.tries_left = tries_left


class CodeClosed(Exception):
    """The code is used, replaced or expired, or was tried too often."""


def open_codes() -> QuerySet[SignInCode]:
    """Codes that may still be used now."""
    return SignInCode.objects.filter(
        used_at=None, expires_at__gt=timezone.now(), tries__lt=SignInCode.MOST_TRIES
    )


@transaction.atomic
def ask_for_code(*, email: str, next_path: str = "", replaces: int | None = None) -> SignInCode:
    """Queue a mail with a code that works for CODE_LIFE; the code itself is made while the mail is sent.

    `email` must have been checked; `next_path` is the page to go to afterwards; `replaces` is the code that this browser
    had asked for before, which dies. An unknown address, and that of a closed login, gets a mail that says that nobody
    signs in with it: the same statements, the same answer.
    """
    now = timezone.now()
    person = find_person(email)
    if person is not None and not person.is_active:
        person = None
    # Also those that ended long ago, whoever asked for them: an address is not kept for nothing.
    SignInCode.objects.filter(Q(pk=replaces) | Q(expires_at__lt=now - KEPT)).delete()
    code = SignInCode.objects.create(
        person=person, email_key=email_key(email), created_at=now, expires_at=now + CODE_LIFE
    )
    to = clean_email(email) if person is None else person.email
    queue(mails.sign_in_code(code, to=to, next_path=next_path))
    return code


def find_open_code(code_id: int) -> SignInCode | None:
    """The code of a mail that is being sent, with its person, unless it has ended or was replaced meanwhile."""
    return open_codes().select_related("person").filter(pk=code_id).first()


def code_is_open(code_id: int) -> bool:
    """Whether a code may still be used, for a known and an unknown address alike."""
    return open_codes().filter(pk=code_id).exists()


def text_of_code(code: SignInCode) -> str:
    """The digits, derived from the secret key and the row: a mail sent twice carries the same ones."""
    value = f"{code.pk}:{code.person_id}:{code.email_key}:{code.created_at.timestamp()}"
    digest = salted_hmac("accounts.sign_in_code", value, algorithm="sha256").digest()
    return str(int.from_bytes(digest, "big") % 10**CODE_DIGITS).zfill(CODE_DIGITS)


def is_for(code: SignInCode, person: Person | None) -> bool:
    """Whether a code lets this person in: his login is open, and the mail went to the address he still has."""
    return person is not None and person.is_active and person.email_key == code.email_key


def use_code(*, code_id: int, digits: str, knows_password_of: int | None = None) -> Person:
    """Use up a code: the person whose mailbox received it, whose address is verified thereby.

    Each call is one try, counted before anything is compared, so that many at the same moment are no more than
    MOST_TRIES; of two right ones at the same moment exactly one succeeds. `knows_password_of` is the person whose
    password was typed in this very browser while his address was not confirmed yet. Raises WrongCode while tries are
    left, CodeClosed otherwise: for an unknown address as for a known one.
    """
    with transaction.atomic():
        if not open_codes().filter(pk=code_id).update(tries=F("tries") + 1):
            raise CodeClosed
        code = SignInCode.objects.select_related("person").get(pk=code_id)
        person = code.person
        right = constant_time_compare(digits, text_of_code(code))
        if right and person is not None and is_for(code, person):
            SignInCode.objects.filter(pk=code_id).update(used_at=timezone.now())
            if person.pk != knows_password_of:
                _forget_unproven_password(person)
            verify_address(person)
            return person
    # Raised outside: the try that was counted stays counted.
    left = SignInCode.MOST_TRIES - code.tries
    if left <= 0:
        raise CodeClosed
    raise WrongCode(left)


def _forget_unproven_password(person: Person) -> None:
    """Whoever signed up with somebody else's address gains nothing when its owner comes in with a code.

    The password of a sign-up that was never confirmed may be anybody's. That of somebody who has been in before is
    his own, one mailed or given by staff likewise.
    """
    if person.possessed_at or person.is_staff or person.must_change_password:
        return
    waiting = EmailAddress.objects.filter(user=person, email=person.email_key, verified=False)
    if person.has_usable_password() and waiting.exists():
        person.set_unusable_password()
        person.save(update_fields=["password"])
