"""`python -m tests.moodle.peer --port 8900 --seed demo`: the peer as a process of its own, until it is interrupted."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading

from tests.moodle.peer.delays import Delays
from tests.moodle.peer.demo import EDITING_TEACHER, STUDENT, TEACHER, seed
from tests.moodle.peer.peer import HOST, MoodlePeer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.moodle.peer", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; any free one without it")
    parser.add_argument("--seed", choices=["demo"], help="what the site holds at the start")
    parser.add_argument(
        "--delays", action="store_true", help="take the time that a real site was measured to take"
    )
    arguments = parser.parse_args()
    peer = MoodlePeer(port=arguments.port, delays=Delays.measured() if arguments.delays else None)
    if arguments.seed == "demo":
        seed(peer.site)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with peer, contextlib.suppress(KeyboardInterrupt):
        told = {
            "COURSE_PLATFORM": "moodle",
            "MOODLE_URL": peer.url,
            "MOODLE_TOKEN": peer.token,
            "MOODLE_ROLES": f"student:{STUDENT},teacher:{TEACHER},editingteacher:{EDITING_TEACHER}",
            "SHOPSEATS_PRIVATE_HOSTS": HOST,  # plain http, on this machine
        }
        print(*(f"export {name}={value}" for name, value in told.items()), sep="\n", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
