"""The sample shop: what `manage.py demo` loads, and what tests and visitors click through."""

from portal.sample.load import PASSWORD, load_sample
from portal.sample.walk import Walk, walk

__all__ = ["PASSWORD", "Walk", "load_sample", "walk"]
