"""Confirming what was reserved: assignments, delegations, invitations, mails and rows, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from accounts.services import ensure_invitations
from common import outbox
from common.audit import SYSTEM
from common.outbox import Draft
from courses.platform import Outcome, OutcomeState
from courses.platforms import get_platform
from delegation.services import Delegated, delegate
from seats.models import Assignment, AssignmentBatch, AssignmentRow, Verdict
from seats.services.judging import Judged
from seats.services.telling import FOUND_ENROLLED, found_there, note_found

Outcomes = AssignmentRow.Outcome
OUTCOME_OF = {
    Verdict.ALREADY_ENROLLED: Outcomes.UNCHANGED,
    Verdict.DUPLICATE: Outcomes.UNCHANGED,
    Verdict.INVALID: Outcomes.REFUSED,
    Verdict.NO_SEAT: Outcomes.REFUSED,
    Verdict.NOT_ALLOWED: Outcomes.REFUSED,
}


def reserved(batch: AssignmentBatch) -> list[Assignment]:
    """What an earlier attempt has reserved for rows of this list and not confirmed, in the order of the list."""
    waiting = Assignment.objects.filter(row__batch=batch, state=Assignment.State.RESERVED)
    return list(waiting.select_related("person", "row").order_by("row__position"))


def confirm(
    assignments: Sequence[Assignment], outcomes: Sequence[Outcome], *, by: int | None, now: datetime
) -> None:
    """Write what the platform has answered: live, given back, or still to be asked. `by` is the person who invites.

    Everybody who is in gets his mail: the invitation if nobody has taken possession of the login, else the news.
    """
    told = {
        state: [one for one, outcome in zip(assignments, outcomes, strict=True) if outcome.state is state]
        for state in OutcomeState
    }
    live, refused = told[OutcomeState.OK], told[OutcomeState.REFUSED]
    reasons = {one.pk: outcome.code for one, outcome in zip(assignments, outcomes, strict=True)}
    held = [one.pk for one in live if one.state == Assignment.State.RESERVED]
    if held:
        Assignment.objects.filter(pk__in=held, state=Assignment.State.RESERVED).update(
            state=Assignment.State.LIVE
        )
    if live:
        welcome(live, by=by)
    if refused:
        Assignment.objects.filter(pk__in=[one.pk for one in refused], ended_at=None).update(
            state=Assignment.State.ENDED,
            ended_at=now,
            ended_by=SYSTEM.label,
            end_reason=Assignment.EndReason.FAILED,
        )
    rows = {
        Outcomes.ASSIGNED: live,
        Outcomes.FAILED: refused,
        Outcomes.PENDING: told[OutcomeState.UNKNOWN],
    }
    _write_rows(
        (
            one.row,
            Verdict.NEW_ACCOUNT if one.created_login else Verdict.EXISTING_ACCOUNT,
            outcome,
            {"reason": reasons[one.pk]} if outcome is Outcomes.FAILED else {},
        )
        for outcome, group in rows.items()
        for one in group
        if one.row is not None
    )


def dismiss(assignments: Sequence[Assignment], outcomes: Sequence[Outcome]) -> list[Assignment]:
    """Drop what was reserved for people who turned out to be enrolled already; returns the others.

    Nobody has heard of it yet. Their rows are open again, and are judged knowing their logins. Under the account's
    lock.
    """
    found = [one for one, outcome in zip(assignments, outcomes, strict=True) if outcome == FOUND_ENROLLED]
    if found:
        AssignmentRow.objects.filter(pk__in=[one.row_id for one in found]).update(
            verdict="", outcome="", detail={}
        )
        Assignment.objects.filter(pk__in=[one.pk for one in found], state=Assignment.State.RESERVED).delete()
    return [one for one in assignments if one not in found]


def settle(judged: Iterable[Judged]) -> None:
    """Write the rows that use no seat."""
    _write_rows(
        (one.row, one.verdict, OUTCOME_OF[one.verdict], one.detail)
        for one in judged
        if one.verdict in OUTCOME_OF
    )


def welcome(assignments: Sequence[Assignment], *, by: int | None) -> None:
    """Delegate these people to their account and queue the mail of each; all of one account.

    Whoever is staff is neither delegated nor invited: he gets the news like anybody who has a login, and so does
    whoever had one on a remote platform before.
    """
    [account_id] = {one.account_id for one in assignments}
    if get_platform().is_remote:
        _note_found(assignments)
    delegate(
        account_id=account_id,
        entries=[
            Delegated(one.holder_id, one.created_login, one.email, one.first_name, one.last_name)
            for one in assignments
        ],
    )
    invitations = invite(assignments, by=by)
    outbox.queue_many(
        letter(one, invitations.get(one.holder_id), event=f"assignment:{one.pk}:given") for one in assignments
    )


def _note_found(assignments: Sequence[Assignment]) -> None:
    mistaken = [one for one in assignments if one.created_login]
    known = found_there([one.holder_id for one in mistaken]) if mistaken else set()
    if known:
        note_found(one for one in mistaken if one.holder_id in known)


def invite(assignments: Sequence[Assignment], *, by: int | None) -> dict[int, int]:
    """Invite those of the people who have no login that they use, all of one account: `person id → invitation id`."""
    newcomers = [
        one.holder_id for one in assignments if one.person is not None and one.person.possessed_at is None
    ]
    if newcomers and get_platform().is_remote:
        known = found_there(newcomers)
        newcomers = [person_id for person_id in newcomers if person_id not in known]
    if not newcomers:
        return {}
    return ensure_invitations(account_id=assignments[0].account_id, person_ids=newcomers, invited_by_id=by)


def letter(assignment: Assignment, invitation_id: int | None, *, event: str) -> Draft:
    """The mail to whoever got a seat: an invitation, or the news that he is enrolled."""
    person = assignment.person
    ids: dict[str, int | str] = {"assignment": assignment.pk}
    if invitation_id is not None:
        ids["invitation"] = invitation_id
    return Draft(
        kind="enrolled" if invitation_id is None else "invitation",
        to=person.email if person else assignment.email,
        event_key=event,
        ids=ids,
        language=person.language if person else "fr",
    )


def _write_rows(
    written: Iterable[tuple[AssignmentRow, Verdict, AssignmentRow.Outcome, dict[str, object]]],
) -> None:
    """A statement for each kind of ending, and one for all that is to be explained; not one for each row."""
    endings: dict[tuple[Verdict, AssignmentRow.Outcome], list[int]] = {}
    explained: list[AssignmentRow] = []
    for row, verdict, outcome, detail in written:
        endings.setdefault((verdict, outcome), []).append(row.pk)
        if row.detail != detail:
            row.detail = detail
            explained.append(row)
    for (verdict, outcome), pks in endings.items():
        AssignmentRow.objects.filter(pk__in=pks).update(verdict=verdict, outcome=outcome)
    if explained:
        AssignmentRow.objects.bulk_update(explained, ["detail"])
