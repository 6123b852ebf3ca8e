"""`generateseats`: unassigned seats, given to people later (seed "Ajout de sièges non affectés")."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from handlers.base import Handler
from handlers.contract import SeatMode
from handlers.generateseats.forms import GenerateSeatsParams


class GenerateSeats(Handler):
    """Makes quantity × packsize seats."""

    name = "generateseats"
    label = _("Unassigned seats")
    Params = GenerateSeatsParams
    seat_mode = SeatMode.NONE
