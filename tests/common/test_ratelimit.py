"""How often something may be done in a while."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import time_machine
from django.core.cache import cache

from common.ratelimit import hit

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_limit_is_allowed_and_the_next_is_not():
    with time_machine.travel(NOON, tick=False):
        assert [hit("sign-in:zoe@example.org", 3, 60) for _ in range(5)] == [True, True, True, False, False]


def test_counting_starts_again_in_the_next_window():
    with time_machine.travel(NOON, tick=False) as clock:
        assert hit("key", 1, 60)
        assert not hit("key", 1, 60)
        clock.shift(timedelta(seconds=60))
        assert hit("key", 1, 60)


def test_keys_are_counted_apart():
    with time_machine.travel(NOON, tick=False):
        assert hit("a", 1, 60)
        assert hit("b", 1, 60)
        assert hit("a", 1, 3600)
        assert not hit("a", 1, 60)


def test_a_limit_of_nothing_allows_nothing():
    assert not hit("key", 0, 60)


def test_a_key_may_hold_anything_and_is_not_kept_in_clear(monkeypatch):
    names: list[str] = []

    def incr(name: str) -> int:
        names.append(name)
        return 1

    monkeypatch.setattr(cache, "incr", incr)
    assert hit("zoë@example.org \ud800\n" * 100, 1, 60)
    assert "example" not in names[0]
    assert len(names[0]) < 200


def test_a_counter_that_was_evicted_starts_again(monkeypatch):
    monkeypatch.setattr(cache, "add", lambda *args, **kwargs: False)
    assert hit("key", 1, 60)
    assert not hit("key", 1, 60)


def test_hits_at_the_same_moment_are_all_counted():
    with time_machine.travel(NOON, tick=False), ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: hit("key", 5, 3600), range(40)))
    assert sum(allowed) == 5
