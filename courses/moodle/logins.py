"""Our rows of people's logins on the site: reserved before Moodle is asked to make one, confirmed afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Q

from accounts.models import Person
from courses.models import PlatformLogin
from courses.moodle.connection import NAME, Connection
from courses.moodle.lookup import RemoteUser, by_ids

# What Moodle takes without "extended characters in usernames", and the length of its column.
USERNAME = re.compile(r"[a-z0-9@._-]{1,100}")


def logins() -> Q:
    """Rows of this platform."""
    return Q(platform=NAME)


def confirmed_ids(person_ids: Iterable[int]) -> dict[int, int]:
    """Moodle's number of each of these people who has a login there that we know. One query."""
    found = PlatformLogin.objects.filter(logins(), person__in=set(person_ids), remote_id__isnull=False)
    return {
        person_id: remote_id
        for person_id, remote_id in found.values_list("person_id", "remote_id")
        if remote_id is not None
    }


def people_of(remote_ids: Iterable[int]) -> dict[int, int]:
    """Our person of each of these numbers of Moodle's. One query."""
    found = PlatformLogin.objects.filter(logins(), remote_id__in=set(remote_ids))
    return {
        remote_id: person_id
        for remote_id, person_id in found.values_list("remote_id", "person_id")
        if remote_id is not None
    }


def names_for(person: Person) -> list[str]:
    """The user names a login of this person may have, the wanted one first: the same at every attempt.

    The last is of this person alone, whichever other shop makes logins on the same site.
    """
    own = f"shop-{person.pk}"
    digest = hashlib.sha256(person.email_key.encode()).hexdigest()[:10]
    names = [own, f"{own}-{digest}"]
    return [person.email_key, *names] if USERNAME.fullmatch(person.email_key) else names


def reserve(people: Collection[Person]) -> dict[int, PlatformLogin]:
    """A row with a user name for each person; a row that is there keeps its name."""
    rows = {row.person_id: row for row in PlatformLogin.objects.filter(logins(), person__in=people)}
    missing = [person for person in people if person.pk not in rows]
    wanted = {name for person in missing for name in names_for(person)}
    held = set(PlatformLogin.objects.filter(logins(), username__in=wanted).values_list("username", flat=True))
    new = []
    for person in missing:
        name = next((name for name in names_for(person) if name not in held), names_for(person)[-1])
        held.add(name)
        new.append(PlatformLogin(person=person, platform=NAME, username=name))
    PlatformLogin.objects.bulk_create(new)
    return rows | {row.person_id: row for row in new}


def rename(row: PlatformLogin, person: Person) -> bool:
    """Reserve the next user name, because somebody else on the site has this one; false when there is none left."""
    names = names_for(person)
    later = names[names.index(row.username) + 1 :] if row.username in names else names
    held = set(PlatformLogin.objects.filter(logins(), username__in=later).values_list("username", flat=True))
    name = next((name for name in later if name not in held), None)
    if name is None:
        return False
    row.username = name
    row.save(update_fields=["username"])
    return True


def give_up(rows: Iterable[PlatformLogin]) -> None:
    """Drop reservations of which nothing came."""
    PlatformLogin.objects.filter(pk__in=[row.pk for row in rows], remote_id=None).delete()


def forget(remote_ids: Collection[int]) -> None:
    """Drop logins that are no longer on the site."""
    PlatformLogin.objects.filter(logins(), remote_id__in=remote_ids).delete()


def confirm_made(rows: Sequence[PlatformLogin], numbers: Mapping[int, int]) -> None:
    """Moodle has made these logins; `numbers`: its number by person id."""
    for row in rows:
        row.remote_id, row.is_ours, row.password_set_at = numbers[row.person_id], True, None
    with transaction.atomic():
        # A number that somebody had before is of a site that was set back to an older state.
        PlatformLogin.objects.filter(logins(), remote_id__in=numbers.values()).exclude(
            person__in=numbers
        ).delete()
        PlatformLogin.objects.bulk_update(rows, ["remote_id", "is_ours", "password_set_at"])


def adopt(connection: Connection, found: Mapping[int, RemoteUser]) -> set[int]:
    """Note logins that were there before, by person id; returns the people whose login is another person's already.

    Nothing of such a login is ever changed.
    """
    owners = people_of(user.id for user in found.values())
    taken = {person_id for person_id, user in found.items() if owners.get(user.id, person_id) != person_id}
    mine = {person_id: user for person_id, user in found.items() if person_id not in taken}
    _clear_names(connection, {user.username: person_id for person_id, user in mine.items()})
    PlatformLogin.objects.bulk_create(
        [
            PlatformLogin(
                person_id=person_id, platform=NAME, username=user.username, remote_id=user.id, is_ours=False
            )
            for person_id, user in sorted(mine.items())
        ],
        update_conflicts=True,
        unique_fields=["person"],
        update_fields=["platform", "username", "remote_id", "is_ours"],
    )
    return taken


def _clear_names(connection: Connection, names: Mapping[str, int]) -> None:
    """Nobody else's row may hold one of these user names, which are now known to be of these people."""
    held = [
        row
        for row in PlatformLogin.objects.filter(logins(), username__in=names)
        if row.person_id != names[row.username]
    ]
    give_up(row for row in held if row.remote_id is None)
    renamed = [row for row in held if row.remote_id is not None]
    if not renamed:
        return
    there = by_ids(connection, [row.remote_id for row in renamed if row.remote_id is not None])
    gone = [row for row in renamed if row.remote_id not in there]
    PlatformLogin.objects.filter(pk__in=[row.pk for row in gone]).delete()
    for row in renamed:
        if row.remote_id in there:
            row.username = there[row.remote_id].username
            row.save(update_fields=["username"])
