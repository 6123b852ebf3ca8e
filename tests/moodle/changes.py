"""Changes of mind about a seat, as stories."""

from __future__ import annotations

from typing import Any, ClassVar

from django.test import override_settings

from common.audit import OPERATOR
from seats.models import SeatChange
from seats.services import start_change
from seats.services.exchanging import Kind as Change
from tests.accounts.factories import make_account
from tests.moodle.faults import LONG
from tests.moodle.site import mirror
from tests.moodle.stories import ACCESS, Story
from tests.seats.factories import give, make_pool


class Changed(Story):
    """Ada has a seat; somebody changes his mind about it."""

    kind: ClassVar[Change]
    new: ClassVar[str] = ""
    courses: ClassVar[tuple[str, ...]] = ("course",)

    def begin(self) -> None:
        self.account = make_account(slug=self.mark)
        make_pool(self.account, 3, access_seconds=int(ACCESS.total_seconds()), bill_number=f"CMD-{self.mark}")
        with override_settings(MOODLE_TIMEOUT=LONG):
            given = []
            for name in self.courses:
                self.there = self.remote_course(name)
                given.append(give(self.account, mirror(self.there), self.address("ada")))
        self.seat = given[0].seat
        if self.new:
            self.named_people(self.new)

    def act(self) -> None:
        if not SeatChange.objects.filter(account=self.account).exists():
            start_change(
                kind=self.kind,
                reference=self.seat.reference,
                account_id=self.account.pk,
                actor=OPERATOR,
                email=self.address(self.new) if self.new else "",
            )

    def is_done(self) -> bool:
        return all(change.state in {"done", "refused"} for change in self.changes())

    def changes(self) -> list[SeatChange]:
        return list(SeatChange.objects.filter(account=self.account).order_by("pk"))

    def details(self) -> dict[str, Any]:
        return {"changes": [(one.kind, one.state, one.code) for one in self.changes()]}


class Released(Changed):
    kind = Change.RELEASE


class Replaced(Changed):
    kind = Change.REPLACE
    new = "new"


class ReplacedByAStranger(Changed):
    kind = Change.REPLACE
    new = "stranger"


class ReplacedBySomebodyEnrolled(Changed):
    kind = Change.REPLACE
    new = "enrolled"


class Corrected(Changed):
    kind = Change.CORRECT
    new = "new"
    courses = ("course", "second")
