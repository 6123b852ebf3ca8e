"""Courses as the commands print them (DESIGN section 9)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from courses.models import Course


def course_documents(course_ids: Collection[int]) -> list[dict[str, Any]]:
    """`{"shortname", "fullname", "category", "category_id", "open", "groups"}` by short name. One query.

    `open`: seats without a course list cover it.
    """
    courses = Course.objects.filter(pk__in=course_ids).select_related("category").order_by("shortname")
    return [
        {
            "shortname": course.shortname,
            "fullname": course.fullname,
            "category": course.category.name,
            "category_id": course.category.number,
            "open": course.is_open(),
            "groups": course.groups_mode,
        }
        for course in courses
    ]
