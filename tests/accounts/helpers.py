"""What tests about people and sign-in share."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from allauth.account.stages import LoginStage
from django.core import mail
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client

from accounts.models import CustomerAccount, Invitation, Member, Person
from common.models import AuditEntry, OutboxMail
from common.outbox import deliver_due
from tests.accounts.factories import OWN, PASSWORD


def browser(person: Person | None = None) -> Client:
    """A browser that prefers English, in which the person is signed in."""
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person)
    return client


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> int:
    """Sign in through the page; returns the status: 302 in (or on to a confirmation), 200 refused, 429 too often."""
    return client.post("/sign/login/", {"login": email, "password": password, **extra}).status_code


def who(client: Client) -> int | None:
    """The id of the person who is signed in here."""
    value = client.session.get("_auth_user_id")
    return int(value) if value else None


def letters(to: str) -> list[mail.EmailMessage | mail.EmailMultiAlternatives]:
    """Let what is queued leave; the mails to an address, oldest first."""
    deliver_due()
    return [message for message in mail.outbox if message.to == [to]]


def letter(to: str) -> str:
    """The text of the only mail that left to an address."""
    found = letters(to)
    assert len(found) == 1, [message.subject for message in found]
    return str(found[0].body)


def link(text: str, part: str) -> str:
    """The path (with its query) of the first link in a text whose address holds `part`."""
    for address in re.findall(r"https?://\S+", text):
        if part in address:
            split = urlsplit(address)
            return f"{split.path}?{split.query}" if split.query else split.path
    raise AssertionError(f"No link with {part} in:\n{text}")


def snapshot() -> list[object]:
    """Everything that these pages may change."""
    return [
        list(CustomerAccount.objects.order_by("pk").values()),
        list(Member.objects.order_by("pk").values()),
        list(Person.objects.order_by("pk").values_list("pk", "email")),
        list(Invitation.objects.order_by("pk").values()),
        list(OutboxMail.objects.order_by("pk").values("kind", "to")),
        list(AuditEntry.objects.order_by("pk").values("verb", "object")),
    ]


def use(token: str, client: Client | None = None, **changes: str):
    """Answer an invitation: choose the password OWN."""
    form = {"first_name": "Ben", "last_name": "Own", "password": OWN}
    return (client or browser()).post(f"/invitation/{token}/", form | changes)


def ask_for_code(client: Client, email: str, **extra: str):
    """Ask for a code on its page."""
    return client.post("/sign/code/", {"login": email, **extra})


def enter_code(client: Client, code: str, **extra: str):
    """Type the code into the page that takes it."""
    return client.post("/sign/code/confirm/", {"code": code, **extra})


def code_in(message: str | mail.EmailMessage) -> str:
    """The code that a mail carries, without its space."""
    text = message if isinstance(message, str) else str(message.body)
    found = re.findall(r"\b(\d{4})\u00a0(\d{4})\b", text)
    assert len(found) == 1, text
    return "".join(found[0])


def other_than(code: str) -> str:
    """Digits that are not this code."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


class FactorStage(LoginStage):  # type: ignore[misc]
    """Stands for the stage that asks for a second factor: nobody passes it."""

    key = "second_factor"

    def handle(self) -> tuple[HttpResponse, bool]:
        return HttpResponseRedirect("/second-factor/"), True
