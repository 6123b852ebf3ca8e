"""Changes of mind on a far platform, for tests: a world of their own, and all that can be seen of it afterwards."""

from __future__ import annotations

from typing import Any

from accounts.models import Invitation, Person
from common import jobs
from common.audit import OPERATOR, Actor
from common.models import AuditEntry, Job, OutboxMail
from courses.models import Enrolment, GroupMember
from delegation.models import Delegation
from seats.models import Assignment, SeatChange
from seats.services import start_change
from seats.services.exchanging import Kind
from tests.accounts.factories import make_account
from tests.courses.factories import make_course
from tests.seats.factories import give, make_pool, states
from tests.seats.remote import FarPlatform

KINDS = [Kind.RELEASE, Kind.REPLACE, Kind.CORRECT]
NEW = {Kind.RELEASE: "", Kind.REPLACE: "bob", Kind.CORRECT: "ada.l"}


class World:
    """Ada sits in a seat of one course and, for a mistyped address, in a seat of another one too."""

    def __init__(self, far: FarPlatform, kind: Kind, mark: str = "x") -> None:
        self.far, self.kind, self.mark = far, kind, mark
        self.account = make_account()
        make_pool(self.account, 3, access_seconds=30 * 86_400)
        self.courses = [make_course(), make_course()]
        self.given = give(self.account, self.courses[0], self.address("ada"))
        if kind is Kind.CORRECT:
            give(self.account, self.courses[1], self.address("ada"))
        far.calls.clear()

    def address(self, name: str) -> str:
        return f"{name}@{self.mark}.example"

    def ask(self, actor: Actor = OPERATOR) -> SeatChange:
        change = start_change(
            kind=self.kind,
            reference=self.given.seat.reference,
            account_id=self.account.pk,
            actor=actor,
            email=self.address(NEW[self.kind]) if NEW[self.kind] else "",
        )
        assert change is not None
        return change

    def work(self) -> bool:
        """Run what is open; returns whether nothing is left to do."""
        for change in SeatChange.objects.filter(account=self.account, lead=None, state__in=SeatChange.OPEN):
            assert change.job is not None
            Job.objects.filter(pk=change.job.pk).update(
                not_before=change.created_at, lease_until=change.created_at
            )
            jobs.run(change.job.pk)
        return not SeatChange.objects.filter(account=self.account, state__in=SeatChange.OPEN).exists()

    @property
    def came_of_it(self) -> list[tuple[str, str]]:
        changes = SeatChange.objects.filter(account=self.account).order_by("pk")
        return list(changes.values_list("state", "code"))

    def seen(self) -> dict[str, Any]:
        """Everything but instants and ids."""
        mine = Assignment.objects.filter(account=self.account).select_related("seat", "person", "course")
        place = {course.pk: number for number, course in enumerate(self.courses)}
        there = Enrolment.objects.filter(course__in=self.courses).select_related("person")
        return {
            "states": states(self.account),
            "assignments": sorted(
                (one.seat.ordinal, place[one.course_id], self.name(one.email), one.state, one.end_reason, one.created_login)
                for one in mine
            ),
            "as told": sorted(
                (place[one.course_id], self.name(one.email))
                for one in mine.filter(ended_at=None)
                if there.filter(course=one.course, person=one.person, starts_at=one.starts_at, ends_at=one.ends_at)
            ),
            "enrolments": sorted((place[one.course_id], self.name(one.person.email), one.status) for one in there),
            "groups": sorted(
                (place[one.group.course_id], self.name(one.person.email))
                for one in GroupMember.objects.filter(group__course__in=self.courses).select_related("group", "person")
            ),
            "people": sorted(
                self.name(email)
                for email in Person.objects.filter(email__endswith=f"@{self.mark}.example").values_list("email", flat=True)
            ),
            "delegations": sorted(
                (self.name(one.email), one.created_login, one.ended_at is None)
                for one in Delegation.objects.filter(account=self.account)
            ),
            "invitations": sorted(
                (self.name(one.person.email), one.revoked_at is None)
                for one in Invitation.objects.filter(account=self.account).select_related("person")
            ),
            "mails": sorted(
                (self.name(mail.to), mail.kind, mail.state)
                for mail in OutboxMail.objects.filter(to__endswith=f"@{self.mark}.example")
            ),
            "audit": sorted(
                AuditEntry.objects.filter(scope=f"account:{self.account.pk}").values_list("verb", flat=True)
            ),
        }  # fmt: skip

    def name(self, address: str) -> str:
        return address.partition("@")[0]
