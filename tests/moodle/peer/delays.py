"""How long a real site took, so that measurements against the peer mean something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CORES = 2
"""Calls at work at one time on the measured machine; more of them queue."""


@dataclass(frozen=True)
class Cost:
    """Seconds: once per call, for each item of its list, and for each row of its answer."""

    call: float
    item: float = 0.0
    row: float = 0.0


MEASURED = {
    "core_webservice_get_site_info": Cost(0.0256),
    # Who is not found costs next to nothing: 120 values of which 40 were found took 122 ms.
    "core_user_get_users_by_field": Cost(0.0274, row=0.0024),
    "core_user_get_users": Cost(0.0250, row=0.0023),
    "core_user_create_users": Cost(0.0158, 0.0586),
    # 18 ms for a change without a password; a password adds two hashes.
    "core_user_update_users": Cost(0.0130, 0.0050),
    "core_user_delete_users": Cost(0.0200, 0.0507),
    "core_auth_request_password_reset": Cost(0.0760),
    "enrol_manual_enrol_users": Cost(0.0239, 0.0028),
    "enrol_manual_unenrol_users": Cost(0.0290, 0.0060),
    "core_enrol_get_enrolled_users": Cost(0.0240, row=0.0027),
    "core_enrol_get_users_courses": Cost(0.0286),
    "core_group_create_groups": Cost(0.0206, 0.0036),
    "core_group_add_group_members": Cost(0.0200, 0.0036),
    "core_group_delete_group_members": Cost(0.0200, 0.0036),
    "core_group_get_course_groups": Cost(0.0225),
    "core_role_assign_roles": Cost(0.0210, 0.0034),
    "core_role_unassign_roles": Cost(0.0140, 0.0030),
    "core_course_get_courses_by_field": Cost(0.0252, row=0.0049),
    "core_course_get_courses": Cost(0.0221, row=0.0029),
    "core_course_get_categories": Cost(0.0211),
    "core_course_create_courses": Cost(0.0199, 0.0150),
    "core_course_update_courses": Cost(0.0262, 0.0200),
    "core_course_duplicate_course": Cost(0.2800),
    "core_course_import_course": Cost(0.2800),
    "core_course_delete_courses": Cost(0.0240, 0.4000),
}
PASSWORD_SECONDS = 0.1010
"""What a password adds to the change of a user."""
FEW_FIELDS, WITH_COURSES, WITH_DEAR_FIELDS = 0.0002, 0.0006, 0.0015
DEAR_FIELDS = {"email", "roles", "groups", "customfields", "profileimageurl", "description"}
ANY_OTHER = Cost(0.0220)


@dataclass(frozen=True)
class Delays:
    """Seconds for each function; `factor` makes a slower or a faster site of it."""

    costs: dict[str, Cost] = field(default_factory=dict)
    other: Cost = ANY_OTHER
    factor: float = 1.0

    @classmethod
    def measured(cls, factor: float = 1.0) -> Delays:
        return cls(dict(MEASURED), factor=factor)

    def seconds(self, function: str, items: int, passwords: int = 0) -> float:
        """What a call of a function with so many items takes; `passwords` of them set one in an update."""
        cost = self.costs.get(function, self.other)
        return self.factor * (cost.call + items * cost.item + passwords * PASSWORD_SECONDS)

    def reading_seconds(self, function: str, arguments: dict[str, Any], value: Any) -> float:
        """What the rows of an answer add to it."""
        rows = value
        if isinstance(value, dict):
            rows = next((found for found in value.values() if isinstance(found, list)), None)
        if not isinstance(rows, list):
            return 0.0
        each = self.costs.get(function, self.other).row
        if each and function == "core_enrol_get_enrolled_users":
            each = price_of_fields(arguments["options"]) or each
        return self.factor * each * len(rows)


def price_of_fields(options: list[dict[str, str]]) -> float:
    """What one participant costs when the caller names the fields he wants; nothing when he names none."""
    named = {option["name"]: option["value"] for option in options}.get("userfields", "")
    fields = {name.strip() for name in named.split(",") if name.strip()}
    if not fields:
        return 0.0
    if fields & DEAR_FIELDS:
        return WITH_DEAR_FIELDS
    return WITH_COURSES if "enrolledcourses" in fields else FEW_FIELDS
