"""The example of `docs/write-a-handler.md` is installed as a package and sells letters."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.house.house import ROOT

EXAMPLE = ROOT / "docs" / "example-handler"
PAGE = ROOT / "docs" / "write-a-handler.md"
OURS = {"DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DJANGO_SETTINGS_MODULE"}


def install(target: Path) -> None:
    """What an installer leaves behind, made from the package's own pyproject: nothing is built or downloaded."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))
    for package in project["tool"]["setuptools"]["packages"]:
        folder = Path(*package.split("."))
        (target / folder).mkdir(parents=True)
        for source in (EXAMPLE / folder).glob("*.py"):
            shutil.copy(source, target / folder)
    about = project["project"]
    info = target / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    lines = []
    for group, entries in about["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))


def run(place: Path, code: str, *, apps: str = "helloletter") -> subprocess.CompletedProcess[str]:
    """Run Python where the package is installed, with a fresh SQLite database."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS} | {
        "DJANGO_SETTINGS_MODULE": "shopseats.settings",
        "PYTHONPATH": os.pathsep.join([str(place / "site"), str(ROOT)]),
        "SHOPSEATS_APPS": apps,
        "SHOPSEATS_VAR": str(place / "var"),
    }
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {code}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shop")
    install(place / "site")
    return place


@pytest.fixture(scope="module")
def shop(site: Path) -> dict[str, Any]:
    """What happened in a shop that sold letters."""
    done = run(site, "from tests.docs.example_shop import main; main()")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_shop_starts_with_the_package_and_knows_its_handler(shop):
    assert shop["system checks"] == []
    (handler,) = shop["handler"]
    assert [field["name"] for field in handler["parameters"]] == ["sheet", "days", "customersupport"]
    assert [field["name"] for field in handler["customer_data"]] == [
        "addressee",
        "street",
        "postcode",
        "town",
    ]
    assert handler["seat_mode"] == "any"


def test_the_shop_admin_is_told_what_is_wrong_with_an_item(shop):
    assert [(found["level"], found["message"]) for found in shop["checkitems"]] == [
        ("error", "There is no sheet poster. There are: welcome, badge."),
        ("warning", "The customer waits more than a month."),
    ]


def test_a_wrong_answer_of_the_customer_is_refused_and_orders_nothing(shop):
    assert shop["refused"] == ["customer_data[1].postcode: Write the five digits of the postcode."]
    assert shop["placed"] == []


def test_a_paid_line_is_delivered_once_per_unit(shop):
    assert shop["paid"] == [[1, 1, "Ada L."], [2, 2, "Bob M."]]
    assert shop["days"] == 3
    assert shop["runs"] == [["prepare", "done"], ["deliver", "done"]]
    assert shop["said"] == ["2 welcome letters will be posted."]


def test_a_delivery_that_is_run_again_leaves_the_same_rows(shop):
    assert shop["delivered again"] == shop["paid"]


def test_a_failed_delivery_makes_nothing_and_completes_once_it_is_repaired(shop):
    assert shop["errors"] == ["sheet: There is no sheet poster. There are: welcome, badge."]
    assert shop["after the failure"] == shop["paid"]
    *before, (_, unit, addressee) = shop["after the repair"]
    assert (before, unit, addressee) == (shop["paid"], 1, "Ada L.")


def test_a_package_whose_app_is_not_named_does_not_start(site):
    done = run(site, "from django.core.management import call_command; call_command('check')", apps="")
    assert done.returncode == 1
    assert "handlers.E00" in done.stderr


def test_its_migrations_are_complete(site):
    code = (
        "from django.core.management import call_command; "
        "call_command('makemigrations', 'helloletter', check_changes=True, dry_run=True)"
    )
    done = run(site, code)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_code_on_the_page_is_the_code_of_the_package():
    """Each block that names a file shows lines of that file, in their order; … stands for what is left out."""
    blocks = re.findall(
        r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 5
    for name, shown in blocks:
        source = (EXAMPLE / name).read_text(encoding="utf-8")
        for part in re.split(r"^ *…\n", shown, flags=re.MULTILINE):
            assert part.strip("\n") in source, name
