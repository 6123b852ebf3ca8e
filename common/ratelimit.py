"""How often something may be done in a while, counted in the cache."""

from __future__ import annotations

import hashlib
import time

from django.core.cache import cache


def hit(key: str, limit: int, seconds: int) -> bool:
    """Count one more hit on this key; True while it is allowed, False from the hit that exceeds the limit.

    The window is fixed: counting starts again every so many seconds. The key may hold anything (an address, an
    e-mail): only its digest is stored. Where the cache is not shared, each process counts for itself.
    """
    window = int(time.time()) // seconds
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    name = f"ratelimit:{digest}:{seconds}:{window}"
    cache.add(name, 0, timeout=seconds)
    try:
        count = cache.incr(name)
    except ValueError:
        # The counter was evicted between the two lines.
        count = 1
        cache.set(name, count, timeout=seconds)
    return count <= limit
