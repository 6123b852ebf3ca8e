"""People of a course space: put in by the organisation that owns it, taken out, let in again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Member, Person
from accounts.services import NewPerson, ensure_invitations, ensure_people
from common import audit, outbox
from common.audit import Actor
from common.emailkey import email_key
from common.listing import PersonEntry
from common.outbox import Draft
from courses.builtin.places import learners_of
from courses.builtin.roles import LEARNERS
from courses.models import Course, CourseSpace, Enrolment
from courses.platform import EnrolmentRow, Refusal
from courses.platforms import get_platform
from delegation.models import Delegation
from delegation.refusals import Refused
from delegation.services import Delegated, accept, delegate
from seats.services.locking import lock_account

ROLE_OF = {"learner": "student", "tutor": "teacher"}


@dataclass(frozen=True, slots=True)
class PutIn:
    """How many came in, and how many were in the course already."""

    put: int
    already: int


@dataclass(slots=True)
class _Entry:
    email: str
    first_name: str
    last_name: str
    role: str
    person_id: int | None = None
    created: bool = False

    @property
    def id(self) -> int:
        assert self.person_id is not None  # noqa: S101 - everybody has a login by now
        return self.person_id


def put_into_space(
    *,
    space_id: int,
    entries: Sequence[PersonEntry] = (),
    person_ids: Collection[int] = (),
    actor: Actor,
    language: str,
) -> PutIn:
    """Put people into a course space: those of a list (every row without a problem), and people the account answers for.

    All of them or nobody. Logins are made where needed, everybody new in the course is delegated to the account, and
    gets an invitation, or the news if he signs in already. Who is in the course keeps everything he has there.
    Raises Refused: `over` unless the space is open, `full` when there are fewer places than learners, `remote` when
    courses do not live here.
    """
    if get_platform().is_remote:
        raise Refused("remote", _("On this course platform people are put into the course by its own pages."))
    now = timezone.now()
    with transaction.atomic():
        space = _lock(space_id)
        if not space.lasts(now=now) or space.closed_at is not None:
            raise Refused("over", _("This course space is not open: nobody was put into it."))
        people = _people(space, entries, person_ids)
        pairs = [(space.course_id, one.person_id) for one in people if one.person_id is not None]
        told = get_platform().active_enrolments(pairs, now=now)
        inside = {found.person_id for found in told if found is not None}
        going = [one for one in people if one.person_id not in inside]
        _check_places(space, going, now=now)
        _make_logins(going, language)
        _enrol(space, going, now=now)
        _welcome(space, going, actor=actor, now=now)
        audit.record(
            actor=actor,
            verb="space.people",
            object=f"space:{space.reference}",
            scope=f"account:{space.account_id}",
            counts={"put": len(going), "already": len(people) - len(going)},
        )
    return PutIn(len(going), len(people) - len(going))


def take_out(*, space_id: int, person_id: int, actor: Actor) -> bool:
    """Suspend somebody in a course space: what he did there stays. Returns whether he was in.

    Raises Refused (`owner`): the owner of the course stays.
    """
    with transaction.atomic():
        space = _lock(space_id)
        inside = Enrolment.objects.filter(
            course=space.course_id, person=person_id, status=Enrolment.Status.ACTIVE
        )
        if not inside.exists():
            return False
        if person_id == space.owner_id:
            raise Refused("owner", _("The owner of the course cannot be taken out of it."))
        get_platform().end_enrolments([(space.course_id, person_id)])
        _record(space, person_id, "space.take_out", actor)
    return True


def let_in_again(*, space_id: int, person_id: int, actor: Actor) -> bool:
    """Take back that somebody was taken out; returns whether he was out. Raises Refused (`full`)."""
    with transaction.atomic():
        space = _lock(space_id)
        row = Enrolment.objects.filter(
            course=space.course_id, person=person_id, status=Enrolment.Status.SUSPENDED
        ).first()
        if row is None:
            return False
        wanted = EnrolmentRow(space.course_id, person_id, row.role, row.starts_at, row.ends_at)
        [outcome] = get_platform().ensure_enrolments([wanted])
        if not outcome.ok:
            raise _no_places(space, 0)
        _record(space, person_id, "space.let_in", actor)
    return True


def people_of_account(space: CourseSpace) -> frozenset[int]:
    """Who may come back with a backup: people the account answers for now, its members, and the owner."""
    answered = Delegation.objects.filter(account=space.account_id, ended_at=None)
    members = Member.objects.filter(account=space.account_id)
    return frozenset(
        {
            *answered.values_list("person_id", flat=True),
            *members.values_list("person_id", flat=True),
            space.owner_id,
        }
    )


def note_space_opening(*, course_id: int, person_id: int) -> None:
    """Somebody is in a course space for the first time: the account that owns it sees his own name from now on."""
    space = CourseSpace.objects.filter(course=course_id).first()
    if space is not None:
        accept(account_id=space.account_id, person_id=person_id)


# --- steps ----------------------------------------------------------------------------------------


def _lock(space_id: int) -> CourseSpace:
    """The space under the locks of account and course, so that its places can be counted."""
    account_id = CourseSpace.objects.values_list("account_id", flat=True).get(pk=space_id)
    lock_account(account_id)
    space = CourseSpace.objects.select_related("course", "account").get(pk=space_id)
    Course.objects.select_for_update(no_key=True).get(pk=space.course_id)
    return space


def _people(space: CourseSpace, entries: Sequence[PersonEntry], person_ids: Collection[int]) -> list[_Entry]:
    """Everybody once: the known ones by their login, the listed ones by their address."""
    answered = Delegation.objects.filter(account=space.account_id, ended_at=None, person__in=list(person_ids))
    people = {
        row.person_id: _Entry(row.email, row.first_name, row.last_name, "student", row.person_id)
        for row in answered.order_by("email")
    }
    keys = {email_key(entry.email) for entry in entries if not entry.problems}
    known = dict(Person.objects.filter(email_key__in=keys).values_list("email_key", "pk"))
    listed: dict[str, _Entry] = {}
    for entry in entries:
        key = email_key(entry.email)
        if entry.problems or known.get(key) in people:
            continue
        role = ROLE_OF[entry.role or "learner"]
        listed.setdefault(key, _Entry(entry.email, entry.firstname, entry.lastname, role, known.get(key)))
    return [*people.values(), *listed.values()]


def _check_places(space: CourseSpace, going: Sequence[_Entry], *, now: datetime) -> None:
    """Before any login is made: there is a place for every learner."""
    if space.max_participants is None:
        return
    inside = learners_of([space.course_id], now=now)[space.course_id]
    left = max(0, space.max_participants - len(inside))
    if sum(one.role in LEARNERS for one in going) > left:
        raise _no_places(space, left)


def _no_places(space: CourseSpace, left: int) -> Refused:
    if not left:
        return Refused("full", _("The course is full: nobody was put into it. Take somebody out first."))
    message = ngettext(
        "There is only %(left)d place left: nobody was put into the course.",
        "There are only %(left)d places left: nobody was put into the course.",
        left,
    )
    return Refused("full", message % {"left": left})


def _make_logins(going: Sequence[_Entry], language: str) -> None:
    unknown = [one for one in going if one.person_id is None]
    made = ensure_people([NewPerson(one.email, one.first_name, one.last_name, language) for one in unknown])
    for one in unknown:
        one.person_id, one.created = made[email_key(one.email)]


def _enrol(space: CourseSpace, going: Sequence[_Entry], *, now: datetime) -> None:
    platform = get_platform()
    outcomes = platform.ensure_logins([one.id for one in going])
    # Without an end of their own: the course is closed when the time of the space is over.
    outcomes += platform.ensure_enrolments(
        [EnrolmentRow(space.course_id, one.id, one.role, now, None) for one in going]
    )
    if any(outcome.code == Refusal.FULL for outcome in outcomes):
        raise _no_places(space, 0)
    if not all(outcome.ok for outcome in outcomes):
        raise Refused("platform", _("The course platform refuses somebody: nobody was put into the course."))


def _welcome(space: CourseSpace, going: Sequence[_Entry], *, actor: Actor, now: datetime) -> None:
    delegate(
        account_id=space.account_id,
        entries=[Delegated(one.id, one.created, one.email, one.first_name, one.last_name) for one in going],
    )
    invitations = ensure_invitations(
        account_id=space.account_id, person_ids=[one.id for one in going], invited_by_id=actor.person_id
    )
    people = Person.objects.in_bulk([one.id for one in going])
    outbox.queue_many(_letter(space, people[one.id], invitations.get(one.id), now) for one in going)


def _letter(space: CourseSpace, person: Person, invitation_id: int | None, now: datetime) -> Draft:
    ids: dict[str, int | str] = {"space": space.pk, "person": person.pk}
    if invitation_id is not None:
        ids["invitation"] = invitation_id
    return Draft(
        kind="space_enrolled" if invitation_id is None else "space_invitation",
        to=person.email,
        event_key=f"space:{space.pk}:person:{person.pk}:{now.isoformat()}",
        ids=ids,
        language=person.language or settings.LANGUAGE_CODE,
    )


def _record(space: CourseSpace, person_id: int, verb: str, actor: Actor) -> None:
    audit.record(
        actor=actor,
        verb=verb,
        object=f"person:{person_id}",
        scope=f"account:{space.account_id}",
        why=space.reference,
    )
