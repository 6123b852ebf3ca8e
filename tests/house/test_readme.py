"""The README says what is true."""

import re

from tests.house.house import LAYERS, ROOT, assert_none

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_exactly_the_settings_that_are_read():
    source = (ROOT / "shopseats" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"", source))
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", README, flags=re.MULTILINE))
    assert_none(f"read but not listed: {name}" for name in sorted(read - listed))
    assert_none(f"listed but not read: {name}" for name in sorted(listed - read))


def test_the_readme_lists_the_apps_from_top_to_bottom():
    assert [
        name for name in re.findall(r"^\| `(\w+)/` \|", README, flags=re.MULTILINE) if name in LAYERS
    ] == list(LAYERS)


def test_every_make_target_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert_none(sorted(set(re.findall(r"\bmake ([a-z]+)", README)) - targets))


def test_the_compose_file_holds_no_secret_and_copies_every_folder_the_product_runs_from():
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert_none(
        name for name in (*LAYERS, "templates", "static", "locale") if f"COPY {name} {name}\n" not in compose
    )
    settings = re.findall(r"^\s+(\w*(?:SECRET|PASSWORD)\w*): (.*)$", compose, flags=re.MULTILINE)
    assert settings
    assert_none(f"{name}: {value}" for name, value in settings if not value.startswith("${" + name + ":?"))
