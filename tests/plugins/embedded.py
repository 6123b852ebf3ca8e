"""Lets the suite run on a machine with no server at all, and says what it left out.

Loaded with ``-p`` so that it is imported before Django's settings are. A test names what it cannot do
without (``needs_postgresql``, ``needs_redis``, ``needs_browser``); when that is missing the test is
deselected and one line at the end counts it. ``SHOPSEATS_REQUIRE_ALL=1`` turns the same into an error.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import settings as hypothesis_settings
from hypothesis.configuration import set_hypothesis_home_dir

from tests.plugins import services

pytest_plugins = [
    "tests.plugins.sockets",
    "tests.plugins.redis_server",
    "tests.plugins.browser",
    "tests.plugins.moodle",
]

ROOT = Path(__file__).resolve().parents[2]
DESELECTED = pytest.StashKey[dict[str, Any]]()
FIXTURES_OF = {"browser": {"browser_page", "chromium_browser"}, "redis": {"redis_url"}}
KEPT_VARIABLES = {"SHOPSEATS_REQUIRE_ALL", services.REDIS_VARIABLE}

# The same examples in every run: a suite that fails must fail again.
hypothesis_settings.register_profile("shopseats", derandomize=True, deadline=None, database=None)
hypothesis_settings.load_profile("shopseats")


def prepare_environment() -> None:
    """Make a folder for all that this process writes, and forget the settings of whoever started it.

    Redis is left to the tests that ask for it (``redis_url``): the others keep the local
    cache and run tasks in their own process, so that they behave alike on every machine.
    """
    for name in list(os.environ):
        if name.startswith("SHOPSEATS_") and name not in KEPT_VARIABLES:
            del os.environ[name]
    moodle = [f"MOODLE_{name}" for name in ("URL", "TOKEN", "ROLES", "OVERSIGHT_ROLE", "TIMEOUT")]
    for name in ("EMAIL_URL", "COURSE_PLATFORM", *moodle):
        os.environ.pop(name, None)
    redis_url = os.environ.pop("REDIS_URL", "")
    os.environ.setdefault(services.REDIS_VARIABLE, redis_url)
    os.environ["DJANGO_LIVE_TEST_SERVER_ADDRESS"] = "127.0.0.1"
    scratch = Path(tempfile.mkdtemp(prefix="shopseats-test-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    os.environ["SHOPSEATS_VAR"] = str(scratch)
    set_hypothesis_home_dir(scratch / "hypothesis")
    os.environ["SHOPSEATS_SECRET_KEY"] = "a key for tests only, as long as a real one would be"


prepare_environment()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of pytest-xdist's workers."""
    return hasattr(config, "workerinput")


def compile_catalogues(locale: Path) -> None:
    """Compile every catalogue under ``locale`` whose compiled file is missing or older than its source."""
    for source in locale.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as stream:
            catalogue = read_po(stream, locale=source.parts[-3])
        # Written beside and moved, since another process may be reading the old one.
        beside = target.with_suffix(f".{os.getpid()}.tmp")
        with beside.open("wb") as compiled:
            write_mo(compiled, catalogue)
        beside.replace(target)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to start when everything is required and something is missing."""
    if is_worker(config):
        return
    missing = services.missing()
    if missing and os.environ.get("SHOPSEATS_REQUIRE_ALL") == "1":
        wanted = "; ".join(f"{services.LABELS[name]} ({reason})" for name, reason in missing.items())
        raise pytest.UsageError(f"SHOPSEATS_REQUIRE_ALL=1, but not available: {wanted}")
    compile_catalogues(ROOT / "locale")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Hash passwords cheaply: with the product's own algorithm, but not for a third of a second each."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["tests.plugins.hashers.QuickArgon2PasswordHasher"]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the count of deselected tests to the process that prints."""
    if is_worker(session.config):
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output["shopseats_deselected"] = session.config.stash.get(DESELECTED, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Keep a worker's count (every worker collects the whole suite, so one is enough)."""
    found = getattr(node, "workeroutput", {}).get("shopseats_deselected")
    if found:
        node.config.stash[DESELECTED] = found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs a service that is not there."""
    missing = services.missing()
    kept, dropped, reasons = [], [], Counter[str]()
    for item in items:
        for name, fixtures in FIXTURES_OF.items():
            if fixtures.intersection(getattr(item, "fixturenames", ())):
                item.add_marker(f"needs_{name}")
        lacking = [name for name in missing if item.get_closest_marker(f"needs_{name}")]
        if lacking:
            dropped.append(item)
            reasons.update(lacking)
        else:
            kept.append(item)
    if dropped:
        items[:] = kept
        config.hook.pytest_deselected(items=dropped)
        config.stash[DESELECTED] = {"total": len(dropped), "reasons": dict(reasons)}


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the one line about what did not run."""
    found = config.stash.get(DESELECTED, None)
    if found:
        counts = ", ".join(
            f"{count} need {services.LABELS[name]}" for name, count in found["reasons"].items()
        )
        terminalreporter.write_line(f"Not run, for want of a service: {found['total']} tests ({counts}).")
