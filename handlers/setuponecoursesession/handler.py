"""`setuponecoursesession`: a whole session of a course in one purchase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from courses.models import Course
from handlers.base import Handler
from handlers.contract import SeatMode
from handlers.setuponecoursesession.forms import SessionParams


class SetUpOneCourseSession(Handler):
    """Enrols the people named at the purchase, one seat each, in one course and one group."""

    name = "setuponecoursesession"
    label = _("Set up a training session")
    Params = SessionParams
    seat_mode = SeatMode.QUANTITY

    def courses(self, values: Mapping[str, Any]) -> list[Course]:
        return list(Course.objects.filter(shortname=values["coursename"]))
