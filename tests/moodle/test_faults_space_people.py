"""People put into a course space, with a fault at each call to the site: the end is as if nothing had happened."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from common.audit import OPERATOR
from common.listing import from_rows
from common.models import AuditEntry
from courses.models import SpaceChange, SpaceChangePerson
from portal.services.spaces import put_into_space
from tests.accounts.factories import make_account
from tests.courses.factories import make_space
from tests.moodle.faults import KINDS, RARER, World
from tests.moodle.peer.faults import Kind
from tests.moodle.site import OWNER_ROLE, mirror
from tests.moodle.stories import Story

pytestmark = pytest.mark.django_db(transaction=True)


class PutIn(Story):
    """An organisation puts people of all sorts into a space of its own; a teacher has enrolled one of them before."""

    names = ("new1", "known1", "ours1", "unlinked1", "inside1", "stranger1", "new2")

    def begin(self) -> None:
        self.there = self.remote_course()
        self.account = make_account(slug=self.mark)
        owner, user = self.linked("owner")
        self.space = make_space(
            mirror(self.there, is_space=True), account=self.account, owner=owner, max_participants=9
        )
        start = math.floor(self.space.starts_at.timestamp())
        self.site.enrol(user, self.there, OWNER_ROLE, timestart=start)
        self.emails = self.named_people(*self.names)

    def act(self) -> None:
        if SpaceChange.objects.filter(space=self.space).exists():
            return
        rows = [{"email": email, "firstname": self.name(email), "lastname": "Doe"} for email in self.emails]
        put_into_space(space_id=self.space.pk, entries=from_rows(rows).rows, actor=OPERATOR, language="en")

    def is_done(self) -> bool:
        return not SpaceChangePerson.objects.filter(space=self.space, state="waiting").exists()

    def details(self) -> dict[str, Any]:
        people = SpaceChangePerson.objects.filter(space=self.space).order_by("pk")
        counted: Counter[str] = Counter()
        for entry in AuditEntry.objects.filter(scope=f"account:{self.account.pk}", verb="space.people"):
            counted.update(entry.counts)
        return {
            # Whom the site has not answered for is told of later, in an entry of his own.
            "audit": counted,
            "put": [(self.name(one.email), one.state, one.code, one.created_login) for one in people],
        }


@pytest.mark.parametrize("kind", KINDS)
def test_struck_at_any_call_it_ends_the_same(world: World, kind: Kind) -> None:
    failures = world.struck_everywhere(PutIn, kind)
    assert not failures, "\n".join(failures)


def test_met_by_rarer_faults_it_ends_the_same(world: World) -> None:
    failures = world.struck_in_turn(PutIn, RARER)
    assert not failures, "\n".join(failures)


def test_the_story_ends_as_it_should(world: World) -> None:
    state, _calls = world.faultless(PutIn)
    assert [(name, state) for name, state, _code, _created in state["put"]] == [
        (name, "already" if name == "inside1" else "done") for name in PutIn.names
    ]
    dates = {row[1]: row[4] for row in state["site: enrolments"]}
    assert {name for name, told in dates.items() if told != "as in our row"} == {"inside1"}
