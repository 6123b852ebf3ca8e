"""Runs every measurement (`bench_*.py`, or those named) against a scratch database that is dropped afterwards.

PostgreSQL when DATABASE_URL names one, whose role may create databases; else SQLite, which is said.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from bench.scratch import scratch_database


def main(names: list[str]) -> None:
    """Print the lines of each measurement."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    with tempfile.TemporaryDirectory(prefix="shopseats-bench-") as folder:
        os.environ |= {
            "SHOPSEATS_VAR": folder,
            "SHOPSEATS_MAIL": "hold",
            "DJANGO_SETTINGS_MODULE": "shopseats.settings",
        }
        with scratch_database(Path(folder)):
            for name in names or found:
                print(f"== {name}", flush=True)
                for line in import_module(f"bench.{name}").run():
                    print(line, flush=True)


main(sys.argv[1:])
