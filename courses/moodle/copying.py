"""Courses of our own on the site: copied from a template, which is the course as it is now, or made empty.

To copy is not one step there: a call that was cut leaves a course that holds its short name and is half filled. So a
copy is made hidden, under a name of its attempt, and becomes what it is to be by one last call, which also gives it
our mark for an id number. What has the mark is complete; what Moodle never confirmed is not trusted, removed where that
is allowed, and made anew under another name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from courses.models import TEMPORARY, Course, CourseCategory, CourseMaking
from courses.moodle.client import warnings_of
from courses.moodle.connection import Connection
from courses.moodle.errors import MoodleMisconfigured, MoodleRefused, OutcomeUnknown
from courses.moodle.mirror import MARK, Told, course_of, find_course, groups_in
from courses.platform import OK, UNKNOWN, Copied, CourseCopy, Outcome, PlatformAway, Refusal, refused

logger = logging.getLogger(__name__)

COPY_SECONDS = 240.0  # a template with videos takes minutes; a delivery is taken over after five
SETTLING = timedelta(minutes=5)
"""How long a copy that nobody confirmed is left alone: the server, or another worker, may still be at it."""

DELETE = "core_course_delete_courses"
_REFUSALS = {
    "shortnametaken": Refusal.NAME_TAKEN,
    "errorcatcontextnotvalid": Refusal.UNKNOWN_CATEGORY,
    "enddatebeforestartdate": Refusal.BAD_DATES,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """A course to make, in Moodle's numbers. Without a template it is empty."""

    copy: CourseCopy
    category: CourseCategory
    template: int | None

    @property
    def mark(self) -> str:
        return MARK + digest(self.copy.key)

    @property
    def fullname(self) -> str:
        """Moodle refuses what looks like HTML."""
        return self.copy.fullname.replace("<", "‹").replace(">", "›")


def digest(key: str) -> str:
    """What stands for a key where Moodle's columns are short."""
    return sha256(key.encode()).hexdigest()[:32]


def temporary_name(making: CourseMaking) -> str:
    """The short name of one attempt."""
    return f"{TEMPORARY}{digest(making.key)[:16]}-{making.attempt}"


def copy_courses(connection: Connection, copies: Sequence[CourseCopy]) -> list[Copied]:
    """See `CoursePlatform.copy_courses`. Also refuses `has_groups`. Raises PlatformAway."""
    done: dict[str, Copied] = {}
    known = Course.objects.filter(copy_key__in={one.key for one in copies})
    for key, pk in known.values_list("copy_key", "pk"):
        done[key or ""] = Copied(OK, pk)
    categories = CourseCategory.objects.filter(
        remote_id__in={one.category_id for one in copies}, missing_since=None
    )
    by_number = {row.remote_id: row for row in categories}
    templates = Course.objects.filter(
        pk__in={one.template_id for one in copies if one.template_id is not None},
        remote_id__isnull=False,
        missing_since=None,
    ).in_bulk()
    for one in copies:
        if one.key in done:
            continue
        refusal = _refusal(one, by_number, templates)
        if refusal is not None:
            done[one.key] = Copied(refused(refusal))
            continue
        template = None if one.template_id is None else templates[one.template_id].remote_id
        if any(copied.outcome == UNKNOWN for copied in done.values()):
            done[one.key] = Copied(UNKNOWN)  # it may have a name that an earlier one has been given, or not
            continue
        with connection.writing():
            done[one.key] = _make(connection, Wish(one, by_number[one.category_id], template))
    return [done[one.key] for one in copies]


def _refusal(
    one: CourseCopy, categories: Mapping[int | None, CourseCategory], templates: Mapping[int, Course]
) -> Refusal | None:
    """What can be said without asking."""
    if one.category_id not in categories:
        return Refusal.UNKNOWN_CATEGORY
    if one.template_id is not None and one.template_id not in templates:
        return Refusal.UNKNOWN_TEMPLATE
    if one.shortname.startswith(TEMPORARY) or {"<", ">"} & set(one.shortname):
        return Refusal.BAD_NAME
    try:
        Course(shortname=one.shortname, fullname=one.fullname).clean_fields(exclude=["category"])
    except ValidationError:
        return Refusal.BAD_NAME
    return None


# --- one course -----------------------------------------------------------------------------------


def _make(connection: Connection, wish: Wish) -> Copied:
    """Make the course, or find it made. To be called while we write to the site, which nobody else of ours does."""
    making = CourseMaking.objects.get_or_create(key=wish.copy.key)[0]
    there = find_course(connection, "idnumber", wish.mark)
    if there is None:
        outcome = _bring_about(connection, making, wish)
        if not outcome.ok:
            return Copied(outcome)
        there = find_course(connection, "idnumber", wish.mark)
        if there is None:
            return Copied(UNKNOWN)
    return Copied(OK, _confirm(making, wish, there))


def _bring_about(connection: Connection, making: CourseMaking, wish: Wish) -> Outcome:
    if find_course(connection, "shortname", wish.copy.shortname) is not None:
        return refused(Refusal.NAME_TAKEN)
    if wish.template is None:
        return _create(connection, wish)
    if making.state == CourseMaking.State.CALLED and not _abandon(connection, making):
        return UNKNOWN
    if making.state != CourseMaking.State.COPIED:
        outcome = _copy(connection, making, wish, wish.template)
        if not outcome.ok:
            return outcome
    return _finish(connection, making, wish)


def _create(connection: Connection, wish: Wish) -> Outcome:
    """One step there, so that the course has its mark from the first moment."""
    try:
        connection.write(
            "core_course_create_courses", {"courses": [_final(wish) | {"categoryid": _number(wish)}]}
        )
    except OutcomeUnknown:
        return UNKNOWN
    except MoodleRefused as error:
        return _refused(error)
    return OK


def _copy(connection: Connection, making: CourseMaking, wish: Wish, template: int) -> Outcome:
    """Have Moodle copy the template as it is now, without people."""
    obstacle = _obstacle(connection, template)
    if obstacle is not None:
        return refused(obstacle)
    _set(making, state=CourseMaking.State.CALLED, called_at=timezone.now())
    params = {
        "fullname": wish.fullname,
        "shortname": temporary_name(making),
        "visible": 0,
        # Without it people come along.
        "options": [{"name": "users", "value": 0}],
        "categoryid": _number(wish),
        "courseid": template,
    }
    try:
        told = connection.write("core_course_duplicate_course", params, timeout=COPY_SECONDS)
    except OutcomeUnknown:
        return UNKNOWN
    except MoodleRefused as error:
        # A name of ours that is taken is of an attempt that we have forgotten.
        taken = error.code == "shortnametaken"
        return UNKNOWN if taken else _refused(error)
    except PlatformAway:
        _set(making, state=CourseMaking.State.PLANNED)  # nothing has happened
        raise
    _set(making, state=CourseMaking.State.COPIED, remote_id=int(told["id"]))
    return OK


def _obstacle(connection: Connection, template: int) -> Refusal | None:
    if find_course(connection, "id", template) is None:
        return Refusal.UNKNOWN_TEMPLATE
    groups = groups_in(connection, template)
    if groups is None:
        raise PlatformAway("The groups of the template cannot be read: they would come along into the copy.")
    return Refusal.HAS_GROUPS if groups else None


def _finish(connection: Connection, making: CourseMaking, wish: Wish) -> Outcome:
    """Make the complete copy be the course that was asked for. What fails is a warning, and changes nothing of it."""
    item = _final(wish) | {"id": making.remote_id}
    try:
        answer = connection.write("core_course_update_courses", {"courses": [item]})
    except OutcomeUnknown:
        return UNKNOWN
    except MoodleRefused as error:
        return _refused(error)
    for warning in warnings_of(answer):
        if warning.code == "invalidrecord":
            # Somebody has deleted it there: another is made.
            _next_attempt(making)
            return UNKNOWN
        # The mark is taken: it was made twice, and whoever asks again finds the first.
        return UNKNOWN if warning.code == "courseidnumbertaken" else refused(_code(warning.code))
    return OK


def _final(wish: Wish) -> dict[str, Any]:
    return {
        "fullname": wish.fullname,
        "shortname": wish.copy.shortname,
        "idnumber": wish.mark,
        "startdate": int(timezone.now().timestamp()),
        "enddate": 0,
        "visible": 1,
    }


# --- what nobody confirmed ------------------------------------------------------------------------


def _abandon(connection: Connection, making: CourseMaking) -> bool:
    """Give up an attempt whose answer was lost; false while the server may still be at it."""
    there = find_course(connection, "shortname", temporary_name(making))
    called_at = making.called_at
    if there is not None and called_at is not None and timezone.now() - called_at < SETTLING:
        return False
    _next_attempt(making)
    if there is not None:
        _remove(connection, there)
    return True


def _remove(connection: Connection, there: Told) -> None:
    """Delete a half-made course, if we may. Else it stays hidden, and `checkplatform` tells of it."""
    number = int(there["id"])
    offered = {one["name"] for one in connection.read("core_webservice_get_site_info", {})["functions"]}
    if DELETE not in offered:
        logger.warning("the half-made course %s stays: %s is not in the external service", number, DELETE)
        return
    try:
        for warning in warnings_of(connection.write(DELETE, {"courseids": [number]})):
            logger.warning("the half-made course %s stays: %s", number, warning.code)
    except (OutcomeUnknown, MoodleRefused, MoodleMisconfigured) as error:
        logger.warning("the half-made course %s may still be there: %s", number, error)


def _next_attempt(making: CourseMaking) -> None:
    _set(making, state=CourseMaking.State.PLANNED, attempt=making.attempt + 1, remote_id=None)


# --- our rows -------------------------------------------------------------------------------------


def _confirm(making: CourseMaking, wish: Wish, there: Told) -> int:
    """Our row of the finished course. It is a space from its first moment: no seat of anybody covers it."""
    told = course_of(there)
    with transaction.atomic():
        # Whoever had this name in our rows has another one there by now; the synchronisation will say which.
        Course.objects.filter(shortname=told.shortname).exclude(remote_id=told.remote_id).give_up_names()
        category = CourseCategory.objects.filter(remote_id=told.category_id).first() or wish.category
        course, _made = Course.objects.update_or_create(
            remote_id=told.remote_id,
            defaults={
                "shortname": told.shortname,
                "fullname": told.fullname,
                "category": category,
                "visible": told.visible,
                "groups_mode": told.groups_mode,
                "starts_at": told.starts_at,
                "ends_at": told.ends_at,
                "takes_enrolments": told.takes_enrolments,
                "missing_since": None,
                "is_space": True,
                "copy_key": wish.copy.key,
            },
        )
        _set(making, state=CourseMaking.State.DONE, remote_id=told.remote_id)
    return course.pk


def _set(making: CourseMaking, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(making, name, value)
    making.save(update_fields=list(fields))


def _number(wish: Wish) -> int:
    return wish.copy.category_id


def _refused(error: MoodleRefused) -> Outcome:
    return UNKNOWN if error.lost_race or error.code == "courseidnumbertaken" else refused(_code(error.code))


def _code(code: str) -> str:
    return _REFUSALS.get(code, code)
