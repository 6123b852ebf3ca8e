"""Parameters that several handlers have."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from handlers.fields import DaysField, MomentField, TextField


def course_name(**kwargs: Any) -> TextField:
    """`coursename`: the course that people are put into."""
    return TextField(
        label=_("Course"), required=True, help_text=_("Short name of the course."), max_length=100, **kwargs
    )


def learner_role() -> TextField:
    """`role`: what learners are in the course."""
    return TextField(
        label=_("Role of learners"), default="student", max_length=40, help_text=_("Short name of the role.")
    )


def supervisor_role() -> TextField:
    """`supervisor`: what tutors are in the course."""
    return TextField(
        label=_("Role of tutors"), default="teacher", max_length=40, help_text=_("Short name of the role.")
    )


def start_time() -> MomentField:
    """`starttime`: when the enrolment starts."""
    return MomentField(
        label=_("Start"),
        help_text=_(
            "Without it: the purchase. A date like 2027-01-04, a date and time like 2027-01-04T09:00, or a timestamp "
            "in seconds."
        ),
    )


def end_time() -> MomentField:
    """`endtime`: when the enrolment ends, or how long it lasts."""
    return MomentField(
        label=_("End"),
        relative=True,
        help_text=_(
            "Without it: no end. A date like 2027-07-31 (that day included), a date and time, a timestamp in "
            "seconds, or days and hours from the start like +7D +10H."
        ),
    )


def access_days() -> DaysField:
    """`duration`: how long the enrolment lasts."""
    return DaysField(
        label=_("Duration in days"),
        help_text=_("Days of 24 hours from the start. Give this or an end, not both."),
    )


def support_course() -> TextField:
    """`customersupport`: a course into which the buyer is enrolled as a customer."""
    return TextField(
        label=_("Customer support course"),
        max_length=100,
        help_text=_("Short name of the course into which the buyer is enrolled too. Without it: none."),
    )
