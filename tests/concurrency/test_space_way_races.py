"""People of a space on a remote platform, wished by several at the same moment, and jobs that meet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from celery import current_app

from common import jobs
from common.audit import OPERATOR
from common.jobs import Waiting
from common.listing import read_list
from common.models import Job, OutboxMail
from courses.models import CourseSpace, Enrolment, SpaceChangePerson
from delegation.refusals import Refused
from portal.services.space_changes import run_space_change
from portal.services.spaces import PutIn, put_into_space, take_out
from tests.concurrency.racing import together
from tests.courses.factories import make_course, make_enrolment, make_space
from tests.portal.elsewhere import Elsewhere, install_elsewhere

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
ROUNDS = 5


@pytest.fixture(autouse=True)
def platform(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    settings.SHOPSEATS_MAIL = "hold"
    current_app.conf.update(task_always_eager=False, broker_url="memory://")
    platform = install_elsewhere(monkeypatch, settings)
    platform.checks_transactions = True
    yield platform
    current_app.conf.update(task_always_eager=True)


def put(space: CourseSpace, text: str) -> PutIn:
    return put_into_space(space_id=space.pk, entries=read_list(text).rows, actor=OPERATOR, language="en")


def test_of_two_lists_for_the_last_places_one_is_on_its_way_and_the_other_leaves_nothing() -> None:
    for number in range(ROUNDS):
        space = make_space(make_course(is_space=True), max_participants=3)
        lists = [f"{name}1@r{number}.example {name}2@r{number}.example" for name in "ab"]
        results = together([partial(put, space, text) for text in lists])
        assert sorted(type(result).__name__ for result in results) == ["PutIn", "Refused"], results
        assert SpaceChangePerson.objects.filter(space=space).count() == 2
        assert Job.objects.count() == number + 1


def test_the_same_list_entered_at_once_is_one_wish() -> None:
    space = make_space(make_course(is_space=True))
    results = together([partial(put, space, "a@example.org b@example.org")] * 3)
    assert sorted(result.coming for result in results if isinstance(result, PutIn)) == [0, 0, 2], results
    assert jobs.run_due() == 1
    assert OutboxMail.objects.count() == 2


def test_one_of_many_who_take_somebody_out_at_once_does_it() -> None:
    space = make_space(make_course(is_space=True))
    row = make_enrolment(space.course)
    act = partial(take_out, space_id=space.pk, person_id=row.person_id, actor=OPERATOR)
    results = together([act] * 3)
    assert [result for result in results if result is True] == [True]
    assert [result.code for result in results if isinstance(result, Refused)] == ["busy"] * 2
    assert SpaceChangePerson.objects.count() == 1


class Quiet:
    """A progress that nobody looks at: as of a worker that does not know that another one has taken over."""

    def report(self, done: int, total: int) -> None:
        """Never lost."""


def test_two_workers_at_one_change_mail_and_enrol_once() -> None:
    for number in range(ROUNDS):
        space = make_space(make_course(is_space=True))
        put(space, f"a@r{number}.example b@r{number}.example")
        change = Job.objects.latest("pk").object_id
        results = together([partial(run_space_change, change, Quiet())] * 3)  # type: ignore[arg-type]
        # Whoever finds somebody enrolled just now by another leaves it to the next time.
        assert all(result is None or isinstance(result, Waiting) for result in results), results
        run_space_change(change, Quiet())  # type: ignore[arg-type]
        states = SpaceChangePerson.objects.filter(space=space).values_list("state", flat=True)
        assert set(states) == {"done"}
        assert Enrolment.objects.filter(course=space.course_id, role="student").count() == 2
        assert OutboxMail.objects.filter(to__endswith=f"@r{number}.example").count() == 2
