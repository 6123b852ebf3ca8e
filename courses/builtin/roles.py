"""The roles of the built-in platform, by name. Those who edit a course also see all its groups."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from courses.platform import Role

ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role("student", _("Participant"), learns=True),
        Role("teacher", _("Tutor")),
        Role("editingteacher", _("Teacher"), edits=True),
        Role("courseowner", _("Course owner"), edits=True),
        Role("customer", _("Customer")),
    )
}

LEARNERS = frozenset(role.name for role in ROLES.values() if role.learns)
EDITORS = frozenset(role.name for role in ROLES.values() if role.edits)
GUIDES = frozenset(role.name for role in ROLES.values() if role.edits) | {"teacher"}
