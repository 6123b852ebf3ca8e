"""How long a real site took, so that measurements against the peer mean something."""

from __future__ import annotations

from dataclasses import dataclass, field

CORES = 2
"""Calls at work at one time on the measured machine; more of them queue."""


@dataclass(frozen=True)
class Cost:
    """Seconds: once per call, and for each item of its list."""

    call: float
    item: float = 0.0


MEASURED = {
    "core_webservice_get_site_info": Cost(0.0256),
    "core_user_get_users_by_field": Cost(0.0271, 0.0027),
    "core_user_get_users": Cost(0.0250, 0.0027),
    "core_user_create_users": Cost(0.0158, 0.0586),
    # 18 ms for a change without a password; a password adds two hashes.
    "core_user_update_users": Cost(0.0130, 0.0050),
    "core_user_delete_users": Cost(0.0200, 0.0507),
    "core_auth_request_password_reset": Cost(0.0760),
    "enrol_manual_enrol_users": Cost(0.0239, 0.0028),
    "enrol_manual_unenrol_users": Cost(0.0290, 0.0060),
    "core_enrol_get_enrolled_users": Cost(0.0310),
    "core_enrol_get_users_courses": Cost(0.0286),
    "core_group_create_groups": Cost(0.0206, 0.0036),
    "core_group_add_group_members": Cost(0.0200, 0.0036),
    "core_group_delete_group_members": Cost(0.0200, 0.0036),
    "core_group_get_course_groups": Cost(0.0225),
    "core_role_assign_roles": Cost(0.0210, 0.0034),
    "core_role_unassign_roles": Cost(0.0140, 0.0030),
    "core_course_get_courses_by_field": Cost(0.0301),
    "core_course_get_courses": Cost(0.0250),
    "core_course_get_categories": Cost(0.0211),
    "core_course_create_courses": Cost(0.0199, 0.0150),
    "core_course_update_courses": Cost(0.0262, 0.0200),
    "core_course_duplicate_course": Cost(0.2800),
    "core_course_import_course": Cost(0.2800),
    "core_course_delete_courses": Cost(0.0240, 0.4000),
}
PASSWORD_SECONDS = 0.1010
"""What a password adds to the change of a user."""
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
