"""What changes seats. Everybody else calls these functions; the modules beside this one are the workshop."""

from delegation.refusals import Refused
from seats.services.apply import run_apply
from seats.services.generate import generate_seats
from seats.services.lists import apply_here, choose_pool, create_list, discard, plan, start_apply

__all__ = [
    "Refused",
    "apply_here",
    "choose_pool",
    "create_list",
    "discard",
    "generate_seats",
    "plan",
    "run_apply",
    "start_apply",
]
