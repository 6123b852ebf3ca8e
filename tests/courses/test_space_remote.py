"""Course spaces on a remote platform, which may not answer and is never called inside a transaction."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from common import jobs
from common.audit import OPERATOR
from common.models import Job
from courses.builtin.platform import BuiltinPlatform
from courses.models import Course, CourseSpace
from courses.platform import OK, UNKNOWN, PlatformAway, refused
from courses.services import (
    expire_spaces,
    extend_space,
    extend_space_by,
    restore_space,
    withdraw_space,
)
from courses.services.space_life import HOLD_JOB
from tests.courses.factories import make_space
from tests.courses.test_spaces import ended, state

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class Remote(BuiltinPlatform):
    """Answers as it is told to, and is never called inside a transaction."""

    is_remote = True

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.meanwhile: Any = None
        self.told: list[str] = []
        self.depth = len(connection.savepoint_ids)

    def _do(self, operation: Any, ids: Any) -> Any:
        assert len(connection.savepoint_ids) == self.depth
        answer = self.answers.pop(0) if self.answers else OK
        if isinstance(answer, Exception):
            raise answer
        if answer != OK:
            return [answer for _ in ids]
        done = operation(ids)
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return done

    def close_courses(self, course_ids: Any) -> Any:
        self.told.append("close")
        return self._do(super().close_courses, course_ids)

    def reopen_courses(self, course_ids: Any) -> Any:
        self.told.append("reopen")
        return self._do(super().reopen_courses, course_ids)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Remote:
    platform = Remote()
    monkeypatch.setattr("courses.services.space_life.get_platform", lambda: platform)
    return platform


def go_on() -> int:
    """Let the jobs that wait run, whenever they are due; returns how many ended well."""
    Job.objects.filter(state=Job.State.QUEUED).update(not_before=timezone.now())
    return jobs.run_due()


def test_a_remote_platform_closes_and_reopens_outside_any_transaction(remote: Remote) -> None:
    space = ended()
    assert expire_spaces(now=timezone.now()) == 1
    assert state(space) == ("expired", True, True)
    extend_space(reference=space.reference, until=timezone.now() + DAY, actor=OPERATOR)
    assert (state(space), remote.told) == (("expired", True, True), ["close"])
    assert go_on() == 1
    assert (state(space), remote.told) == (("open", False, False), ["close", "reopen"])


@pytest.mark.parametrize(
    "act",
    [
        partial(withdraw_space, actor=OPERATOR),
        partial(restore_space, actor=OPERATOR),
        partial(extend_space, until=timezone.now() + 900 * DAY, actor=OPERATOR),
        partial(extend_space_by, days=5, at=timezone.now(), key="k", actor=OPERATOR),
    ],
)
def test_whoever_changes_a_space_calls_nobody_and_may_be_in_a_request(remote: Remote, act: Any) -> None:
    space = ended(withdrawn_at=timezone.now() if act.func is restore_space else None)
    with transaction.atomic():
        act(reference=space.reference)
    assert remote.told == []
    assert [job.kind for job in Job.objects.all()] == [HOLD_JOB]


def test_a_space_is_withdrawn_and_given_back(remote: Remote) -> None:
    space = make_space()
    withdraw_space(reference=space.reference, actor=OPERATOR)
    assert state(space) == ("withdrawn", False, False)
    assert go_on() == 1
    assert state(space) == ("withdrawn", True, True)
    restore_space(reference=space.reference, actor=OPERATOR)
    assert go_on() == 1
    assert state(space) == ("open", False, False)
    assert remote.told == ["close", "reopen"]


def test_what_a_remote_platform_leaves_unanswered_is_closed_the_next_time(remote: Remote) -> None:
    space = ended()
    remote.answers = [UNKNOWN, PlatformAway("no route")]
    assert expire_spaces(now=timezone.now()) == 0
    with pytest.raises(PlatformAway):
        expire_spaces(now=timezone.now())
    assert state(space) == ("expired", False, False)
    assert expire_spaces(now=timezone.now()) == 1


def test_a_course_the_platform_no_longer_has_is_as_good_as_closed(remote: Remote) -> None:
    space = ended()
    remote.answers = [refused("unknown_course")]
    assert expire_spaces(now=timezone.now()) == 1
    assert state(space) == ("expired", True, False)


def test_a_space_extended_while_it_is_being_closed_is_open_in_the_end(remote: Remote) -> None:
    space = ended()
    until = timezone.now() + DAY

    def somebody_extends() -> None:
        extend_space(reference=space.reference, until=until, actor=OPERATOR)

    remote.meanwhile = somebody_extends
    assert expire_spaces(now=timezone.now()) == 0
    assert state(space) == ("open", False, False)
    go_on()
    assert state(space) == ("open", False, False)


def test_a_job_cut_off_after_closing_and_overtaken_by_a_change_still_opens_the_course(remote: Remote) -> None:
    space = make_space()
    withdraw_space(reference=space.reference, actor=OPERATOR)
    # The platform has closed the course, and nobody lived to note it.
    Course.objects.update(closed_at=timezone.now())
    restore_space(reference=space.reference, actor=OPERATOR)
    assert go_on() == 2
    assert state(space) == ("open", False, False)


def test_a_job_waits_for_hours_until_the_platform_has_confirmed(remote: Remote) -> None:
    space = make_space()
    withdraw_space(reference=space.reference, actor=OPERATOR)
    remote.answers = [PlatformAway("no route"), UNKNOWN] * 15
    for _attempt in range(30):
        assert go_on() == 0
        assert state(space) == ("withdrawn", False, False)
    assert go_on() == 1
    assert state(space) == ("withdrawn", True, True)


def test_what_was_answered_by_nobody_is_told_again_although_the_rows_say_so_already(remote: Remote) -> None:
    space = make_space()
    withdraw_space(reference=space.reference, actor=OPERATOR)
    CourseSpace.objects.filter(pk=space.pk).update(closed_at=timezone.now())
    remote.answers = [UNKNOWN]
    assert [go_on(), go_on()] == [0, 1]
    assert remote.told == ["close", "close"]


def test_an_extension_asked_for_twice_extends_once(remote: Remote) -> None:
    space = ended()
    expire_spaces(now=timezone.now())
    values: dict[str, Any] = {
        "reference": space.reference,
        "days": 5,
        "at": timezone.now(),
        "key": "k",
        "actor": OPERATOR,
    }
    until = extend_space_by(**values).ends_at
    assert extend_space_by(**values).ends_at == until
    assert go_on() == 1
    assert state(space) == ("open", False, False)
