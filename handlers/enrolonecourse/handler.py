"""`enrolonecourse`: the buyer's own place in one course."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from courses.models import Course
from handlers.base import Handler
from handlers.contract import SeatMode
from handlers.enrolonecourse.forms import EnrolParams


class EnrolOneCourse(Handler):
    """Enrols the buyer, with one seat."""

    name = "enrolonecourse"
    label = _("Enrol the buyer in a course")
    Params = EnrolParams
    seat_mode = SeatMode.NONE
    max_quantity = 1

    def courses(self, values: Mapping[str, Any]) -> list[Course]:
        return list(Course.objects.filter(shortname=values["coursename"]))
