"""How a story with a Moodle behind the shop ended, on both sides."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import timedelta
from typing import Any

from accounts.models import CustomerAccount, Invitation, Person
from common.models import AuditEntry, OutboxMail
from courses.models import Course, Enrolment, GroupMember, PlatformLogin
from delegation.models import Delegation
from seats.models import Assignment
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.peer.records import Course as PeerCourse
from tests.seats.factories import states


class Ending:
    """Everything with one mark, told without ids, marks and instants."""

    peer: MoodlePeer
    mark: str
    account: CustomerAccount

    @property
    def site(self) -> Site:
        return self.peer.site

    def details(self) -> dict[str, Any]:
        """What only this story has."""
        return {}

    def plain(self, text: object) -> str:
        """Without the mark, and without numbers of ours in user names."""
        return re.sub(r"shop-\d+", "shop-N", re.sub(self.mark, "mark", str(text), flags=re.IGNORECASE))

    def name(self, address: str) -> str:
        return self.plain(address.partition("@")[0])

    def end_state(self) -> dict[str, Any]:
        """Everything that came of it."""
        return {**self._on_site(), **self._in_rows(), **self.details()}

    def _courses(self) -> list[PeerCourse]:
        with self.site.lock:
            return [one for one in self.site.courses.values() if self.mark in one.shortname + one.fullname]

    def _on_site(self) -> dict[str, Any]:
        site, courses = self.site, self._courses()
        with site.lock:
            users = {
                user.id: user
                for user in site.living_users()
                if user.email.lower().endswith(f"@{self.mark}.example")
            }
            return {
                "site: users": sorted(
                    (self.plain(user.email), self.plain(user.username), user.firstname, user.lastname)
                    for user in users.values()
                ),
                "site: courses": sorted(
                    (self.plain(one.shortname), self.plain(one.fullname), one.visible, tuple(one.pages))
                    for one in courses
                ),
                "site: marked": sorted(bool(one.idnumber) for one in courses),
                "site: enrolments": sorted(
                    (
                        self.plain(course.shortname),
                        self.name(users[user_id].email) if user_id in users else f"?{user_id}",
                        tuple(role.shortname for role in site.course_roles(user_id, course.id)),
                        row.suspended,
                        self._dates(user_id, course, row.timestart, row.timeend),
                    )
                    for course in courses
                    for (user_id, course_id), row in site.enrolments.items()
                    if course_id == course.id
                ),
                "site: groups": sorted(
                    (
                        self.plain(course.shortname),
                        self._group(group.name),
                        tuple(
                            sorted(self.name(users[pk].email) if pk in users else "?" for pk in group.members)
                        ),
                    )
                    for course in courses
                    for group in site.groups_of(course.id)
                ),
                "site: mails": [mail.kind for mail in site.mails if mail.user_id in users],
            }

    def _dates(self, user_id: int, course: PeerCourse, start: int, end: int) -> object:
        """Whether the dates on the site are those that our row keeps; without a row as they are."""
        row = Enrolment.objects.filter(
            course__remote_id=course.id, person__platform_login__remote_id=user_id
        ).first()
        if row is None:
            return start, end
        ours = (
            math.floor(row.starts_at.timestamp()),
            0 if row.ends_at is None else math.ceil(row.ends_at.timestamp()),
        )
        return "as in our row" if (start, end) == ours else (start, end, "ours", *ours)

    def _group(self, name: str) -> str:
        return self.plain(name)

    def _in_rows(self) -> dict[str, Any]:
        account = self.account
        courses = Course.objects.filter(remote_id__in=[one.id for one in self._courses()])
        people = Person.objects.filter(email_key__endswith=f"@{self.mark}.example")
        given = (
            Assignment.objects.filter(account=account)
            .select_related("person")
            .order_by("seat__ordinal", "id")
        )
        enrolments = Enrolment.objects.filter(course__in=courses).select_related("person")
        return {
            "people": sorted(self.name(one.email) for one in people),
            "logins": sorted(
                (self.name(one.person.email), one.is_ours, self._is_same(one), one.password_set_at)
                for one in PlatformLogin.objects.filter(person__in=people).select_related("person")
            ),
            "seats": states(account),
            "given": [
                (
                    self.name(one.email),
                    one.role,
                    one.state,
                    one.end_reason,
                    one.created_login,
                    self._lasts(one),
                )
                for one in given
            ],
            "as enrolled": sorted(
                self.name(one.email)
                for one in given.filter(ended_at=None)
                if not enrolments.filter(
                    person=one.person,
                    role=one.role,
                    starts_at=one.starts_at,
                    ends_at=one.ends_at,
                    waits=False,
                ).exists()
            ),
            "enrolments": sorted(
                (self.name(one.person.email), one.role, one.status, one.waits) for one in enrolments
            ),
            "members": sorted(
                (self._group(one.group.name), self.name(one.person.email))
                for one in GroupMember.objects.filter(group__course__in=courses).select_related(
                    "group", "person"
                )
            ),
            "delegated": sorted(
                (self.name(one.email), one.created_login, one.ended_at is not None)
                for one in Delegation.objects.filter(account=account)
            ),
            "invited": sorted(
                (self.name(one.person.email), one.revoked_at is not None)
                for one in Invitation.objects.filter(account=account).select_related("person")
            ),
            "mails": sorted(
                (self.name(mail.to), mail.kind, mail.state)
                for mail in OutboxMail.objects.filter(to__iendswith=f"@{self.mark}.example")
            ),
            "audit": Counter(
                AuditEntry.objects.filter(scope=f"account:{account.pk}").values_list("verb", flat=True)
            ),
        }

    def _is_same(self, login: PlatformLogin) -> bool:
        """Whether the login is of the user who has this person's address on the site."""
        user = self.site.users.get(login.remote_id or 0)
        return user is not None and (user.email.lower(), user.username) == (
            login.person.email_key,
            login.username,
        )

    def _lasts(self, one: Assignment) -> timedelta | None:
        return None if one.ends_at is None else one.ends_at - one.starts_at
