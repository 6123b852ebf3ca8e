"""A loopback peer that behaves as a Moodle 4.2 site was measured to behave (`python -m tests.moodle.peer`)."""

from tests.moodle.peer.calls import Call
from tests.moodle.peer.delays import Delays
from tests.moodle.peer.faults import Fault, FaultPlan, Kind
from tests.moodle.peer.peer import MoodlePeer
from tests.moodle.peer.site import Site

__all__ = ["Call", "Delays", "Fault", "FaultPlan", "Kind", "MoodlePeer", "Site"]
