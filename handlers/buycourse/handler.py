"""`buycourse`: a course of the customer's own for a time."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from handlers.base import Handler
from handlers.buycourse.forms import BuyCourseParams, CourseWish
from handlers.contract import SeatMode


class BuyCourse(Handler):
    """Makes one course space per unit."""

    name = "buycourse"
    label = _("Course space")
    Params = BuyCourseParams
    CustomerData = CourseWish
    seat_mode = SeatMode.NONE
