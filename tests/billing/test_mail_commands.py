"""`retrymail`, `cancelmail`, `retryjobs`, and what `status` says of what was given up."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from common import jobs, outbox
from common.models import AuditEntry, Job, OutboxMail
from common.outbox import Draft, Letter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rendered(monkeypatch):
    monkeypatch.setitem(outbox._renderers, "hello", lambda row: Letter("Hello", "Hello."))


def queued(to: str, state: str = "queued", attempt: int = 0) -> OutboxMail:
    outbox.queue(Draft("hello", to, f"{to}:{state}"))
    OutboxMail.objects.filter(event_key=f"{to}:{state}").update(state=state, attempt=attempt)
    return OutboxMail.objects.get(event_key=f"{to}:{state}")


def printed(command: str, *arguments: str) -> Any:
    out = StringIO()
    call_command(command, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def states() -> dict[str, str]:
    return dict(OutboxMail.objects.values_list("event_key", "state"))


def test_mails_that_were_given_up_are_sent_again():
    queued("ada@a.example", "failed", outbox.MAX_ATTEMPTS)
    queued("bob@a.example", "cancelled")
    assert printed("retrymail") == {"queued": 1, "sent": 1}
    assert states() == {"ada@a.example:failed": "sent", "bob@a.example:cancelled": "cancelled"}
    assert [letter.to for letter in mail.outbox] == [["ada@a.example"]]
    assert AuditEntry.objects.get().verb == "mail.retried"
    assert printed("retrymail") == {"queued": 0, "sent": 0}
    assert AuditEntry.objects.count() == 1


def test_one_more_attempt_that_fails_gives_it_up_again(monkeypatch):
    def refuse(row: OutboxMail) -> Letter:
        raise ConnectionRefusedError

    monkeypatch.setitem(outbox._renderers, "hello", refuse)
    queued("ada@a.example", "failed", outbox.MAX_ATTEMPTS)
    assert printed("retrymail") == {"queued": 1, "sent": 0}
    row = OutboxMail.objects.get()
    assert (row.state, row.attempt, row.last_error) == (
        "failed",
        outbox.MAX_ATTEMPTS + 1,
        "ConnectionRefusedError",
    )


def test_only_those_to_one_address_are_sent_again():
    queued("ada@a.example", "failed", outbox.MAX_ATTEMPTS)
    queued("bob@a.example", "failed", outbox.MAX_ATTEMPTS)
    assert printed("retrymail", "--to", "ADA@a.example") == {"queued": 1, "sent": 1}
    assert states() == {"ada@a.example:failed": "sent", "bob@a.example:failed": "failed"}


def test_with_hold_nothing_leaves_and_what_waits_can_be_cancelled(settings):
    settings.SHOPSEATS_MAIL = "hold"
    queued("ada@a.example", "failed", outbox.MAX_ATTEMPTS)
    queued("bob@a.example")
    queued("eve@a.example", "sent")
    assert printed("retrymail") == {"queued": 1, "sent": 0}
    assert printed("sweep")["mails"] == 0
    assert printed("cancelmail", "--all") == {"cancelled": 2}
    settings.SHOPSEATS_MAIL = "send"
    assert printed("sweep")["mails"] == 0
    assert mail.outbox == []
    assert states() == {
        "ada@a.example:failed": "cancelled",
        "bob@a.example:queued": "cancelled",
        "eve@a.example:sent": "sent",
    }


def test_mails_to_one_address_can_be_cancelled():
    queued("ada@a.example", "failed", outbox.MAX_ATTEMPTS)
    queued("bob@a.example", "failed", outbox.MAX_ATTEMPTS)
    assert printed("cancelmail", "--to", "ada@A.example") == {"cancelled": 1}
    assert states() == {"ada@a.example:failed": "cancelled", "bob@a.example:failed": "failed"}


@pytest.mark.parametrize("arguments", [[], ["--to", " "], ["--to", "ada@a.example", "--all"]])
def test_cancelling_needs_one_address_or_all(arguments):
    queued("ada@a.example", "failed")
    with pytest.raises(CommandError):
        call_command("cancelmail", *arguments)
    assert states() == {"ada@a.example:failed": "failed"}


def test_status_tells_of_mails_that_were_given_up():
    queued("ada@a.example", "failed", outbox.MAX_ATTEMPTS)
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("status", stdout=out)
    assert caught.value.returncode == 1
    assert out.getvalue() == "1 mails were given up: retrymail sends them again\n"


def test_jobs_that_were_given_up_go_on(monkeypatch):
    seen = []
    monkeypatch.setitem(jobs._runners, "hello", lambda number, progress: seen.append(number))
    Job.objects.create(kind="hello", object_id=7, state="failed", attempt=jobs.MAX_ATTEMPTS)
    Job.objects.create(kind="hello", object_id=8, state="done")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("status", stdout=out)
    assert out.getvalue() == "1 jobs were given up: retryjobs goes on with them\n"
    assert printed("retryjobs") == {"queued": 1, "done": 1}
    assert seen == [7]
    assert list(Job.objects.order_by("object_id").values_list("state", "attempt")) == [
        ("done", jobs.MAX_ATTEMPTS + 1),
        ("done", 0),
    ]
    assert AuditEntry.objects.get().verb == "job.retried"
    assert printed("retryjobs") == {"queued": 0, "done": 0}
