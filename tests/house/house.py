"""The rules of the house as data, and the files they are checked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Top to bottom: imports and foreign keys only point down.
LAYERS = (
    "shopseats",
    "portal",
    "billing",
    "catalog",
    "handlers",
    "seats",
    "delegation",
    "courses",
    "accounts",
    "common",
)

NOT_OURS = {".git", ".venv", "var", "__pycache__"}


def files(*suffixes: str, under: str = ".") -> Iterator[Path]:
    """Every file of the project with one of these suffixes (all without any), sorted, caches left out."""
    for path in sorted((ROOT / under).rglob("*")):
        parts = path.relative_to(ROOT).parts
        if any(part in NOT_OURS or part.endswith("_cache") for part in parts) or not path.is_file():
            continue
        if not suffixes or path.suffix in suffixes:
            yield path


def app_files(*suffixes: str) -> Iterator[Path]:
    """Files of the apps themselves, without their migrations (which Django writes)."""
    for app in LAYERS:
        for path in files(*suffixes, under=app):
            if "migrations" not in path.relative_to(ROOT).parts:
                yield path


def name_of(path: Path) -> str:
    """Path as it is written in a message."""
    return path.relative_to(ROOT).as_posix()


def assert_none(found: Iterable[object]) -> None:
    """Fail with one line for each thing found."""
    lines = [str(thing) for thing in found]
    assert not lines, "\n".join(["", *lines])
