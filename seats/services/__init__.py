"""What changes seats. Everybody else calls these functions; the modules beside this one are the workshop."""

from delegation.refusals import Refused
from seats.services.generate import generate_seats

__all__ = ["Refused", "generate_seats"]
