"""What changes seats. Everybody else calls these functions; the modules beside this one are the workshop."""

from delegation.refusals import Refused
from seats.services.apply import NotTold, run_apply
from seats.services.changing import correct_address, release, replace
from seats.services.generate import generate_seats
from seats.services.lists import apply_here, choose_pool, create_list, discard, plan, start_apply
from seats.services.opening import note_openings, record_opening
from seats.services.resending import resend
from seats.services.session import SessionDone, SessionRefused, set_up_session
from seats.services.sessionrows import Named, SessionOrder

__all__ = [
    "Named",
    "NotTold",
    "Refused",
    "SessionDone",
    "SessionOrder",
    "SessionRefused",
    "apply_here",
    "choose_pool",
    "correct_address",
    "create_list",
    "discard",
    "generate_seats",
    "note_openings",
    "plan",
    "record_opening",
    "release",
    "replace",
    "resend",
    "run_apply",
    "set_up_session",
    "start_apply",
]
