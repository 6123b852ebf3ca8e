"""The web services of the site. Importing this package registers all of them."""

from tests.moodle.peer.functions import (
    copies,
    courses,
    enrolments,
    groups,
    lookups,
    participants,
    roles,
    service,
    users,
)

__all__ = [
    "copies",
    "courses",
    "enrolments",
    "groups",
    "lookups",
    "participants",
    "roles",
    "service",
    "users",
]
