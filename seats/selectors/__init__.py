"""What reads seats, each in a constant number of queries."""

from seats.selectors.changes import Change, change_of, changes_of
from seats.selectors.courses import CourseSeats, course_counts
from seats.selectors.covering import (
    AssignableCourse,
    assignable_courses,
    covered_courses,
    covering_pools,
    covers,
)
from seats.selectors.lists import (
    BatchTotals,
    ListPage,
    ListRow,
    PoolUse,
    batch_rows,
    batch_totals,
    mail_states,
)
from seats.selectors.mails import LastMail, last_mails, mails_of
from seats.selectors.people import Given, HistoryEntry, Step, given_to, product_history, seat_history
from seats.selectors.pools import PoolCounts, access_end, pool_counts, total_counts
from seats.selectors.seatlist import SeatFilter, SeatPage, SeatRow, Sitter, every_seat, find_seat, seat_list
from seats.selectors.sessions import SessionRow, find_session, is_enrolled, sessions_of
from seats.selectors.states import SeatState, seat_states, seats_with_state

__all__ = [
    "AssignableCourse",
    "BatchTotals",
    "Change",
    "CourseSeats",
    "Given",
    "HistoryEntry",
    "LastMail",
    "ListPage",
    "ListRow",
    "PoolCounts",
    "PoolUse",
    "SeatFilter",
    "SeatPage",
    "SeatRow",
    "SeatState",
    "SessionRow",
    "Sitter",
    "Step",
    "access_end",
    "assignable_courses",
    "batch_rows",
    "batch_totals",
    "change_of",
    "changes_of",
    "course_counts",
    "covered_courses",
    "covering_pools",
    "covers",
    "every_seat",
    "find_seat",
    "find_session",
    "given_to",
    "is_enrolled",
    "last_mails",
    "mail_states",
    "mails_of",
    "pool_counts",
    "product_history",
    "seat_history",
    "seat_list",
    "seat_states",
    "seats_with_state",
    "sessions_of",
    "total_counts",
]
