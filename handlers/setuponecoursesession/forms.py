"""Parameters of `setuponecoursesession`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from handlers.fields import FlagField, RequiredRolesField, TextField
from handlers.params import ParamsForm
from handlers.shared_params import (
    access_days,
    course_name,
    end_time,
    learner_role,
    start_time,
    supervisor_role,
    support_course,
)


class SessionParams(ParamsForm):
    """The course of the session, the roles in it, and its dates (seed "Mise en place d'une formation")."""

    coursename = course_name()
    role = learner_role()
    enrolname = TextField(
        label=_("Enrolment method"),
        default="manual",
        max_length=40,
        help_text=_("One that the course platform offers."),
    )
    supervisor = supervisor_role()
    requiredroles = RequiredRolesField(
        label=_("Roles offered"), help_text=_("The roles in which the buyer may name people: learner, tutor.")
    )
    autoenrolsupervisor = FlagField(
        label=_("The buyer tutors too"), help_text=_("Enrols the buyer as a tutor, without a seat.")
    )
    starttime = start_time()
    endtime = end_time()
    duration = access_days()
    customersupport = support_course()
