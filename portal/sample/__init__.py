"""The sample shop: what `manage.py demo` loads, and what tests and visitors click through."""

from portal.sample.load import PASSWORD, load_sample

__all__ = ["PASSWORD", "load_sample"]
