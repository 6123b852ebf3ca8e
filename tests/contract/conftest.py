from __future__ import annotations

import pytest

from tests.contract.sites import SITES, Site


@pytest.fixture(params=sorted(SITES))
def site(request: pytest.FixtureRequest, db: None) -> Site:
    """Each platform in turn."""
    return SITES[request.param](request)
