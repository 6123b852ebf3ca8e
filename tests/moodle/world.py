"""Four people who are to be put into a course and a group, and one who is to leave it: a story that may be told again
and again, and what it must have come to in the end, whatever happened on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from accounts.models import Person
from courses.models import Course, Enrolment, GroupMember, PlatformLogin, PlatformSite
from courses.moodle import circuit
from courses.moodle.platform import MoodlePlatform
from courses.platform import OK, EnrolmentRow, GroupRow, PlatformAway
from tests.accounts.factories import make_person
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.records import User
from tests.moodle.site import mirror, peer_course

START, END = datetime(2026, 9, 1, 8, tzinfo=UTC), datetime(2027, 8, 31, 22, tzinfo=UTC)
ATTEMPTS = 8

_numbers = count(1)


@dataclass(frozen=True)
class World:
    """`new` has no login yet, `tagged` has an address that is no user name, `there` has a login with its address in
    another case, `tutor` is a learner who becomes one, `leaver` is suspended.
    """

    platform: MoodlePlatform
    peer: MoodlePeer
    number: int
    course: Course
    people: dict[str, Person]

    def tell(self) -> bool:
        """The whole story once; false when something of it is left to do. Raises PlatformAway."""
        ids = {name: person.pk for name, person in self.people.items()}
        outcomes = self.platform.ensure_logins(list(ids.values()))
        rows = [
            EnrolmentRow(self.course.pk, ids[name], "teacher" if name == "tutor" else "student", START, END)
            for name in ("new", "tagged", "there", "tutor")
        ]
        outcomes += self.platform.ensure_enrolments(rows)
        members = [GroupRow(self.course.pk, "B-0001", ids[name]) for name in ("new", "tagged", "there")]
        outcomes += self.platform.ensure_group_members(members)
        outcomes += self.platform.end_enrolments([(self.course.pk, ids["leaver"])])
        leaving = [GroupRow(self.course.pk, "Old", ids["leaver"])]
        outcomes += self.platform.remove_group_members(leaving)
        return all(outcome == OK for outcome in outcomes)

    def tell_until_done(self) -> None:
        """As jobs do: again and again, some time later."""
        for _attempt in range(ATTEMPTS):
            some_time_later()
            try:
                if self.tell():
                    return
            except PlatformAway:
                continue
        raise AssertionError("It never comes to its end.")

    # --- what it came to ----------------------------------------------------------------------------

    def there(self) -> dict[str, Any]:
        """What the site holds of it, without numbers."""
        site = self.peer.site
        remote = peer_course(self.peer, self.course)
        found: dict[str, Any] = {}
        with site.lock:
            for name, person in self.people.items():
                users = site.users_with_email(person.email_key)
                found[name] = [self._user(user) for user in users]
            found["groups"] = sorted(group.name for group in site.groups_of(remote.id))
            found["mails"] = list(site.mails)
        return found

    def _user(self, user: User) -> tuple[object, ...]:
        site, remote = self.peer.site, peer_course(self.peer, self.course)
        row = site.enrolment(user.id, remote.id)
        dates = row and (row.timestart, row.timeend, row.suspended)
        name = user.username.replace(str(self.number), "N")
        if name.startswith("shop-"):
            name = "shop-N"
        return name, dates, sorted(site.roles_of(user, remote)), sorted(site.group_names_of(user, remote))

    def here(self) -> dict[str, Any]:
        """What our rows say of it."""
        found: dict[str, Any] = {}
        for name, person in self.people.items():
            logins = PlatformLogin.objects.filter(person=person)
            rows = Enrolment.objects.filter(person=person, course=self.course)
            groups = GroupMember.objects.filter(person=person, group__course=self.course)
            found[name] = (
                [(row.is_ours, row.remote_id is not None, row.password_set_at) for row in logins],
                [(row.role, row.status, row.starts_at, row.ends_at, row.waits) for row in rows],
                sorted(groups.values_list("group__name", flat=True)),
            )
        return found


def make_world(platform: MoodlePlatform, peer: MoodlePeer) -> World:
    """A course of its own with these people, before anything is told."""
    number = next(_numbers)
    course = mirror(peer.site.add_course(f"W{number}"))
    peer.site.add_user(f"theirs{number}", f"THERE{number}@example.org")
    addresses = {
        "new": f"new{number}@example.org",
        "tagged": f"p+tag{number}@example.org",
        "there": f"there{number}@example.org",
        "tutor": f"tutor{number}@example.org",
        "leaver": f"leaver{number}@example.org",
    }
    people = {name: make_person(email=email) for name, email in addresses.items()}
    before = [people["tutor"].pk, people["leaver"].pk]
    assert platform.ensure_logins(before) == [OK, OK]
    rows = [EnrolmentRow(course.pk, pk, "student", START, END) for pk in before]
    assert platform.ensure_enrolments(rows) == [OK, OK]
    assert platform.ensure_group_members([GroupRow(course.pk, "Old", people["leaver"].pk)]) == [OK]
    return World(platform, peer, number, course, people)


def some_time_later() -> None:
    """Nobody is left who holds the site, and the pause of the circuit breaker is over."""
    waiting = {"open_until": None, "failures": 0, "lease_until": None, "lease_holder": ""}
    PlatformSite.objects.filter(platform="moodle").update(**waiting)
    circuit.forget()
