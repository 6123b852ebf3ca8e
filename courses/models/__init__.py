"""Courses, the people in them, and what customers own of them."""

from courses.models.content import Backup, Page, PageDone, backup_path
from courses.models.course import (
    NOT_IN_SHORTNAMES,
    Course,
    CourseCategory,
    CourseQuerySet,
    GroupMode,
    validate_shortname,
)
from courses.models.enrolment import Enrolment, EnrolmentQuerySet, Group, GroupMember
from courses.models.making import TEMPORARY, CourseMaking
from courses.models.site import PlatformLogin, PlatformSite
from courses.models.spaces import CourseSpace, ProductEvent, SpaceChange, SpaceChangePerson, SpaceState

__all__ = [
    "NOT_IN_SHORTNAMES",
    "TEMPORARY",
    "Backup",
    "Course",
    "CourseCategory",
    "CourseMaking",
    "CourseQuerySet",
    "CourseSpace",
    "Enrolment",
    "EnrolmentQuerySet",
    "Group",
    "GroupMember",
    "GroupMode",
    "Page",
    "PageDone",
    "PlatformLogin",
    "PlatformSite",
    "ProductEvent",
    "SpaceChange",
    "SpaceChangePerson",
    "SpaceState",
    "backup_path",
    "validate_shortname",
]
