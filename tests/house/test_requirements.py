"""The lock files hold what pyproject.toml asks for, with hashes, and name no place to fetch it from."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.house.house import ROOT, assert_none


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE))


def wanted(name: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [
        *project["project"]["dependencies"],
        *(project["dependency-groups"]["dev"] if name == "dev" else []),
    ]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", ["base", "dev"])
def test_every_dependency_is_pinned_as_pyproject_allows(name):
    pinned = pins(name)
    unmet = [
        str(requirement)
        for requirement in wanted(name)
        if not requirement.specifier.contains(Version(pinned.get(requirement.name, "0")))
    ]
    assert_none(unmet)


def test_development_uses_the_very_versions_that_run_in_production():
    assert pins("base").items() <= pins("dev").items()


@pytest.mark.parametrize("name", ["base", "dev"])
def test_every_pin_has_hashes_and_no_file_names_a_host(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    assert not re.search(r"==\S+( ;[^\n]*)?\n(?!    --hash)", text.replace(" \\\n", "\n"))
