"""A Moodle site in a process of its own, as slow as a real one was measured to be: `python -m bench.moodle_site`.

Prints its address, its token and the number of a course. For each line that it reads it prints the calls that came
since the last one and the seconds it was busy with them.
"""

from __future__ import annotations

import sys

from tests.moodle.peer.delays import Delays
from tests.moodle.peer.peer import MoodlePeer


def main() -> None:
    with MoodlePeer(delays=Delays.measured()) as peer:
        course = peer.site.add_course("BENCH-SITE", "Bench")
        print(peer.url, peer.token, course.id, flush=True)
        for _line in sys.stdin:
            print(len(peer.calls), peer.busy_seconds, flush=True)
            peer.forget_calls()


if __name__ == "__main__":
    main()
