"""The back office's pages on seats, sessions and course spaces."""

from seats.admin.products import CourseSpaceAdmin, SeatAdmin, SeatPoolAdmin, SessionAdmin
from seats.admin.tables import AssignmentAdmin, AssignmentBatchAdmin

__all__ = [
    "AssignmentAdmin",
    "AssignmentBatchAdmin",
    "CourseSpaceAdmin",
    "SeatAdmin",
    "SeatPoolAdmin",
    "SessionAdmin",
]
