"""The sample shop in front of a Moodle site, and the work that is done for it beside the web processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from billing import production
from common import jobs, wake
from common.models import Job
from courses.services import run_sync_courses
from portal.sample import load_sample
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.demo import seed
from tests.moodle.peer.records import Course, User
from tests.moodle.site import use_peer


@pytest.fixture
def moodle_shop(
    settings: Any, monkeypatch: pytest.MonkeyPatch, moodle_peer: MoodlePeer, transactional_db: None
) -> Iterator[MoodlePeer]:
    """The sample shop over the peer's sample courses; no web process does any work, it only queues it."""
    monkeypatch.setitem(wake._broker, "away_until", float("inf"))
    current_app.conf.update(task_always_eager=False)
    _open_shop(settings, moodle_peer)
    yield moodle_peer
    current_app.conf.update(task_always_eager=True)


def _open_shop(settings: Any, peer: MoodlePeer) -> None:
    use_peer(settings, peer)
    seed(peer.site)
    run_sync_courses()
    load_sample()


def work() -> None:
    """What a worker does until nothing is left to be done, however long it would have waited."""
    for _round in range(20):
        queued = Job.objects.filter(state=Job.State.QUEUED)
        queued.update(not_before=timezone.now())
        if not (jobs.run_due() + production.run_due()):
            return
    raise AssertionError("work without an end")


def user_of(peer: MoodlePeer, email: str) -> User:
    """Whose login it is at the peer, whatever the case of his address there."""
    [found] = [user for user in peer.site.living_users() if user.email.lower() == email.lower()]
    return found


def there(peer: MoodlePeer, shortname: str) -> Course:
    course = peer.site.course_named(shortname)
    assert course is not None
    return course
