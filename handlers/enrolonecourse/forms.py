"""Parameters of `enrolonecourse`."""

from __future__ import annotations

from handlers.params import ParamsForm
from handlers.shared_params import (
    access_days,
    course_name,
    end_time,
    learner_role,
    start_time,
    support_course,
)


class EnrolParams(ParamsForm):
    """The course that the buyer is enrolled in, and for how long."""

    coursename = course_name()
    role = learner_role()
    starttime = start_time()
    endtime = end_time()
    duration = access_days()
    customersupport = support_course()
