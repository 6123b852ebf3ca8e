"""Seats come into the world, once each, however often and by whomever they are asked for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import CustomerAccount
from common.references import check_reference
from seats.models import Seat, SeatPool
from seats.services import generate, generate_seats
from tests.accounts.factories import make_account
from tests.seats.factories import states

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> CustomerAccount:
    return make_account()


def terms(account: CustomerAccount, **fields: Any) -> dict[str, Any]:
    return {
        "line_key": uuid.uuid4(),
        "account_id": account.pk,
        "item_code": "SEATS",
        "item_name": "Seats",
        "bill_number": "CMD-1",
        "count": 5,
        "purchased_at": timezone.now(),
    } | fields


def test_a_line_has_as_many_seats_as_were_bought_each_with_a_reference_of_its_own(account):
    wanted = terms(account, courselist="A*", supervisor="tutor", access_seconds=60, renewable=True)

    assert generate_seats(**wanted) == 5

    pool = SeatPool.objects.get(line_key=wanted["line_key"])
    assert (pool.size, pool.courselist, pool.supervisor, pool.access_seconds, pool.renewable) == (
        5,
        "A*",
        "tutor",
        60,
        True,
    )
    seats = list(pool.seats.order_by("ordinal"))
    assert [seat.ordinal for seat in seats] == [1, 2, 3, 4, 5]
    assert len({seat.reference for seat in seats}) == 5
    assert all(check_reference(seat.reference) for seat in seats)
    assert {seat.account_id for seat in seats} == {account.pk}
    assert states(account) == {"free": 5}


def test_the_same_line_again_makes_nothing_new(account):
    wanted = terms(account)
    generate_seats(**wanted)
    before = list(Seat.objects.order_by("id").values_list("id", "reference"))

    assert generate_seats(**wanted) == 5

    assert list(Seat.objects.order_by("id").values_list("id", "reference")) == before
    assert SeatPool.objects.count() == 1


def test_what_an_interrupted_attempt_left_out_is_made_and_what_it_made_stays(account, monkeypatch):
    wanted = terms(account, count=7)
    monkeypatch.setattr(generate, "CHUNK", 2)
    beats = 0

    def die_at_the_third() -> None:
        nonlocal beats
        beats += 1
        if beats == 3:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        generate_seats(**wanted, heartbeat=die_at_the_third)
    kept = dict(Seat.objects.values_list("ordinal", "reference"))
    assert sorted(kept) == [1, 2, 3, 4]
    Seat.objects.filter(ordinal=2).delete()  # and a hole, as two attempts at once might leave

    assert generate_seats(**wanted) == 7

    now = dict(Seat.objects.values_list("ordinal", "reference"))
    assert sorted(now) == [1, 2, 3, 4, 5, 6, 7]
    assert {ordinal: now[ordinal] for ordinal in (1, 3, 4)} == {
        ordinal: kept[ordinal] for ordinal in (1, 3, 4)
    }


def test_the_lease_is_renewed_before_every_chunk(account, monkeypatch):
    monkeypatch.setattr(generate, "CHUNK", 2)
    seen: list[int] = []

    generate_seats(**terms(account, count=5), heartbeat=lambda: seen.append(Seat.objects.count()))

    assert seen == [0, 2, 4]


def test_a_reference_drawn_twice_is_drawn_again(account, monkeypatch):
    generate_seats(**terms(account, count=1))
    taken = Seat.objects.get().reference
    drawn = iter([[taken, "AAAA-AAAA-AAAA-AAAA"], ["BBBB-BBBB-BBBB-BBBB"]])
    monkeypatch.setattr(generate, "new_references", lambda count: next(drawn))

    generate_seats(**terms(account, count=2))

    assert set(Seat.objects.values_list("reference", flat=True)) == {
        taken,
        "AAAA-AAAA-AAAA-AAAA",
        "BBBB-BBBB-BBBB-BBBB",
    }


def test_the_figures_of_the_account_are_void_afterwards(account):
    generate_seats(**terms(account))

    account.refresh_from_db()
    assert account.stamp == 1


@pytest.mark.parametrize("change", [{"count": 6}, {"account_id": None}])
def test_a_line_known_with_another_number_or_account_is_an_error_and_nothing_changes(account, change):
    wanted = terms(account)
    generate_seats(**wanted)
    if "account_id" in change:
        change = {"account_id": make_account().pk}

    with pytest.raises(ValueError, match="has 5 seats"):
        generate_seats(**(wanted | change))

    assert Seat.objects.count() == 5


@pytest.mark.parametrize("count", [0, -1])
def test_a_line_without_seats_is_an_error(account, count):
    with pytest.raises(ValueError, match="at least one"):
        generate_seats(**terms(account, count=count))

    assert not SeatPool.objects.exists()
