"""Pages of fixtures in the real frame: own addresses, own context, the product's templates and styles."""

from __future__ import annotations

import copy

import pytest
from django.urls import clear_url_caches
from pytest_django.fixtures import Settings

from tests.house.house import ROOT


@pytest.fixture(autouse=True)
def _fixture_pages(settings: Settings) -> None:
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [ROOT / "tests" / "design" / "templates", *templates[0]["DIRS"]]
    processors = templates[0]["OPTIONS"]["context_processors"]
    templates[0]["OPTIONS"]["context_processors"] = [
        *(name for name in processors if name.startswith("django.")),
        "tests.design.personas.persona",
    ]
    settings.TEMPLATES = templates
    settings.ROOT_URLCONF = "tests.design.urls"
    clear_url_caches()
