"""Pages under load: gunicorn with 2 workers of 2 threads, and wrk with 4 connections, `Connection: close`."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from threading import Event

SECONDS = 5
ROUNDS = 3
READY = 600  # attempts to connect, a twentieth of a second apart


def wrk() -> str:
    """Where wrk is; a plain sentence when it is not there."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("Pages are measured with wrk: install it (Debian package wrk).")
    return found


@contextmanager
def served(application: str) -> Iterator[int]:
    """Serve a WSGI application on a free port of this machine; yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "2", "--worker-class", "gthread", "--log-level", "error"]
    with subprocess.Popen(command) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    for _attempt in range(READY):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            Event().wait(0.05)
            continue
        finally:
            connection.close()
        return
    raise SystemExit(f"Nothing answers on port {port}.")


def rates(pages: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    """Requests per second of each page (name → address, cookie): median of interleaved rounds."""
    for address, cookie in pages.values():
        _load(address, cookie, seconds=1)
    found: dict[str, list[float]] = {name: [] for name in pages}
    for _round in range(ROUNDS):
        for name, (address, cookie) in pages.items():
            found[name].append(_load(address, cookie, seconds=SECONDS))
    return {name: median(rounds) for name, rounds in found.items()}


def _load(address: str, cookie: str, *, seconds: int) -> float:
    command = [wrk(), "-t2", "-c4", f"-d{seconds}s", "-H", "Connection: close"]
    if cookie:
        command += ["-H", f"Cookie: {cookie}"]
    said = subprocess.run([*command, address], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(f"{address} does not answer 200:\n{said}")
    [rate] = re.findall(r"Requests/sec:\s+([\d.]+)", said)
    return float(rate)
