"""Course spaces on a remote platform, their delivery killed after every statement and every commit, end the same.

There is no transaction around the calls: whatever the dead process had made is found again, under its own name.
"""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import CatalogItem
from courses.models import CourseSpace, PlatformLogin
from tests.concurrency.killing import count_steps, run_killed
from tests.concurrency.test_space_kill import (  # noqa: F401 - fixtures
    Bought,
    _nothing_runs_by_itself,
    item,
    named,
)
from tests.portal.elsewhere import Elsewhere, install_elsewhere

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
PARTS = 2


@pytest.fixture(autouse=True)
def platform(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    platform = install_elsewhere(monkeypatch, settings)
    platform.checks_transactions = True
    return platform


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_the_spaces_are_there_once_with_their_names(
    item: CatalogItem,  # noqa: F811
    platform: Elsewhere,
    part: int,
) -> None:
    whole = Bought(item)
    total = count_steps(whole.deliver)
    expected = named(whole.end_state(), whole)
    assert whole.end_state()["spaces"] == [(1, "N", "First"), (2, "N-2", "Second"), (3, "N-x", "Third")]
    assert total > 30
    for step in range(1 + part, total + 1, PARTS):
        killed = Bought(item)
        assert run_killed(killed.deliver, after=step), step
        killed.resume()
        assert named(killed.end_state(), killed) == expected, f"killed after step {step} of {total}"
        owner = CourseSpace.objects.filter(account=killed.customer.account)[0].owner
        assert PlatformLogin.objects.get(person=owner).needs_password
