"""Logins: looked up before one is made, made once, and their passwords."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Person
from common.cutting import cut
from courses.models import PlatformLogin
from courses.moodle import logins
from courses.moodle.client import warnings_of
from courses.moodle.connection import NAME, OnSite
from courses.moodle.errors import PASSWORD_POLICY, MoodleRefused, OutcomeUnknown
from courses.moodle.lookup import RemoteUser, by_email_in_any_case, by_emails, by_ids, by_usernames
from courses.platform import OK, UNKNOWN, Outcome, PlatformAway, Refusal, refused

log = logging.getLogger(__name__)

AT_ONCE = 100  # people per call: 600 variables, and six seconds of the server's time
PASSWORD_SECONDS = 5.0
_NAME_LENGTH = 100  # of Moodle's columns
_CLASSES = ("abcdefghijkmnopqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-.!?*:;+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody who gets a login, with the row that reserves its user name."""

    person: Person
    row: PlatformLogin


class People(OnSite):
    """The part of the platform that gives people logins."""

    _languages_missing: frozenset[str] = frozenset()

    def ensure_logins(self, person_ids: Sequence[int]) -> list[Outcome]:
        """A login of ours that is known is not asked for again. A new one gets a password that nobody knows.

        Refuses also `login_suspended`, `login_unconfirmed` and `login_closed` (Moodle lets nobody in with it),
        `login_taken` (it is known as another person's) and `bad_address`.
        """
        people = Person.objects.in_bulk(list(set(person_ids)))
        outcomes = dict.fromkeys(people, OK)
        known = logins.confirmed_ids(people)
        missing = [person for pk, person in sorted(people.items()) if pk not in known]
        for part in cut(missing, AT_ONCE):
            with self.connection.writing():
                outcomes |= self._ensure_people(part)
        return [outcomes.get(pk, refused(Refusal.UNKNOWN_PERSON)) for pk in person_ids]

    def addresses(self, person_ids: Sequence[int]) -> list[str | None]:
        """Of logins that we know. Moodle tells nothing of users whom we may not see, as if they were gone."""
        numbers = logins.confirmed_ids(person_ids)
        there = by_ids(self.connection, numbers.values())
        emails = {pk: there[number].email for pk, number in numbers.items() if number in there}
        return [emails.get(pk) for pk in person_ids]

    def set_password(
        self, person_id: int, password: str, *, first_name: str = "", last_name: str = ""
    ) -> Outcome:
        """One user per call: Moodle refuses a password without saying so, and would commit the others."""
        row = PlatformLogin.objects.filter(logins.logins(), person=person_id, remote_id__isnull=False).first()
        if row is None:
            return refused(Refusal.UNKNOWN_PERSON)
        if not row.is_ours:
            return refused(Refusal.NOT_OURS)
        names = {"firstname": first_name, "lastname": last_name}
        user = {
            "password": password,
            **{key: _clean(name) for key, name in names.items() if _clean(name)},
            "id": row.remote_id,
        }
        try:
            answer = self.connection.write_at_once(
                "core_user_update_users", {"users": [user]}, timeout=PASSWORD_SECONDS
            )
        except OutcomeUnknown as error:
            raise PlatformAway(_("Moodle did not say whether it has set the password.")) from error
        except MoodleRefused as error:
            if error.code in {"invalidresponse", PASSWORD_POLICY}:
                return refused(Refusal.BAD_PASSWORD)
            raise PlatformAway(
                _("Moodle does not set the password: %(code)s.") % {"code": error.code}
            ) from error
        for warning in warnings_of(answer):
            if warning.code == "invaliduserid":
                PlatformLogin.objects.filter(pk=row.pk).delete()
                return refused(Refusal.UNKNOWN_PERSON)
            if warning.code == "usernotupdatedadmin":
                return refused(Refusal.NOT_OURS)
            raise PlatformAway(_("Moodle does not set the password: %(code)s.") % {"code": warning.code})
        PlatformLogin.objects.filter(pk=row.pk).update(password_set_at=timezone.now())
        return OK

    # --- found, or made ---------------------------------------------------------------------------

    def _ensure_people(self, people: Sequence[Person]) -> dict[int, Outcome]:
        """With the site held: somebody else may have made the logins while we waited for it."""
        known = logins.confirmed_ids(person.pk for person in people)
        outcomes = dict.fromkeys(known, OK)
        people = [person for person in people if person.pk not in known]
        if not people:
            return outcomes
        found = by_emails(self.connection, [person.email for person in people])
        rows = PlatformLogin.objects.filter(logins.logins(), person__in=people)
        reserved = {row.person_id: row for row in rows}
        there = [person for person in people if person.email_key in found]
        outcomes |= self._take_logins(
            [(person, found[person.email_key], reserved.get(person.pk)) for person in there]
        )
        absent = [person for person in people if person.email_key not in found]
        if absent:
            reserved = logins.reserve(absent)
            outcomes |= self._make_logins([Wanted(person, reserved[person.pk]) for person in absent])
        return outcomes

    def _take_logins(
        self, found: Sequence[tuple[Person, list[RemoteUser], PlatformLogin | None]]
    ) -> dict[int, Outcome]:
        """Logins with these people's addresses are there; of several the oldest that lets somebody in."""
        outcomes: dict[int, Outcome] = {}
        made: dict[int, int] = {}
        rows: list[PlatformLogin] = []
        others: dict[int, RemoteUser] = {}
        for person, users, row in found:
            user = next((user for user in users if user.problem is None), None)
            if user is None:
                outcomes[person.pk] = refused(users[0].problem or Refusal.LOGIN_CLOSED)
                continue
            if len(users) > 1:
                log.warning(
                    "%d Moodle users have the address of person %d: %d is taken",
                    len(users),
                    person.pk,
                    user.id,
                )
            if row is not None and _is_made_by_us(person, row, user):
                made[person.pk] = user.id
                rows.append(row)
            else:
                others[person.pk] = user
            outcomes[person.pk] = OK
        if made:
            logins.confirm_made(rows, made)
        if others:
            for person_id in logins.adopt(self.connection, others):
                outcomes[person_id] = refused(Refusal.LOGIN_TAKEN)
        return outcomes

    def _make_logins(self, wanted: Sequence[Wanted]) -> dict[int, Outcome]:
        """Moodle makes all of them or none; without a reason, so that a refused list is halved until one is left."""
        try:
            answer = self.connection.write(
                "core_user_create_users", {"users": [self._user(one) for one in wanted]}
            )
        except OutcomeUnknown:
            return self._look_for_logins(wanted)
        except MoodleRefused as error:
            if len(wanted) == 1:
                return {wanted[0].person.pk: self._refused_login(wanted[0], error)}
            half = len(wanted) // 2
            return self._make_logins(wanted[:half]) | self._make_logins(wanted[half:])
        numbers = {str(one["username"]): int(one["id"]) for one in answer}
        done = [one for one in wanted if one.row.username in numbers]
        logins.confirm_made(
            [one.row for one in done], {one.person.pk: numbers[one.row.username] for one in done}
        )
        outcomes = dict.fromkeys((one.person.pk for one in wanted), UNKNOWN)
        return outcomes | dict.fromkeys((one.person.pk for one in done), OK)

    def _look_for_logins(self, wanted: Sequence[Wanted]) -> dict[int, Outcome]:
        """No answer: what was made is found now. What is not found may still be under way, so it stays unknown."""
        outcomes = dict.fromkeys((one.person.pk for one in wanted), UNKNOWN)
        try:
            found = by_emails(self.connection, [one.person.email_key for one in wanted])
        except PlatformAway:
            return outcomes
        there = [
            (one.person, found[one.person.email_key], one.row)
            for one in wanted
            if one.person.email_key in found
        ]
        return outcomes | self._take_logins(there)

    def _refused_login(self, wanted: Wanted, error: MoodleRefused) -> Outcome:
        """Why this one cannot be made; it is made after all when the reason can be removed."""
        person, row = wanted.person, wanted.row
        if error.code == PASSWORD_POLICY:
            logins.give_up([row])
            return refused(Refusal.BAD_PASSWORD)
        if users := by_email_in_any_case(self.connection, person.email_key):
            outcome = self._take_logins([(person, users, row)])[person.pk]
            if not outcome.ok:
                logins.give_up([row])
            return outcome
        if error.lost_race:
            return UNKNOWN  # somebody is making it in this moment
        if by_usernames(self.connection, [row.username]):
            if logins.rename(row, person):
                return self._make_logins([wanted])[person.pk]
        elif person.language not in self._languages_missing:
            without = self._without_language(wanted)
            if without is not None:
                return without
        logins.give_up([row])
        return refused(Refusal.BAD_ADDRESS)

    def _without_language(self, wanted: Wanted) -> Outcome | None:
        """A site without the language refuses the user for it. None when that was not the reason."""
        before, language = self._languages_missing, wanted.person.language
        self._languages_missing = before | {language}
        outcome = self._make_logins([wanted])[wanted.person.pk]
        if outcome.ok:
            return outcome
        self._languages_missing = before
        return outcome if outcome == UNKNOWN else None

    def _user(self, wanted: Wanted) -> dict[str, object]:
        """The fields of a new login. The address in lower case, so that it is found whichever way it is typed."""
        person = wanted.person
        language = {} if person.language in self._languages_missing else {"lang": person.language}
        return {
            **language,
            "username": wanted.row.username,
            "password": new_password(),
            "firstname": _clean(person.first_name) or _clean(person.email_key.partition("@")[0]) or "-",
            "lastname": _clean(person.last_name) or "-",
            "email": person.email_key,
        }


def new_password() -> str:
    """128 random bits in which no policy of Moodle's misses anything: every kind of character, none twice in a row."""
    return "".join(secrets.choice(kind) for _ in range(8) for kind in _CLASSES)


def _is_made_by_us(person: Person, row: PlatformLogin, user: RemoteUser) -> bool:
    """Whether the user is the one whose making we were not told of.

    The row was written when nobody had the address, and we write addresses in lower case: a user of ours has exactly
    this name and exactly this address.
    """
    return row.platform == NAME and (user.username, user.email) == (row.username, person.email_key)


def _clean(name: str) -> str:
    """A name as Moodle takes it: no tags, no line breaks, as long as its column."""
    return " ".join(name.replace("<", " ").replace(">", " ").split())[:_NAME_LENGTH].strip()
