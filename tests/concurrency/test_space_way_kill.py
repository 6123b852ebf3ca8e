"""People put into a space of a remote platform: killed after every statement and every commit, it ends the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from common import jobs
from common.audit import OPERATOR
from common.listing import read_list
from common.models import AuditEntry, Job, OutboxMail
from courses.models import CourseSpace, Enrolment, SpaceChangePerson
from delegation.models import Delegation
from portal.services import space_changes
from portal.services.spaces import put_into_space, take_out
from tests.accounts.factories import make_account, make_person
from tests.concurrency.killing import count_steps, run_killed
from tests.courses.factories import make_course, make_enrolment, make_space
from tests.portal.elsewhere import Elsewhere, install_elsewhere

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
_numbers = count(1)


@pytest.fixture(autouse=True)
def platform(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """The tests say who runs what; two people are told at a time."""
    settings.SHOPSEATS_MAIL = "hold"
    monkeypatch.setattr(space_changes, "PART", 2)
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    platform = install_elsewhere(monkeypatch, settings)
    platform.checks_transactions = True
    yield platform
    current_app.conf.update(task_always_eager=True)


def wished(platform: Elsewhere) -> tuple[CourseSpace, Job]:
    """A space, and a list on its way into it: two new people, one with a login there, one refused, one there already."""
    mark = f"m{next(_numbers)}"
    space = make_space(make_course(mark, is_space=True), account=make_account(slug=mark), max_participants=9)
    platform.known.add(f"old@{mark}.example")
    platform.refuses[f"bad@{mark}.example"] = "bad_address"
    there = make_person(email=f"there@{mark}.example")
    make_enrolment(space.course, there, role="editingteacher", starts_at=space.starts_at, opened_at=None)
    names = " ".join(f"{name}@{mark}.example" for name in ("new1", "old", "bad", "there", "new2"))
    put_into_space(space_id=space.pk, entries=read_list(names).rows, actor=OPERATOR, language="en")
    return space, Job.objects.latest("pk")


def state(space: CourseSpace) -> Any:
    """Everything that came of it, without what differs between two spaces."""
    names = Enrolment.objects.filter(course=space.course_id).exclude(person=space.owner_id)
    return (
        [
            (row.email.partition("@")[0], row.state, row.code)
            for row in SpaceChangePerson.objects.filter(space=space).order_by("email")
        ],
        sorted(
            (row.person.email.partition("@")[0], row.role, row.status, row.starts_at == space.starts_at)
            for row in names.select_related("person")
        ),
        sorted(
            (row.kind, row.to.partition("@")[0])
            for row in OutboxMail.objects.filter(to__endswith=f"@{space.course.shortname}.example")
        ),
        sorted(
            (row.email.partition("@")[0], row.created_login)
            for row in Delegation.objects.filter(account=space.account)
        ),
        sum(row.counts.get("put", 0) for row in AuditEntry.objects.filter(object=f"space:{space.reference}")),
    )


def taken_over(job: Job) -> None:
    """Whoever finds the job once its lease has ended."""
    Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(lease_until=timezone.now())
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_a_list_ends_the_same_wherever_the_process_dies(platform: Elsewhere) -> None:
    space, job = wished(platform)
    total = count_steps(lambda: jobs.run(job.pk))
    expected = state(space)
    assert expected[0] == [
        ("bad", "refused", "bad_address"),
        ("new1", "done", ""),
        ("new2", "done", ""),
        ("old", "done", ""),
        ("there", "already", ""),
    ]
    assert expected[2] == [
        ("space_enrolled", "old"),
        ("space_invitation", "new1"),
        ("space_invitation", "new2"),
    ]
    assert expected[4] == 3
    assert total > 50
    for step in range(1, total + 1):
        space, job = wished(platform)
        run_killed(lambda job=job: jobs.run(job.pk), after=step)  # type: ignore[misc]
        taken_over(job)
        assert state(space) == expected, step


def test_taking_out_ends_the_same_wherever_the_process_dies(platform: Elsewhere) -> None:
    def wish() -> tuple[Enrolment, Job]:
        space = make_space(make_course(is_space=True), account=make_account())
        row = make_enrolment(space.course)
        assert take_out(space_id=space.pk, person_id=row.person_id, actor=OPERATOR)
        return row, Job.objects.latest("pk")

    row, job = wish()
    total = count_steps(lambda: jobs.run(job.pk))
    for step in range(1, total + 1):
        row, job = wish()
        run_killed(lambda job=job: jobs.run(job.pk), after=step)  # type: ignore[misc]
        taken_over(job)
        row.refresh_from_db()
        assert row.status == Enrolment.Status.SUSPENDED
        assert AuditEntry.objects.filter(verb="space.take_out", object=f"person:{row.person_id}").count() == 1
