"""Groups of courses: found by their exact name before one is made, and their members counted afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from common.cutting import cut
from courses.builtin.platform import GROUP_NAME_LENGTH
from courses.models import Course, Group, GroupMember
from courses.moodle import logins
from courses.moodle.connection import OnSite
from courses.moodle.errors import MoodleRefused, OutcomeUnknown
from courses.platform import OK, UNKNOWN, GroupRow, Outcome, PlatformAway, Refusal, refused

AT_ONCE = 400  # members per call: 800 variables
GROUPS_AT_ONCE = 200  # groups per call: 600 variables
GONE = frozenset({"invalidrecord", "invalidparameter"})

Key = tuple[int, str]
"""(course id, name of the group)"""
Place = tuple[int, int]
"""(group, user), by Moodle's numbers"""


class Grouping(OnSite):
    """The part of the platform that puts people into groups. The group mode of a course is only read."""

    def ensure_group_members(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        """Suspended people are enrolled too. Refuses `bad_group` and `not_enrolled`."""
        outcomes: list[Outcome] = []
        for part in cut(rows, AT_ONCE):
            with self.connection.writing():
                outcomes += self._join(part)
        return outcomes

    def remove_group_members(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        """A group that is not there, or that the person is not in, is already the end state."""
        outcomes: list[Outcome] = []
        for part in cut(rows, AT_ONCE):
            with self.connection.writing():
                outcomes += self._leave(part)
        return outcomes

    # --- joining ------------------------------------------------------------------------------------

    def _join(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        courses, users = _numbers(rows)
        judged: dict[GroupRow, Outcome] = {}
        for row in rows:
            if not 0 < len(row.group_name.strip()) <= GROUP_NAME_LENGTH:
                judged[row] = refused(Refusal.BAD_GROUP)
            elif row.course_id not in courses or row.person_id not in users:
                judged[row] = refused(Refusal.NOT_ENROLLED)
            else:
                judged[row] = OK
        going = [row for row, outcome in judged.items() if outcome.ok]
        if going:
            judged |= self._put_into_groups(going, courses, users, is_second_try=False)
            _note_members([row for row in going if judged[row].ok])
        return [judged[row] for row in rows]

    def _put_into_groups(
        self,
        rows: Sequence[GroupRow],
        courses: Mapping[int, int],
        users: Mapping[int, int],
        *,
        is_second_try: bool,
    ) -> dict[GroupRow, Outcome]:
        groups = self._ensure_groups({_key(row) for row in rows}, courses)
        outcomes: dict[GroupRow, Outcome] = {}
        wanted: dict[Place, list[GroupRow]] = {}
        for row in rows:
            found = groups[_key(row)]
            if isinstance(found, Outcome):
                outcomes[row] = found
            else:
                wanted.setdefault((found, users[row.person_id]), []).append(row)
        told = self._add_members(sorted(wanted))
        stray = {place for place, outcome in told.items() if outcome.code == Refusal.NOT_ENROLLED}
        lost = self._lost_groups({group for group, _user in stray}, rows, courses)
        for place, of_place in wanted.items():
            outcomes |= dict.fromkeys(of_place, told[place])
        again = [row for place, of_place in wanted.items() if place[0] in lost for row in of_place]
        if again and not is_second_try:
            Group.objects.filter(remote_id__in=lost).update(remote_id=None)
            outcomes |= self._put_into_groups(again, courses, users, is_second_try=True)
        return outcomes

    def _add_members(self, places: Sequence[Place]) -> dict[Place, Outcome]:
        """Put people into groups; who is not in afterwards is put in once more."""
        outcomes = self._send_members(places)
        missing = self._missing_members([place for place, outcome in outcomes.items() if outcome.ok])
        if missing:
            outcomes |= self._send_members(missing)
            again = self._missing_members([place for place in missing if outcomes[place].ok])
            outcomes |= dict.fromkeys(again, UNKNOWN)
        return outcomes

    def _send_members(self, places: Sequence[Place]) -> dict[Place, Outcome]:
        """All of them or none; a refused list is halved until who is not enrolled stands alone."""
        if not places:
            return {}
        members = [{"userid": user, "groupid": group} for group, user in places]
        try:
            self.connection.write("core_group_add_group_members", {"members": members})
        except OutcomeUnknown:
            return dict.fromkeys(places, UNKNOWN)
        except MoodleRefused as error:
            if len(places) == 1:
                return {places[0]: UNKNOWN if error.code not in GONE else refused(Refusal.NOT_ENROLLED)}
            half = len(places) // 2
            return self._send_members(places[:half]) | self._send_members(places[half:])
        return dict.fromkeys(places, OK)

    def _missing_members(self, places: Sequence[Place]) -> list[Place]:
        """Who is not in his group although Moodle has said yes: it may have read a part of a request."""
        groups = sorted({group for group, _user in places})
        members: set[Place] = set()
        for part in cut(groups, AT_ONCE):
            try:
                told = self.connection.read("core_group_get_group_members", {"groupids": list(part)})
            except MoodleRefused:
                return list(places)  # one of them was deleted meanwhile
            members |= {(int(one["groupid"]), int(user)) for one in told for user in one["userids"]}
        return [place for place in places if place not in members]

    def _lost_groups(
        self, suspects: Collection[int], rows: Sequence[GroupRow], courses: Mapping[int, int]
    ) -> set[int]:
        """Those of the groups that somebody deleted."""
        if not suspects:
            return set()
        lost = set(suspects)
        for course_id in sorted({row.course_id for row in rows}):
            lost -= {number for numbers in self._groups_of(courses[course_id]).values() for number in numbers}
        return lost

    # --- groups -------------------------------------------------------------------------------------

    def _ensure_groups(self, keys: set[Key], courses: Mapping[int, int]) -> dict[Key, int | Outcome]:
        """Moodle's number of each group, or why there is none."""
        known = _known_groups(keys)
        found: dict[Key, int | Outcome] = dict(known)
        unknown = sorted(keys - known.keys())
        there = self._find_groups(unknown, courses)
        made = self._make_groups([key for key in unknown if key not in there], courses)
        _note_groups(there | {key: number for key, number in made.items() if isinstance(number, int)})
        return found | there | made

    def _find_groups(self, keys: Sequence[Key], courses: Mapping[int, int]) -> dict[Key, int]:
        """Groups that are on the site. Of two with one name the first that was made counts."""
        found: dict[Key, int] = {}
        for course_id in sorted({course_id for course_id, _name in keys}):
            there = self._groups_of(courses[course_id])
            found |= {
                (key_course, name): there[name.strip()][0]
                for key_course, name in keys
                if key_course == course_id and name.strip() in there
            }
        return found

    def _groups_of(self, course: int) -> dict[str, list[int]]:
        """The numbers of the groups of a course by name, lowest first."""
        try:
            told = self.connection.read("core_group_get_course_groups", {"courseid": course})
        except MoodleRefused as error:
            raise PlatformAway(
                _("The groups of the course %(number)d of Moodle cannot be read: %(code)s.")
                % {"number": course, "code": error.code}
            ) from error
        found: dict[str, list[int]] = {}
        for number, name in sorted((int(one["id"]), str(one["name"])) for one in told):
            found.setdefault(name, []).append(number)
        return found

    def _make_groups(self, keys: Sequence[Key], courses: Mapping[int, int]) -> dict[Key, int | Outcome]:
        if not keys:
            return {}
        if len(keys) > GROUPS_AT_ONCE:
            return self._make_groups(keys[:GROUPS_AT_ONCE], courses) | self._make_groups(
                keys[GROUPS_AT_ONCE:], courses
            )
        groups = [
            {"name": name.strip(), "description": "", "courseid": courses[course_id]}
            for course_id, name in keys
        ]
        try:
            answer = self.connection.write("core_group_create_groups", {"groups": groups})
        except OutcomeUnknown:
            there = self._find_groups(keys, courses)
            return {key: there.get(key, UNKNOWN) for key in keys}
        except MoodleRefused:
            if len(keys) == 1:
                # Somebody was quicker, or Moodle does not take the name.
                return {keys[0]: self._find_groups(keys, courses).get(keys[0], refused(Refusal.BAD_GROUP))}
            half = len(keys) // 2
            return self._make_groups(keys[:half], courses) | self._make_groups(keys[half:], courses)
        numbers = {(int(one["courseid"]), str(one["name"])): int(one["id"]) for one in answer}
        return {key: numbers.get((courses[key[0]], key[1].strip()), UNKNOWN) for key in keys}

    # --- leaving ------------------------------------------------------------------------------------

    def _leave(self, rows: Sequence[GroupRow]) -> list[Outcome]:
        courses, users = _numbers(rows)
        going = [row for row in rows if row.course_id in courses and row.person_id in users]
        groups = self._present_groups({_key(row) for row in going}, courses)
        places = sorted({(groups[_key(row)], users[row.person_id]) for row in going if _key(row) in groups})
        outcomes = self._take_out(places)
        left = [
            outcomes.get((groups[_key(row)], users[row.person_id]), OK)
            if row in going and _key(row) in groups
            else OK
            for row in rows
        ]
        _drop_members([row for row, outcome in zip(rows, left, strict=True) if outcome.ok])
        return left

    def _present_groups(self, keys: set[Key], courses: Mapping[int, int]) -> dict[Key, int]:
        known = _known_groups(keys)
        there = self._find_groups(sorted(keys - known.keys()), courses)
        _note_groups(there)
        return known | there

    def _take_out(self, places: Sequence[Place]) -> dict[Place, Outcome]:
        if not places:
            return {}
        members = [{"userid": user, "groupid": group} for group, user in places]
        try:
            self.connection.write("core_group_delete_group_members", {"members": members})
        except OutcomeUnknown:
            return dict.fromkeys(places, UNKNOWN)
        except MoodleRefused:
            if len(places) == 1:
                return {places[0]: OK}  # the group or the user is gone, and with it the membership
            half = len(places) // 2
            return self._take_out(places[:half]) | self._take_out(places[half:])
        return dict.fromkeys(places, OK)


# --- rows -------------------------------------------------------------------------------------------


def _key(row: GroupRow) -> Key:
    return row.course_id, row.group_name


def _numbers(rows: Sequence[GroupRow]) -> tuple[dict[int, int], dict[int, int]]:
    """Moodle's numbers of the courses and of the people of these rows, as far as they are known."""
    found = Course.objects.filter(
        pk__in={row.course_id for row in rows}, remote_id__isnull=False, missing_since=None
    )
    courses = {
        pk: remote_id for pk, remote_id in found.values_list("pk", "remote_id") if remote_id is not None
    }
    return courses, logins.confirmed_ids(row.person_id for row in rows)


def _known_groups(keys: Collection[Key]) -> dict[Key, int]:
    """The groups that were found or made before. One query."""
    rows = Group.objects.filter(
        course__in={course_id for course_id, _ in keys},
        name__in={name for _, name in keys},
        remote_id__isnull=False,
    )
    return {
        (course_id, name): remote_id
        for course_id, name, remote_id in rows.values_list("course_id", "name", "remote_id")
        if (course_id, name) in keys and remote_id is not None
    }


def _note_groups(found: Mapping[Key, int]) -> None:
    if not found:
        return
    Group.objects.bulk_create(
        [Group(course_id=key[0], name=key[1], remote_id=found[key]) for key in sorted(found)],
        update_conflicts=True,
        unique_fields=["course", "name"],
        update_fields=["remote_id"],
    )


def _groups(rows: Iterable[GroupRow]) -> dict[Key, int]:
    """The ids of our rows of these groups."""
    keys = {_key(row) for row in rows}
    found = Group.objects.filter(course__in={pk for pk, _ in keys}, name__in={name for _, name in keys})
    return {(row.course_id, row.name): row.pk for row in found}


def _note_members(rows: Sequence[GroupRow]) -> None:
    groups = _groups(rows)
    members = sorted({(groups[_key(row)], row.person_id) for row in rows})
    GroupMember.objects.bulk_create(
        [GroupMember(group_id=group_id, person_id=person_id) for group_id, person_id in members],
        ignore_conflicts=True,
    )


def _drop_members(rows: Sequence[GroupRow]) -> None:
    people: dict[int, set[int]] = {}
    groups = _groups(rows)
    for row in rows:
        if _key(row) in groups:
            people.setdefault(groups[_key(row)], set()).add(row.person_id)
    for group_id, persons in people.items():
        GroupMember.objects.filter(group=group_id, person__in=persons).delete()
