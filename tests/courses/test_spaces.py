"""The life of a course space: its end, a later end, withdrawn, given back; and what is told about it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.audit import OPERATOR
from common.models import AuditEntry
from courses.models import CourseSpace, Enrolment, SpaceState
from courses.platforms import get_platform
from courses.selectors import product_events, space_line, space_places, spaces_of
from courses.services import (
    SpaceRefused,
    expire_spaces,
    extend_space,
    extend_space_by,
    restore_space,
    withdraw_space,
)
from tests.accounts.factories import make_account, make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_enrolment, make_space

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def ended(**fields: Any) -> CourseSpace:
    """A space whose time was over an hour ago."""
    now = timezone.now()
    return make_space(starts_at=now - 30 * DAY, ends_at=now - timedelta(hours=1), **fields)


def state(space: CourseSpace) -> tuple[str, bool, bool]:
    """What it is, and whether space and course are closed."""
    space = CourseSpace.objects.select_related("course").get(pk=space.pk)
    return space.state().value, space.closed_at is not None, space.course.closed_at is not None


def verbs(space: CourseSpace) -> list[str]:
    return list(product_events(space.reference).values_list("verb", flat=True))


def reasons(space: CourseSpace) -> dict[str, str]:
    return {row.email: row.reason for row in get_platform().enrolments([space.course_id])[0]}


def enrolments() -> list[Any]:
    return list(Enrolment.objects.order_by("pk").values())


# --- the seed's note 3: "Au terme de la durée de mise à disposition, tous les accès au cours seront
# suspendus automatiquement." ---------------------------------------------------------------------------


def test_at_the_end_every_access_is_suspended_automatically() -> None:
    space = ended()
    learner = make_enrolment(space.course).person
    suspended = make_enrolment(space.course, status="suspended").person
    running = make_space()
    before = enrolments()
    assert expire_spaces(now=timezone.now()) == 1
    assert reasons(space) == {
        space.owner.email: "course closed",
        learner.email: "course closed",
        suspended.email: "suspended",
    }
    assert enrolments() == before
    assert state(space) == ("expired", True, True)
    assert state(running) == ("open", False, False)
    assert browser(space.owner).get(f"/learn/{space.course.shortname}/").status_code == 403
    assert browser(learner).get(f"/learn/{space.course.shortname}/").status_code == 403


def test_what_has_ended_ends_once() -> None:
    space = ended()
    now = timezone.now()
    assert [expire_spaces(now=now), expire_spaces(now=now), expire_spaces(now=now + DAY)] == [1, 0, 0]
    assert verbs(space) == ["expired"]
    assert AuditEntry.objects.filter(verb="spaces.expire").count() == 1


def test_the_end_itself_is_outside(time_machine: Any) -> None:
    space = make_space()
    assert expire_spaces(now=space.ends_at - timedelta(microseconds=1)) == 0
    assert expire_spaces(now=space.ends_at) == 1


def test_a_space_is_expired_by_its_date_whether_or_not_expire_has_run() -> None:
    space = ended()
    assert state(space) == ("expired", False, False)
    assert spaces_of(space.account_id)[0].state is SpaceState.EXPIRED


def test_a_space_ended_ahead_of_its_date_is_told_as_expired() -> None:
    """As operators do with `expire --at`."""
    space = make_space()
    assert expire_spaces(now=space.ends_at + DAY) == 1
    assert state(space) == ("expired", True, True)
    assert expire_spaces(now=timezone.now()) == 0
    assert state(space) == ("expired", True, True)


def statements(count: int) -> int:
    now = timezone.now()
    for _ in range(count):
        ended()
    with CaptureQueriesContext(connection) as captured:
        assert expire_spaces(now=now) == count
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


def test_ending_many_spaces_takes_as_many_statements_as_one() -> None:
    assert statements(1) == statements(30) <= 8


# --- "Le produit peut être renouvelé." -----------------------------------------------------------------


def test_an_extension_before_the_end_counts_from_the_end() -> None:
    space = make_space()
    extended = extend_space_by(
        reference=space.reference, days=180, at=timezone.now(), key="line", actor=OPERATOR
    )
    assert extended.ends_at == space.ends_at + 180 * DAY
    assert state(space) == ("open", False, False)
    assert verbs(space) == ["extended"]


def test_an_extension_after_the_end_counts_from_today_and_earlier_suspensions_are_intact() -> None:
    space = ended()
    learner = make_enrolment(space.course).person
    suspended = make_enrolment(space.course, status="suspended").person
    before, rows = reasons(space), enrolments()
    expire_spaces(now=timezone.now())
    today = timezone.now()
    extended = extend_space_by(reference=space.reference, days=10, at=today, key="line", actor=OPERATOR)
    assert extended.ends_at == today + 10 * DAY
    assert state(space) == ("open", False, False)
    assert (
        reasons(space) == before == {space.owner.email: "", learner.email: "", suspended.email: "suspended"}
    )
    assert enrolments() == rows
    assert verbs(space) == ["expired", "extended", "reopened"]


def test_the_same_order_line_extends_once() -> None:
    space = make_space()
    ends = {
        extend_space_by(
            reference=space.reference, days=10, at=timezone.now(), key=key, actor=OPERATOR
        ).ends_at
        for key in ("one", "one", "one")
    }
    assert ends == {space.ends_at + 10 * DAY}
    extend_space_by(reference=space.reference, days=10, at=timezone.now(), key="two", actor=OPERATOR)
    assert CourseSpace.objects.get().ends_at == space.ends_at + 20 * DAY
    assert verbs(space) == ["extended", "extended"]


def test_an_extension_that_is_too_short_leaves_it_closed() -> None:
    space = ended()
    expire_spaces(now=timezone.now())
    longer = space.ends_at + timedelta(minutes=1)
    extend_space(reference=space.reference, until=longer, actor=OPERATOR)
    assert state(space) == ("expired", True, True)
    assert expire_spaces(now=timezone.now()) == 0


def test_an_end_given_by_hand_is_written_with_its_reason_once() -> None:
    space = make_space()
    until = space.ends_at + DAY
    for _again in range(2):
        extend_space(reference=space.reference, until=until, actor=OPERATOR, why="they were kept waiting")
    (event,) = product_events(space.reference)
    assert (event.actor, event.verb, event.detail["why"]) == (
        "operator",
        "extended",
        "they were kept waiting",
    )
    entry = AuditEntry.objects.get(verb="space.extended")
    assert (entry.object, entry.scope, entry.why) == (
        f"space:{space.reference}",
        f"account:{space.account_id}",
        "they were kept waiting",
    )


def test_nothing_ever_shortens_an_end() -> None:
    space = make_space()
    with pytest.raises(SpaceRefused) as refusal:
        extend_space(reference=space.reference, until=space.ends_at - DAY, actor=OPERATOR)
    assert refusal.value.code == "too_early"
    assert CourseSpace.objects.get().ends_at == space.ends_at
    assert verbs(space) == []


@pytest.mark.parametrize("other", [False, True])
def test_nobody_extends_a_space_that_is_not_there_or_not_his(other: bool) -> None:
    space = make_space()
    reference = space.reference if other else "AAAA-AAAA-AAAA-AAAA"
    account_id = make_account().pk if other else None
    for act in (extend_space, withdraw_space, restore_space):
        more: dict[str, Any] = {"until": space.ends_at + DAY} if act is extend_space else {}
        with pytest.raises(CourseSpace.DoesNotExist):
            act(reference=reference, actor=OPERATOR, account_id=account_id, **more)
    assert verbs(space) == []


# --- withdrawn and given back -------------------------------------------------------------------------


def test_a_withdrawn_space_is_closed_and_given_back_as_it_was() -> None:
    space = make_space()
    make_enrolment(space.course)
    make_enrolment(space.course, status="suspended")
    before, rows = reasons(space), enrolments()
    for _again in range(2):
        withdraw_space(reference=space.reference, actor=OPERATOR, why="not paid after all")
        assert state(space) == ("withdrawn", True, True)
    with pytest.raises(SpaceRefused) as refusal:
        extend_space(reference=space.reference, until=space.ends_at + DAY, actor=OPERATOR)
    assert refusal.value.code == "withdrawn"
    for _again in range(2):
        restore_space(reference=space.reference, actor=OPERATOR)
        assert state(space) == ("open", False, False)
    assert (reasons(space), enrolments()) == (before, rows)
    assert verbs(space) == ["withdrawn", "restored", "reopened"]


def test_a_space_given_back_after_its_end_stays_closed() -> None:
    space = ended()
    withdraw_space(reference=space.reference, actor=OPERATOR)
    restore_space(reference=space.reference, actor=OPERATOR)
    assert state(space) == ("expired", True, True)


# --- what is told ------------------------------------------------------------------------------------


def test_an_organisation_reads_its_own_spaces_in_one_query() -> None:
    account = make_account()
    limited = make_space(account=account, max_participants=3)
    make_enrolment(limited.course)
    make_enrolment(limited.course, status="suspended")
    make_enrolment(limited.course, role="teacher")
    make_enrolment(limited.course, ends_at=timezone.now())
    free = make_space(account=account)
    make_space()
    with CaptureQueriesContext(connection) as captured:
        lines = spaces_of(account.pk)
    assert len(captured) == 1
    assert [line.reference for line in lines] == [limited.reference, free.reference]
    assert [(line.participants, line.places_left) for line in lines] == [(1, 2), (0, None)]
    assert (lines[0].course, lines[0].owner_email) == (limited.course.shortname, limited.owner.email)
    assert space_line(free) == lines[1]


def test_what_a_person_has_of_an_organisation_says_nothing_of_another() -> None:
    person, account = make_person(), make_account()
    mine, other = make_space(account=account), make_space()
    for space in (mine, other):
        make_enrolment(space.course, person)
    places = space_places(account.pk, [person.pk])
    assert [place.reference for place in places[person.pk]] == [mine.reference]
    assert (places[person.pk][0].role, places[person.pk][0].suspended) == ("student", False)


def test_listspaces_prints_what_the_design_names(capsys: Any) -> None:
    space = make_space(max_participants=3)
    withdraw_space(reference=space.reference, actor=OPERATOR)
    call_command("listspaces", "--account", space.account.slug, "--json")
    (document,) = json.loads(capsys.readouterr().out)
    assert list(document) == ["reference", "course", "category", "owner", "state", "starts", "ends"]
    assert (document["reference"], document["course"]) == (space.reference, space.course.shortname)
    assert (document["category"], document["owner"]) == ("Trainings", space.owner.email)
    assert document["state"] == "withdrawn"
    call_command("listspaces", "--account", space.account.slug)
    assert space.reference in capsys.readouterr().out


def test_listspaces_refuses_an_unknown_organisation(capsys: Any) -> None:
    with pytest.raises(CommandError) as error:
        call_command("listspaces", "--account", "nobody", "--json")
    assert error.value.returncode == 2
    assert str(error.value).startswith("account: ")


def test_one_unit_of_a_line_is_one_space() -> None:
    key = uuid4()
    make_space(line_key=key, ordinal=1)
    make_space(line_key=key, ordinal=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_space(line_key=key, ordinal=2)
    assert CourseSpace.objects.filter(line_key=key).count() == 2


# --- the back office ---------------------------------------------------------------------------------


def test_the_shop_admin_reads_spaces_and_changes_nothing_there() -> None:
    space = make_space()
    admin = browser(make_person(is_staff=True, is_superuser=True))
    withdraw_space(reference=space.reference, actor=OPERATOR)
    page = admin.get(reverse("admin:courses_coursespace_changelist")).content.decode()
    assert space.reference in page
    assert "withdrawn" in page
    assert admin.get(reverse("admin:courses_coursespace_change", args=[space.pk])).status_code == 200
    assert admin.get(reverse("admin:courses_coursespace_add")).status_code == 403
    assert admin.post(reverse("admin:courses_coursespace_delete", args=[space.pk])).status_code == 403


def test_the_limit_of_a_space_holds_for_staff_too() -> None:
    space = make_space(max_participants=1)
    make_enrolment(space.course)
    admin = browser(make_person(is_staff=True, is_superuser=True))
    data = {
        "course": space.course_id,
        "person": make_person().pk,
        "role": "student",
        "starts_at_0": "2026-01-01",
        "starts_at_1": "00:00",
    }
    response = admin.post(reverse("admin:courses_enrolment_add"), data)
    assert "This course space has no place left." in response.content.decode()
    before = Enrolment.objects.count()
    assert admin.post(reverse("admin:courses_enrolment_add"), data | {"role": "teacher"}).status_code == 302
    assert Enrolment.objects.count() == before + 1
