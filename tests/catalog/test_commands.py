"""`setitem` and `checkitems`."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from catalog.models import CatalogItem
from tests.catalog.factories import make_item, make_shop

pytestmark = pytest.mark.django_db


def run(capsys, *args):
    call_command(*args, "--json")
    return json.loads(capsys.readouterr().out)


def test_setitem_creates_and_prints_the_item(capsys):
    make_shop()
    document = run(
        capsys, "setitem", "PACK", "--name", "Lot", "--price", "180", "--category", "Sièges",
        "--handler", "generateseats", "--params", "packsize=10", "--tax", "20.0",
    )  # fmt: skip
    assert document == {
        "code": "PACK",
        "name": "Lot",
        "price": "180.00",
        "currency": "EUR",
        "price_includes_tax": False,
        "tax_rate": "20.00",
        "category": "Sièges",
        "handler": "generateseats",
        "params": "packsize=10",
        "seat_mode": "none",
        "renewable": False,
        "max_quantity": None,
        "unassigned_end": "extend",
        "active": True,
    }


def test_setitem_changes_only_what_is_given(capsys):
    make_item(code="PACK", name_fr="Lot", price=18000, price_includes_tax=True, max_quantity=5)
    document = run(capsys, "setitem", "PACK", "--name", "Paquet")
    assert (document["name"], document["price"], document["price_includes_tax"]) == ("Paquet", "180.00", True)
    assert CatalogItem.objects.get().max_quantity == 5


@pytest.mark.parametrize(
    ("key", "args"),
    [
        ("price", ["--price", "12.555"]),
        ("price", ["--price", "-1"]),
        ("price", ["--price", "NaN"]),
        ("tax", ["--tax", "120"]),
        ("handler", ["--handler", "nothing"]),
        ("params", ["--handler", "generateseats", "--params", "packsize=0"]),
        ("seat_mode", ["--handler", "generateseats", "--seat-mode", "quantity"]),
    ],
)
def test_setitem_refuses_bad_values_with_the_key_and_changes_nothing(key, args):
    item = make_item(code="PACK")
    before = CatalogItem.objects.filter(pk=item.pk).values().get()
    with pytest.raises(CommandError) as refused:
        call_command("setitem", "PACK", *args)
    assert refused.value.returncode == 2
    assert str(refused.value).startswith(f"{key}: ")
    assert CatalogItem.objects.filter(pk=item.pk).values().get() == before


def test_an_inactive_item_may_be_a_draft(capsys):
    document = run(
        capsys, "setitem", "DRAFT", "--name", "Brouillon", "--price", "1",
        "--handler", "generateseats", "--params", "courselist=LATER", "--inactive",
    )  # fmt: skip
    assert document["active"] is False


def test_checkitems_ends_with_1_when_an_item_on_sale_cannot_be_delivered(capsys):
    make_item(code="BAD", handler="generateseats", params="courselist=NOPE")
    with pytest.raises(CommandError) as failed:
        call_command("checkitems", "--json")
    assert failed.value.returncode == 1
    document = json.loads(capsys.readouterr().out)
    assert {"item", "level", "code", "message"} == set(document[0])
    assert ("BAD", "error") in {(one["item"], one["level"]) for one in document}


def test_checkitems_is_content_with_a_sound_item(capsys):
    make_item(code="GOOD", handler="generateseats")
    assert "error" not in {one["level"] for one in run(capsys, "checkitems", "GOOD")}


def test_checkitems_refuses_an_unknown_code():
    with pytest.raises(CommandError) as refused:
        call_command("checkitems", "NOPE")
    assert refused.value.returncode == 2
