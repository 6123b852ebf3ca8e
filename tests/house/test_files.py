"""Sizes, names and places of files."""

import ast
import re

from tests.house.house import LAYERS, ROOT, app_files, assert_none, files, name_of

LONGEST = 400

TOP_LEVEL = {
    "manage.py", "pyproject.toml", "README.md", "docker-compose.yml", "Makefile", ".gitignore", ".ci",
    *LAYERS,
    "templates", "tests", "static", "locale", "docs", "bench", "requirements",
}  # fmt: skip
NOT_COMMITTED = {
    ".git",
    ".venv",
    "var",
    ".env",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
}

# The same names mean the same thing in every app; each may be a module or a package.
VOCABULARY = {
    "__init__", "admin", "apps", "checks", "context", "forms", "mails", "management", "migrations", "models",
    "selectors", "services", "tasks", "templatetags", "urls", "views",
}  # fmt: skip

# What an app holds beside them, and why.
OWN_WORDS = {
    "shopseats": {"settings", "celery", "wsgi", "asgi", "health", "middleware"},
    "billing": {"production", "sweeper", "gateways", "documents", "checkout", "steps"},
    # A library: the contract, and what every handler builds on.
    "handlers": {
        "contract", "registry", "params", "base", "encoding", "enrolling", "fields", "localshop", "moments", "shared_params",
        "support", "words",
        "generateseats", "setuponecoursesession", "buycourse", "enrolonecourse", "extendenrolperiod",
    },
    "seats": {
        "seatrow",  # the picture of a pool of seats, drawn on pages and in mails
        "wording",  # verdicts and problems as sentences
    },
    "delegation": {"refusals"},  # why a service says no, for this app and those above
    "courses": {
        "platform", "platforms", "builtin", "moodle",
        "wording",  # why a platform refuses, as words
    },
    "accounts": {
        "adapter",  # allauth's name for where its behaviour is changed
        "access",  # who may do what
        "backends",  # Django's name for how a password is checked
        "links",  # the addresses that mails carry
    },
    "catalog": {
        "cards",  # items as the list draws them
        "documents",  # items as JSON
        "files",  # uploads, re-encoded or refused
        "offers",  # items as handlers see them
        "prices", "units",  # what a buyer reads
        "questions",  # of the shop's own: asked, checked, frozen
        "rehearsal",  # what an item would deliver
    },
    "portal": {
        "sample",  # the sample shop
        "middleware",  # a temporary password is changed before anything else
    },
}  # fmt: skip


def test_the_top_level_holds_only_what_the_design_names():
    found = {path.name for path in ROOT.iterdir()} - NOT_COMMITTED - {"__pycache__"}
    assert_none(found - TOP_LEVEL)


def test_no_file_is_longer_than_400_lines():
    long = {
        name_of(path): count
        for path in files(".py", ".html", ".css", ".js")
        if not {"locale", "migrations"}.intersection(path.parts)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert_none(long.items())


def test_file_names_inside_an_app_come_from_one_vocabulary():
    strange = []
    for app in LAYERS:
        if app == "common":  # a library: its modules are named after what they do
            continue
        allowed = VOCABULARY | OWN_WORDS.get(app, set())
        strange += [
            name_of(path)
            for path in sorted((ROOT / app).iterdir())
            if path.name != "__pycache__" and path.stem not in allowed
        ]
    assert_none(strange)


def test_no_import_hides_inside_a_function():
    hidden = []
    for path in app_files(".py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            # Django loads apps.py before any model may be imported, and offers ready() for what follows.
            if path.name == "apps.py" and getattr(function, "name", "") == "ready":
                continue
            hidden += [
                f"{name_of(path)}:{node.lineno}"
                for node in ast.walk(function)
                if isinstance(node, ast.Import | ast.ImportFrom)
            ]
    assert_none(hidden)


def test_no_domain_signals():
    used = [
        name_of(path)
        for path in app_files(".py")
        if re.search(r"\b(post|pre)_(save|delete|init)\b|\bm2m_changed\b", path.read_text(encoding="utf-8"))
    ]
    assert_none(used)


def test_no_test_is_skipped_in_silence():
    """A test that needs something says so with a ``needs_`` marker, which is counted and can be demanded."""
    pattern = re.compile(r"pytest\.skip\(|mark\.skip|mark\.xfail|importorskip|unittest\.skip")
    found = [
        name_of(path)
        for path in files(".py", under="tests")
        if path.name != "test_files.py" and pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert_none(found)


def test_no_committed_file_names_a_package_host_or_a_place_on_somebody_s_machine():
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "npmjs" + ".org",
        "npmjs" + ".com",
        "deb.debian" + ".org",
    )
    places = re.compile(
        r"(?<![\w.$}/])/(?:" + "|".join(("wor" + "k", "roo" + "t", "hom" + "e", "Use" + "rs")) + r")/"
    )
    found = []
    for path in files():
        if path.suffix in {".mo", ".png", ".jpg", ".webp", ".ico", ".pdf", ".xlsx", ".woff2"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name_of(path)}: {host}" for host in hosts if host in text]
        found += [f"{name_of(path)}: {match.group()}" for match in places.finditer(text)]
    assert_none(found)
