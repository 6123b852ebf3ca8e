"""Parameters of `buycourse`, and what it asks of the customer."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from courses.models import validate_shortname
from handlers.contract import CustomerDataForm
from handlers.fields import MAX_COUNT, DaysField, TextField, WholeField
from handlers.params import ParamsForm
from handlers.shared_params import support_course

DEFAULT_DAYS = 365


class BuyCourseParams(ParamsForm):
    """Where the course is made, from what, and for how long (seed "Achat d'un espace de cours")."""

    coursecategory = WholeField(
        label=_("Category"), most=999_999_999, required=True, help_text=_("Number of the course category.")
    )
    template = TextField(
        label=_("Template"),
        max_length=100,
        help_text=_(
            "Short name of the course that is copied, without its people: from its newest backup without user data, "
            "or as it is now where courses live in a Moodle. Empty: an empty course."
        ),
    )
    duration = DaysField(
        label=_("Duration in days"), default=DEFAULT_DAYS, help_text=_("Days of 24 hours from the purchase.")
    )
    customersupport = support_course()
    maxparticipants = WholeField(
        label=_("Most participants"),
        most=MAX_COUNT,
        help_text=_("The most people with a learner role in the course. Empty: no limit."),
    )


class CourseWish(CustomerDataForm):
    """The names of one course space."""

    fullname = forms.CharField(
        label=_("Title of the course"), max_length=254, help_text=_("As its participants will read it.")
    )
    idnumber = forms.CharField(
        label=_("Short name"),
        max_length=80,
        validators=[validate_shortname],
        help_text=_("The short name you would like; a number is added to it if it is taken."),
    )

    def clean_fullname(self) -> str:
        """On one line, as a title is."""
        return " ".join(self.cleaned_data["fullname"].split())
