"""Making courses of the built-in platform."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from courses.models import Course, CourseCategory


@transaction.atomic
def set_course(
    *,
    shortname: str,
    fullname: str,
    actor: audit.Actor,
    category: str = "",
    groups: str = "",
    hidden: bool = False,
    is_template: bool = False,
    is_support: bool = False,
    not_for_seats: bool = False,
) -> Course:
    """Make or change a course; its category is found by name, or made.

    Without `category` or `groups` (a value of GroupMode) a course keeps what it has. Raises ValidationError, by field name.
    """
    course = Course.objects.filter(shortname=shortname).first() or Course(shortname=shortname)
    course.fullname = fullname
    course.visible = not hidden
    course.is_template = is_template
    course.is_support = is_support
    course.not_for_seats = not_for_seats
    if groups:
        course.groups_mode = groups
    course.clean_fields(exclude=["category"])
    if category.strip() or not course.category_id:
        course.category = _category(category.strip())
    course.save()
    audit.record(actor=actor, verb="course.set", object=f"course:{course.pk}")
    return course


def _category(name: str) -> CourseCategory:
    if not name:
        first = CourseCategory.objects.order_by("id").first()
        return first or CourseCategory.objects.create(name=_("Courses"))
    found = CourseCategory.objects.filter(name=name).order_by("id").first()
    if found is not None:
        return found
    category = CourseCategory(name=name)
    category.clean_fields()
    category.save()
    return category
