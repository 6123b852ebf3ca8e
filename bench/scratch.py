"""A database of its own for the measurements."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from django.core.management import call_command


@contextmanager
def scratch_database(folder: Path) -> Iterator[None]:
    """Point the settings at an empty, migrated database and drop it at the end."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith(("postgres", "pgsql")):
        print("DATABASE_URL names no PostgreSQL: measured on SQLite.", flush=True)
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'bench.sqlite3'}"
        _migrate()
        yield
        return
    name = f"shopseats_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        os.environ["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        try:
            _migrate()
            yield
        finally:
            django.db.connections.close_all()
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
