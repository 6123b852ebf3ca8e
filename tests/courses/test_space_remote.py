"""Course spaces on a remote platform, which may not answer and is never called inside a transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from common.audit import OPERATOR
from courses.builtin.platform import BuiltinPlatform
from courses.models import CourseSpace
from courses.platform import OK, UNKNOWN, PlatformAway, refused
from courses.services import expire_spaces, extend_space, extend_space_by
from tests.courses.test_spaces import ended, state

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class Remote(BuiltinPlatform):
    """Answers as it is told to, and is never called inside a transaction."""

    is_remote = True

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.meanwhile: Any = None
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
        return self._do(super().close_courses, course_ids)

    def reopen_courses(self, course_ids: Any) -> Any:
        return self._do(super().reopen_courses, course_ids)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Remote:
    platform = Remote()
    monkeypatch.setattr("courses.services.space_life.get_platform", lambda: platform)
    return platform


def test_a_remote_platform_closes_and_reopens_outside_any_transaction(remote: Remote) -> None:
    space = ended()
    assert expire_spaces(now=timezone.now()) == 1
    assert state(space) == ("expired", True, True)
    extend_space(reference=space.reference, until=timezone.now() + DAY, actor=OPERATOR)
    assert state(space) == ("open", False, False)


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


def test_an_extension_the_platform_does_not_confirm_is_repeated_without_extending_twice(
    remote: Remote,
) -> None:
    space = ended()
    expire_spaces(now=timezone.now())
    remote.answers = [UNKNOWN]
    values: dict[str, Any] = {
        "reference": space.reference,
        "days": 5,
        "at": timezone.now(),
        "key": "k",
        "actor": OPERATOR,
    }
    with pytest.raises(PlatformAway):
        extend_space_by(**values)
    assert state(space) == ("expired", True, True)
    until = CourseSpace.objects.get().ends_at
    assert extend_space_by(**values).ends_at == until
    assert state(space) == ("open", False, False)
