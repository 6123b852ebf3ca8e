"""What every test starts from. The harness itself is in tests/plugins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.utils import timezone, translation

from courses.moodle import circuit, turns


@pytest.fixture(autouse=True)
def _clean_slate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test inherits another's cached values, rate limits, language or time zone."""
    cache.clear()
    circuit.forget()
    # A call without an answer keeps nobody waiting, except in the tests of just that.
    monkeypatch.setattr(turns, "SETTLE", 0.0)
    yield
    translation.deactivate()
    timezone.deactivate()
