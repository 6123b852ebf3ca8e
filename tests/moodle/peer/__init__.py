"""A loopback peer that behaves as a Moodle 4.2 site was measured to behave.

    with MoodlePeer() as peer:                       # or the fixture moodle_peer
        course = peer.site.add_course("C1", pages=["Welcome"])
        ...                                          # calls to peer.url with peer.token
        fault = peer.faults.add("enrol_manual_enrol_users", "timeout_after")
        peer.site.now = lambda: 1_800_000_000.0
        assert len(peer.calls_of("core_user_create_users")) == 1

`site` (site.py) plays administrators, teachers and participants; `faults` (faults.py) lists what can go wrong on the way;
`peer.away()` refuses connections; `Delays.measured()` takes the time that a real site took. As a process of its own, to
click through: `python -m tests.moodle.peer --port 8900 --seed demo`.
"""

from tests.moodle.peer.calls import Call
from tests.moodle.peer.delays import Delays
from tests.moodle.peer.faults import Fault, FaultPlan, Kind
from tests.moodle.peer.peer import MoodlePeer
from tests.moodle.peer.site import Site

__all__ = ["Call", "Delays", "Fault", "FaultPlan", "Kind", "MoodlePeer", "Site"]
