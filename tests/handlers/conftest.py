from __future__ import annotations

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _english() -> None:
    """Messages are asserted in the language of the source."""
    translation.activate("en")
