"""What changes seats. Everybody else calls these functions; the modules beside this one are the workshop."""

from delegation.refusals import Refused
from seats.services.apply import NotTold, run_apply
from seats.services.changing import correct_address, release, replace, start_change
from seats.services.changing_far import run_change
from seats.services.generate import generate_seats
from seats.services.life_expire import Ended, run_expire
from seats.services.life_extend import Extended, check_extend, run_extend
from seats.services.life_staff import Done, extend_until, restore, set_courses, withdraw
from seats.services.lists import apply_here, choose_pool, create_list, discard, plan, plan_again, start_apply
from seats.services.notices import tell_endings
from seats.services.opening import note_openings, record_opening, run_note_openings
from seats.services.resending import resend
from seats.services.session import SessionDone, SessionRefused, set_up_session
from seats.services.sessionrows import Named, SessionOrder

__all__ = [
    "Done",
    "Ended",
    "Extended",
    "Named",
    "NotTold",
    "Refused",
    "SessionDone",
    "SessionOrder",
    "SessionRefused",
    "apply_here",
    "check_extend",
    "choose_pool",
    "correct_address",
    "create_list",
    "discard",
    "extend_until",
    "generate_seats",
    "note_openings",
    "plan",
    "plan_again",
    "record_opening",
    "release",
    "replace",
    "resend",
    "restore",
    "run_apply",
    "run_change",
    "run_expire",
    "run_extend",
    "run_note_openings",
    "set_courses",
    "set_up_session",
    "start_apply",
    "start_change",
    "tell_endings",
    "withdraw",
]
