"""`docs/promises.md` names tests that exist, and says of every sentence what became of it."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.house.house import ROOT, assert_none

PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
REFERENCE = re.compile(r"`([\w/]+\.py)::(\w+)`")
ROWS = [row for row in PAGE.splitlines() if row.startswith("| «")]


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, those inside classes too; none when there is no such file."""
    file = ROOT / "tests" / path
    if not file.exists():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_test_that_is_named_exists():
    named = REFERENCE.findall(PAGE)
    assert len(named) > 80
    assert_none(f"{path}::{name}" for path, name in named if name not in names_in(path))


def test_only_tests_are_named():
    assert_none(name for _path, name in REFERENCE.findall(PAGE) if not name.startswith("test_"))


def test_every_sentence_has_a_test_or_says_why_not():
    assert len(ROWS) > 70
    assert_none(
        row
        for row in ROWS
        if not REFERENCE.search(row.split("|")[2])
        and row.split("|")[2].strip() not in {"**left out**", "**not yet**"}
    )


def test_every_sentence_says_where_it_is_in_the_product():
    assert_none(row for row in ROWS if len(row.split("|")) != 5 or not row.split("|")[3].strip())
