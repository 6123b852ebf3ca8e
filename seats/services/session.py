"""Putting the people named at the purchase into their course: seats, enrolments, one group; 500 people at a time.

As with lists, a local platform is told within the transaction that gives the seats. A remote one is told between two
transactions, and nobody hears of it before everybody is in: first all seats are reserved, then the platform is told,
then all is confirmed. What it refuses for good is undone as a whole, so that nothing half-made remains. Whoever takes
the work over goes on from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Person
from accounts.services import NewPerson, ensure_people
from common.cutting import cut
from common.emailkey import email_key
from courses.platform import (
    OK,
    CoursePlatform,
    EnrolmentRow,
    Outcome,
    OutcomeState,
    PlatformAway,
    Refusal,
)
from courses.platforms import get_platform
from delegation.services import Delegated, delegate
from seats.models import Assignment, AssignmentRow, Verdict
from seats.selectors.sessions import other_customers_groups
from seats.services.apply import PART, NotTold
from seats.services.confirming import confirm, dismiss, reserved, settle
from seats.services.judging import Found, Judged, Row, judge, look, open_rows, seated_until
from seats.services.locking import lock_account, touch_account
from seats.services.reserving import reserve
from seats.services.sessionrows import (
    Line,
    NewSeats,
    SessionOrder,
    find_line,
    finish,
    has_begun,
    joining,
    make_line,
    others_in_group,
    remove_line,
    verdicts,
)
from seats.services.telling import FOUND_ENROLLED, let_oversee, tell, untell

CHUNK = 500  # people per transaction
Rows = Sequence[Row]
Joining = Sequence[tuple[AssignmentRow, int]]


class SessionRefused(Exception):
    """The platform refuses somebody, for good; `code` says why. Nothing half-made remains."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SessionDone:
    """What a line has given; asked again it is the same.

    `enrolled` people have a seat, `created` of them a login made for it; `already` were enrolled before, and their
    seats are free. `tutor`: the buyer tutors without a seat. `shared` people are in groups of other customers as well,
    which are named in `shared_groups`.
    """

    reference: str
    seats: int
    enrolled: int
    created: int
    already: int
    tutor: bool
    shared: int
    shared_groups: tuple[str, ...]


def set_up_session(order: SessionOrder, *, heartbeat: Callable[[], None] | None = None) -> SessionDone:
    """Give everybody named his seat; may be repeated, also after a crash at any statement.

    Logins are made where needed; whoever is enrolled already joins the group, keeps his dates, and his seat is free
    for somebody else in this course. Calls `heartbeat` in each transaction. Raises ValueError when the line is known
    with another account or number of people, SessionRefused, and NotTold (an OSError) when the platform is away or
    left somebody unanswered: the next call does what is missing.
    """
    work = _Work(order, heartbeat)
    try:
        if work.platform.is_remote:
            line = work.remotely()
        else:
            line = work.here()
    except PlatformAway as error:
        raise NotTold(str(error)) from error
    return _told(work, line)


class _Work:
    """One attempt at a line."""

    def __init__(self, order: SessionOrder, heartbeat: Callable[[], None] | None) -> None:
        self.order = order
        self.platform: CoursePlatform = get_platform()
        self.verdicts: dict[str, int] = {}  # known when the work is done
        self._heartbeat = heartbeat
        buyer = Person.objects.filter(pk=order.buyer_id or 0).values_list("email_key", "language").first()
        self._buyer_key, self._language = buyer or ("", "")

    # --- a local platform ---------------------------------------------------------------------------

    def here(self) -> Line:
        is_last = False
        line: Line | None = None
        while not is_last:
            with transaction.atomic():
                self._hold()
                line = line or self._line()
                is_last = line.is_done or self._next_here(line)
        assert line is not None  # noqa: S101 - the loop ran
        return line

    def _next_here(self, line: Line) -> bool:
        """The next people, all or none of them; returns whether they were the last."""
        rows, is_last = _next(line)
        judged, seated = self._reserve(line, rows, self._look(rows))
        _check(tell(self.platform, seated))
        confirm(seated, [OK] * len(seated), by=self.order.buyer_id, now=timezone.now())
        already = _already(judged)
        _check(self._join(already))
        self._delegate(already)
        settle(judged)
        if is_last:
            self._enrol_buyer()
            self.verdicts = finish(line)
        touch_account(self.order.account_id)
        return is_last

    # --- a remote one -------------------------------------------------------------------------------

    def remotely(self) -> Line:
        with transaction.atomic():
            self._hold()
            line = self._line()
        if line.is_done:
            return line
        self._reserve_all(line)
        waiting = reserved(line.batch)
        already = joining(line.batch)
        try:
            self._tell_all(line, waiting, already)
        except SessionRefused:
            self._undo(line, waiting, already)
            raise
        for part in cut(waiting, CHUNK):
            with transaction.atomic():
                self._hold()
                confirm(part, [OK] * len(part), by=self.order.buyer_id, now=timezone.now())
                touch_account(self.order.account_id)
        with transaction.atomic():
            self._hold()
            self._delegate(already)
            self.verdicts = finish(line)
            touch_account(self.order.account_id)
        return line

    def _reserve_all(self, line: Line) -> None:
        is_last = False
        while not is_last:
            rows, is_last = _next(line)
            found = self._look(rows)
            with transaction.atomic():
                # Rows are read by whoever holds the run, so they are still right if he still holds it.
                self._hold()
                judged, _seated = self._reserve(line, rows, found)
                self._take_in(judged)
                settle(judged)
                touch_account(self.order.account_id)

    def _tell_all(self, line: Line, waiting: Sequence[Assignment], already: Joining) -> None:
        for part in cut(waiting, PART):
            self._beat()
            outcomes = tell(self.platform, part)
            if FOUND_ENROLLED in outcomes:
                self._dismiss(part, outcomes)
                raise NotTold("Somebody was enrolled already under another spelling of his address.")
            _check(outcomes)
            let_oversee(self.platform, part, outcomes, by=self.order.buyer_id)
        self._beat()
        if already:
            _check(self.platform.ensure_logins([person_id for _row, person_id in already]))
        outcomes = self._join(already)
        gone = [
            row.pk
            for (row, _person), outcome in zip(already, outcomes, strict=True)
            if outcome.code == Refusal.NOT_ENROLLED
        ]
        if gone:
            # Enrolled when we asked, or about to be by somebody else, and not now: judged anew at the next attempt.
            line.batch.rows.filter(pk__in=gone).update(verdict="", outcome="", detail={})
            raise NotTold("Somebody who was enrolled already is so no longer.")
        _check(outcomes)
        self._enrol_buyer()

    def _dismiss(self, part: Sequence[Assignment], outcomes: Sequence[Outcome]) -> None:
        """Their seats are free again; at the next attempt they join the group as others who were enrolled before."""
        with transaction.atomic():
            self._hold()
            dismiss(part, outcomes)
            touch_account(self.order.account_id)

    def _undo(self, line: Line, waiting: Sequence[Assignment], already: Joining) -> None:
        """As if nothing had been tried, unless somebody knows already that he is in: then the rest waits for repair."""
        if has_begun(line):
            return
        self._beat()
        untell(self.platform, waiting)
        staying = others_in_group(self.order, [person_id for _row, person_id in already], line)
        self.platform.remove_group_members(
            [self.order.in_group(person_id) for _row, person_id in already if person_id not in staying]
        )
        with transaction.atomic():
            self._hold()
            if not has_begun(line):
                remove_line(line)
            touch_account(self.order.account_id)

    # --- steps of both ------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Begin a transaction: the account is locked, and the run is still ours. Raises LeaseLost."""
        lock_account(self.order.account_id)
        self._beat()

    def _beat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat()

    def _line(self) -> Line:
        return find_line(self.order) or make_line(self.order, language=self._language)

    def _look(self, rows: Rows) -> Found:
        return look(self.platform, self.order.course.pk, rows, now=timezone.now())

    def _take_in(self, judged: Iterable[Judged]) -> None:
        """Make rows of people who are enrolled on a remote platform and were none of ours."""
        unknown = [one for one in judged if one.verdict == Verdict.ALREADY_ENROLLED and one.person_id is None]
        if unknown:
            language = self._language or settings.LANGUAGE_CODE
            ensure_people(
                [NewPerson(one.row.email, one.row.first_name, one.row.last_name, language) for one in unknown]
            )

    def _reserve(self, line: Line, rows: Rows, found: Found) -> tuple[list[Judged], list[Assignment]]:
        now = timezone.now()
        judged = judge(rows, None, found, seated=seated_until(self.order.course.pk, _known(rows), now=now))
        state = Assignment.State.RESERVED if self.platform.is_remote else Assignment.State.LIVE
        seated = reserve(
            line.batch,
            judged,
            NewSeats(line.pool, judged),
            state=state,
            actor=self.order.actor,
            now=now,
            starts_at=self.order.starts_at,
        )
        return judged, seated

    def _join(self, already: Joining) -> list[Outcome]:
        """Put people who were enrolled before into the group of the order."""
        if not already:
            return []
        return self.platform.ensure_group_members(
            [self.order.in_group(person_id) for _row, person_id in already]
        )

    def _delegate(self, already: Joining) -> None:
        if already:
            delegate(
                account_id=self.order.account_id,
                entries=[
                    Delegated(person_id, False, row.email, row.first_name, row.last_name)
                    for row, person_id in already
                ],
            )

    @property
    def buyer_to_tutor(self) -> int | None:
        """The buyer, if he is to tutor without a seat; whoever is named has one."""
        named = {email_key(person.email) for person in self.order.people}
        return self.order.buyer_id if self.order.buyer_tutors and self._buyer_key not in named else None

    def _enrol_buyer(self) -> None:
        """An enrolment that he has stays as it is."""
        buyer_id = self.buyer_to_tutor
        if buyer_id is None:
            return
        order, platform = self.order, self.platform
        _check(platform.ensure_logins([buyer_id]))
        if platform.active_enrolments([(order.course.pk, buyer_id)]) == [None]:
            row = EnrolmentRow(order.course.pk, buyer_id, order.supervisor, order.starts_at, order.ends_at)
            _check(platform.ensure_enrolments([row]))
        _check(platform.ensure_group_members([order.in_group(buyer_id)]))


def _next(line: Line) -> tuple[Rows, bool]:
    """The next rows without a seat and without an outcome, and whether there are no more after them."""
    rows = open_rows(line.batch, limit=CHUNK + 1, unseated=True)
    return rows[:CHUNK], len(rows) <= CHUNK


def _known(rows: Rows) -> list[int]:
    return [person_id for _row, person_id in rows if person_id is not None]


def _already(judged: Iterable[Judged]) -> Joining:
    return [
        (one.row, one.person_id)
        for one in judged
        if one.verdict == Verdict.ALREADY_ENROLLED and one.person_id is not None
    ]


def _check(outcomes: Iterable[Outcome]) -> None:
    """Raises SessionRefused for the first refusal, NotTold when somebody was left unanswered."""
    told = list(outcomes)
    for outcome in told:
        if outcome.state is OutcomeState.REFUSED:
            raise SessionRefused(outcome.code)
    if any(not outcome.ok for outcome in told):
        raise NotTold("The platform left some people unanswered.")


def _told(work: _Work, line: Line) -> SessionDone:
    numbers = work.verdicts or verdicts(line)
    created = numbers.get(Verdict.NEW_ACCOUNT, 0)
    # Nobody else can have put new people anywhere.
    shared = other_customers_groups(line.batch) if created < line.pool.size else set()
    return SessionDone(
        reference=line.session,
        seats=line.pool.size,
        enrolled=created + numbers.get(Verdict.EXISTING_ACCOUNT, 0),
        created=created,
        already=numbers.get(Verdict.ALREADY_ENROLLED, 0),
        tutor=work.buyer_to_tutor is not None,
        shared=len({person_id for person_id, _group in shared}),
        shared_groups=tuple(sorted({group for _person_id, group in shared})),
    )
