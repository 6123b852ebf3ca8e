"""What an operator reads of a seat is in the seller's time."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command

from tests.accounts.factories import make_account
from tests.seats.factories import make_pool

pytestmark = pytest.mark.django_db


def test_seathistory_tells_the_time_in_the_zone_of_the_seller():
    pool = make_pool(make_account(), 1, purchased_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    out = StringIO()
    call_command("seathistory", pool.seats.get().reference, stdout=out)
    assert out.getvalue() == "2026-07-02 00:30  made\n"
