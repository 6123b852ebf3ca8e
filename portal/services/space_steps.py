"""What putting people into a course space consists of, whether the platform is here or far away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Person
from accounts.services import NewPerson, ensure_invitations, ensure_people
from common import audit, outbox
from common.audit import Actor
from common.emailkey import email_key
from common.listing import PersonEntry
from common.outbox import Draft
from courses.builtin.places import learners_of
from courses.builtin.roles import LEARNERS
from courses.models import Course, CourseSpace
from courses.selectors import course_logins, learners_coming
from delegation.models import Delegation
from delegation.refusals import Refused
from delegation.services import Delegated, delegate
from seats.services.locking import lock_account

ROLE_OF = {"learner": "student", "tutor": "teacher"}


@dataclass(slots=True)
class Entry:
    """Somebody named for a space, as he was typed; `created`: this brought his row into being."""

    email: str
    first_name: str
    last_name: str
    role: str
    person_id: int | None = None
    created: bool = False

    @property
    def id(self) -> int:
        assert self.person_id is not None  # noqa: S101 - everybody has a row by now
        return self.person_id


def lock_space(space_id: int) -> CourseSpace:
    """The space under the locks of account and course, so that its places can be counted."""
    account_id = CourseSpace.objects.values_list("account_id", flat=True).get(pk=space_id)
    lock_account(account_id)
    space = CourseSpace.objects.select_related("course", "account").get(pk=space_id)
    Course.objects.select_for_update(no_key=True).get(pk=space.course_id)
    return space


def people_named(
    space: CourseSpace, entries: Sequence[PersonEntry], person_ids: Collection[int]
) -> list[Entry]:
    """Everybody once: the known ones by their login, the listed ones by their address."""
    answered = Delegation.objects.filter(account=space.account_id, ended_at=None, person__in=list(person_ids))
    people = {
        row.person_id: Entry(row.email, row.first_name, row.last_name, "student", row.person_id)
        for row in answered.order_by("email")
    }
    keys = {email_key(entry.email) for entry in entries if not entry.problems}
    known = dict(Person.objects.filter(email_key__in=keys).values_list("email_key", "pk"))
    listed: dict[str, Entry] = {}
    for entry in entries:
        key = email_key(entry.email)
        if entry.problems or known.get(key) in people:
            continue
        role = ROLE_OF[entry.role or "learner"]
        listed.setdefault(key, Entry(entry.email, entry.firstname, entry.lastname, role, known.get(key)))
    return [*people.values(), *listed.values()]


def check_places(space: CourseSpace, going: Sequence[Entry], *, now: datetime) -> None:
    """Before any login is made: there is a place for every learner. Who is on his way has his already."""
    if space.max_participants is None:
        return
    inside = learners_of([space.course_id], now=now)[space.course_id]
    coming = learners_coming(now=now).filter(space=space).count()
    left = max(0, space.max_participants - len(inside) - coming)
    if sum(one.role in LEARNERS and one.person_id not in inside for one in going) > left:
        raise no_places(left)


def no_places(left: int) -> Refused:
    """What is said when there are fewer places than learners."""
    if not left:
        return Refused("full", _("The course is full: nobody was put into it. Take somebody out first."))
    message = ngettext(
        "There is only %(left)d place left: nobody was put into the course.",
        "There are only %(left)d places left: nobody was put into the course.",
        left,
    )
    return Refused("full", message % {"left": left})


def make_people(going: Sequence[Entry], language: str) -> None:
    """A row for everybody who has none."""
    unknown = [one for one in going if one.person_id is None]
    made = ensure_people([NewPerson(one.email, one.first_name, one.last_name, language) for one in unknown])
    for one in unknown:
        one.person_id, one.created = made[email_key(one.email)]


def welcome(space: CourseSpace, going: Sequence[Entry], *, actor: Actor, now: datetime) -> None:
    """Delegate these people to the account and queue the mail of each: the invitation, or the news.

    Whoever had a login on the platform before is no newcomer: nobody made it, and there is nothing to choose. `now` names
    the event, so that it is one mail each.
    """
    logins = course_logins([one.id for one in going])
    old = {person_id for person_id, login in logins.items() if not login.is_ours}
    delegate(
        account_id=space.account_id,
        entries=[
            Delegated(one.id, one.created and one.id not in old, one.email, one.first_name, one.last_name)
            for one in going
        ],
    )
    invitations = ensure_invitations(
        account_id=space.account_id,
        person_ids=[one.id for one in going if one.id not in old],
        invited_by_id=actor.person_id,
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


def record_list(space: CourseSpace, actor: Actor, counts: dict[str, int]) -> None:
    """One audit row for a list of people."""
    audit.record(
        actor=actor,
        verb="space.people",
        object=f"space:{space.reference}",
        scope=f"account:{space.account_id}",
        counts=counts,
    )


def record_person(space: CourseSpace, person_id: int, verb: str, actor: Actor) -> None:
    """One audit row for one person."""
    audit.record(
        actor=actor,
        verb=verb,
        object=f"person:{person_id}",
        scope=f"account:{space.account_id}",
        why=space.reference,
    )
