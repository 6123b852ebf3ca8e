"""What every test starts from. The harness itself is in tests/plugins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.utils import timezone, translation

from courses.moodle import circuit


@pytest.fixture(autouse=True)
def _clean_slate() -> Iterator[None]:
    """No test inherits another's cached values, rate limits, language or time zone."""
    cache.clear()
    circuit.forget()
    yield
    translation.deactivate()
    timezone.deactivate()
