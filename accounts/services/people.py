"""People: made in sets, taken possession of one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Invitation, Member, Person, SignInCode
from common.cutting import cut
from common.emailkey import check_email, clean_email, email_key

CHUNK = 500  # people per statement: as many as one transaction takes (DESIGN section 4)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody named in a list: only the address is needed."""

    email: str
    first_name: str = ""
    last_name: str = ""
    language: str = "fr"


def ensure_people(entries: Sequence[NewPerson]) -> dict[str, tuple[int, bool]]:
    """Make sure that a person exists for every address; nothing of an existing person is changed.

    Returns `email_key → (person id, whether this call created the row)`. At most three statements per 500 people,
    whoever else does the same at the same time. A new person has no password and has not taken possession; a
    missing name is marked as a guess. An address given twice counts once, with the first entry's name.
    """
    wanted: dict[str, NewPerson] = {}
    for entry in entries:
        wanted.setdefault(email_key(entry.email), entry)
    # Everybody inserts in the same order, so that two lists at the same second wait and never deadlock.
    keys = sorted(wanted)
    result: dict[str, tuple[int, bool]] = {}
    # Joined to the caller's transaction, if there is one: savepoints would be two statements more.
    with transaction.atomic(savepoint=False):
        for part in cut(keys, CHUNK):
            result.update(_ensure_chunk({key: wanted[key] for key in part}))
    return result


def _ensure_chunk(wanted: dict[str, NewPerson]) -> dict[str, tuple[int, bool]]:
    known = dict(Person.objects.filter(email_key__in=wanted).values_list("email_key", "id"))
    result = {key: (pk, False) for key, pk in known.items()}
    rows = [_row(entry) for key, entry in wanted.items() if key not in known]
    if rows:
        Person.objects.bulk_create(rows, ignore_conflicts=True)
        # An unusable password is a random text: it tells our row from one that somebody else was quicker with.
        ours = {row.password for row in rows}
        for key, pk, password in Person.objects.filter(
            email_key__in=[row.email_key for row in rows]
        ).values_list("email_key", "id", "password"):
            result[key] = (pk, password in ours)
    return result


def _row(entry: NewPerson) -> Person:
    email = clean_email(entry.email)
    return Person(
        email=email,
        email_key=email_key(email),
        first_name=entry.first_name,
        last_name=entry.last_name,
        name_is_guess=not (entry.first_name and entry.last_name),
        language=entry.language,
        password=make_password(None),
    )


def ensure_person(entry: NewPerson) -> tuple[Person, bool]:
    """As `ensure_people`, for one: the person, and whether this call created the row."""
    pk, created = ensure_people([entry])[email_key(entry.email)]
    return Person.objects.get(pk=pk), created


def find_person(email: str) -> Person | None:
    """The person known by an address, however it is typed."""
    return Person.objects.filter(email_key=email_key(email)).first()


@transaction.atomic
def move_person(*, person_id: int, email: str) -> str:
    """Give a person another address, of which somebody else has said that it is his; returns why that is not done.

    Only a login that nobody has taken possession of is moved; the links and codes mailed to its old address die:
    `possessed` (its owner changes his address himself), `member` (he is in the team of an organisation or on the
    staff), `taken` (somebody else has the address), `invalid`; nothing when it is done, or was.
    """
    person = Person.objects.select_for_update(no_key=True).get(pk=person_id)
    address = clean_email(email)
    if person.email_key == email_key(address):
        return ""
    if check_email(address) is not None:
        return "invalid"
    if person.possessed_at is not None or (person.has_usable_password() and not person.must_change_password):
        return "possessed"
    if person.is_staff or person.is_superuser or person.memberships.exists():
        return "member"
    if Person.objects.filter(email_key=email_key(address)).exists():
        return "taken"
    person.email = address
    try:
        with transaction.atomic():
            person.save(update_fields=["email", "email_key"])
    except IntegrityError:  # somebody was quicker with this address
        return "taken"
    open_links = Invitation.objects.filter(person=person, used_at=None, replaced_at=None, revoked_at=None)
    open_links.update(revoked_at=timezone.now())
    SignInCode.objects.filter(person=person, used_at=None).delete()
    return ""


def touch_possession(person: Person) -> bool:
    """Note that its owner has taken possession of a login (DESIGN section 8); returns whether this was the first time."""
    now = timezone.now()
    first = bool(Person.objects.filter(pk=person.pk, possessed_at=None).update(possessed_at=now))
    if first:
        person.possessed_at = now
    return first


def signed_in_now(person: Person) -> None:
    """What any sign-in means: the login is possessed, and the memberships waiting for its owner are accepted."""
    touch_possession(person)
    Member.objects.filter(person=person, accepted_at=None).update(accepted_at=timezone.now())


def edit_profile(*, person: Person, first_name: str, last_name: str, language: str) -> None:
    """A person edits his own name and language; a name that was a guess is one no more."""
    person.first_name = first_name
    person.last_name = last_name
    person.language = language
    person.name_is_guess = False
    person.save(update_fields=["first_name", "last_name", "language", "name_is_guess"])
