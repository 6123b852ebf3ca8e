"""Parameters of `generateseats`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from handlers.fields import MAX_COUNT, CourseListField, DaysField, MomentField, WholeField
from handlers.params import ParamsForm
from handlers.shared_params import supervisor_role, support_course


class GenerateSeatsParams(ParamsForm):
    """What the seats are good for, how many, and for how long."""

    courselist = CourseListField(
        label=_("Courses"),
        help_text=_(
            "Short names, comma separated; * stands for any characters. Read again at each assignment. Empty: every "
            "open course."
        ),
    )
    supervisor = supervisor_role()
    packsize = WholeField(
        label=_("Seats per unit"), most=MAX_COUNT, default=1, help_text=_("Seats made for each unit bought.")
    )
    validity = DaysField(
        label=_("Days to give the seats"),
        help_text=_("Days of 24 hours from the purchase in which a seat may be given. Empty: no limit."),
    )
    duration = DaysField(
        label=_("Access in days"),
        help_text=_("Days of 24 hours from the day a seat is given. Give this or an end, not both."),
    )
    endtime = MomentField(
        label=_("End of access"),
        relative=True,
        help_text=_(
            "Days and hours from the day a seat is given, like +7D +10H; or a date like 2027-07-31 (that day "
            "included), a date and time or a timestamp in seconds, which ends both the seats and the access."
        ),
    )
    customersupport = support_course()
