"""Which column is what: by its header in French or English, or by what the column holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from common.listing.cells import clean_cell, fold, holds_address
from common.listing.shapes import Role

_HEADERS = {
    "email": (
        "email", "e mail", "emails", "mail", "courriel", "mel", "adresse email", "adresse e mail", "adresse mail",
        "adresse courriel", "adresse de courriel", "adresse electronique", "adresse mel", "adresse de messagerie",
        "courrier electronique", "email address", "e mail address", "mail address", "emailaddress",
    ),
    "firstname": (
        "firstname", "first name", "first", "given name", "givenname", "given names", "forename", "prenom", "prenoms",
        "1er prenom", "premier prenom",
    ),
    "lastname": (
        "lastname", "last name", "last", "surname", "family name", "familyname", "nom", "noms", "nom de famille",
        "nom d usage", "nom usuel", "nom de naissance", "nom patronymique",
    ),
    "role": ("role", "roles"),
    "name": ("name",),
    "full_name": (
        "full name", "fullname", "display name", "nom complet", "prenom nom", "prenom et nom", "prenoms et noms",
        "first and last name", "first name and last name",
    ),
    "last_first": (
        "nom prenom", "nom et prenom", "noms et prenoms", "noms prenoms", "nom prenoms", "nom et prenoms",
        "last name first name", "last name and first name",
    ),
}  # fmt: skip
_MEANING = {header: meaning for meaning, headers in _HEADERS.items() for header in headers}
# An "Adresse" is where mail goes, unless a better column has it.
_VAGUE = {"adresse", "address", "adresses", "contact"}
_ADDRESS_COLUMNS = {"email", "some_email", "vague"}
_MAIL_WORDS = {"email", "emails", "mail", "courriel", "mel"}

_WORDS_OF_ROLES: dict[Role, tuple[str, ...]] = {
    "": ("",),
    "learner": (
        "learner", "student", "trainee", "participant", "participante", "apprenant", "apprenante", "stagiaire",
        "etudiant", "etudiante", "eleve", "beneficiaire",
    ),
    "tutor": (
        "tutor", "teacher", "trainer", "instructor", "tuteur", "tutrice", "formateur", "formatrice", "enseignant",
        "enseignante", "animateur", "animatrice",
    ),
}  # fmt: skip
_ROLES = {word: role for role, words in _WORDS_OF_ROLES.items() for word in words}
# A header may stand below a title, but not deep in the list.
HEADER_WITHIN = 10
# Of a role or a header; what is longer is neither.
_LONGEST_WORDS = 100


def role_of(text: str) -> Role | None:
    """The role a cell names in French or English, "" for an empty cell, None for an unknown word."""
    return _role_of(text) if len(text) <= _LONGEST_WORDS else None


@lru_cache(maxsize=1024)
def _role_of(text: str) -> Role | None:
    return _ROLES.get(fold(text))


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field is.

    `places` maps `email`, `firstname`, `lastname`, `role`, `full_name` or `last_first` (a full name in that order) to a
    column; `data_from` is the first row of people; `ignored` names the columns that hold something else.
    """

    places: Mapping[str, int]
    data_from: int = 0
    ignored: tuple[str, ...] = ()


def header_strength(cells: Sequence[str]) -> int:
    """How many columns are understood, if this can be a header: one of addresses, or at least two; otherwise 0."""
    meanings = {meaning for cell in cells if (meaning := _meaning(cell))}
    return len(meanings) if len(meanings) > 1 or meanings & _ADDRESS_COLUMNS else 0


def find_columns(rows: Sequence[Sequence[str]]) -> Columns:
    """The columns of a table, from its header or, where there is none, from where the addresses are."""
    for number, row in enumerate(_head(rows)):
        if header_strength(row):
            return _from_header(row, number, rows)
    return _guessed(rows)


def _head(rows: Sequence[Sequence[str]]) -> Iterable[Sequence[str]]:
    """The first rows, titles and header, up to the first that holds an address."""
    for row in rows[:HEADER_WITHIN]:
        if any(holds_address(cell) for cell in row):
            return
        yield row


def _meaning(header: str) -> str:
    """What a column with this header holds; "" for something else."""
    if len(header) > _LONGEST_WORDS:
        return ""
    words = fold(header)
    if words in _MEANING:
        return _MEANING[words]
    if words in _VAGUE:
        return "vague"
    parts = words.split()
    # "Votre courriel", "Adresse mail professionnelle", "E-mail 1"
    if len(parts) <= 5 and (_MAIL_WORDS & set(parts) or "e mail" in words):
        return "some_email"
    return ""


def _from_header(header: Sequence[str], number: int, rows: Sequence[Sequence[str]]) -> Columns:
    people = rows[number + 1 :]
    found: dict[str, int] = {}
    for place, cell in enumerate(header):
        if meaning := _meaning(cell):
            found.setdefault(meaning, place)
    places = {"email": _email_column(found, people)} | _name_columns(found)
    if "role" in found:
        places["role"] = found["role"]
    used = set(places.values())
    filled = _filled_columns(people)
    ignored = [
        clean_cell(cell) or str(place + 1)
        for place, cell in enumerate(header)
        if place not in used and (clean_cell(cell) or place in filled)
    ]
    beyond = [str(place + 1) for place in sorted(filled) if place >= len(header) and place not in used]
    return Columns(places, number + 1, (*ignored, *beyond))


def _email_column(found: Mapping[str, int], people: Sequence[Sequence[str]]) -> int:
    """The column whose header says so best, unless it holds no address and another one does."""
    counts = _address_counts(people)
    named = [found[meaning] for meaning in ("email", "some_email", "vague") if meaning in found]
    with_addresses = [place for place in named if place in counts]
    if with_addresses or not counts:
        return next(iter(with_addresses or named), 0)
    return max(counts, key=lambda place: counts[place])


def _name_columns(found: Mapping[str, int]) -> dict[str, int]:
    """First and last name, or else a column that holds both."""
    places = {meaning: found[meaning] for meaning in ("firstname", "lastname") if meaning in found}
    if len(places) == 1 and "name" in found:
        # Beside "First name" a "Name" is the last name; beside "Surname" it is the first.
        places |= {meaning: found["name"] for meaning in ("firstname", "lastname") if meaning not in places}
    if places:
        return places
    for meaning in ("full_name", "last_first", "name"):
        if meaning in found:
            return {"last_first" if meaning == "last_first" else "full_name": found[meaning]}
    return {}


def _guessed(rows: Sequence[Sequence[str]]) -> Columns:
    """Without a header: the column with most addresses, a column of nothing but roles, then first and last name."""
    counts = _address_counts(rows)
    email = max(counts, key=lambda place: counts[place], default=0)
    others = [place for place in sorted(_filled_columns(rows)) if place != email]
    places = {"email": email}
    roles = [place for place in others if all(role_of(cell) is not None for cell in _column(rows, place))]
    if roles:
        places["role"] = roles[0]
        others.remove(roles[0])
    places |= (
        {"full_name": others[0]}
        if len(others) == 1
        else dict(zip(("firstname", "lastname"), others, strict=False))
    )
    ignored = tuple(str(place + 1) for place in others if place not in places.values())
    return Columns(places, 0, ignored)


def _column(rows: Sequence[Sequence[str]], place: int) -> Iterable[str]:
    return (row[place] for row in rows if place < len(row))


def _address_counts(rows: Sequence[Sequence[str]]) -> dict[int, int]:
    """How many cells of each column hold an @, for the columns that have any."""
    counts: dict[int, int] = {}
    for row in rows:
        for place, cell in enumerate(row):
            if "@" in cell:
                counts[place] = counts.get(place, 0) + 1
    return counts


def _filled_columns(rows: Sequence[Sequence[str]]) -> set[int]:
    return {place for row in rows for place, cell in enumerate(row) if cell and not cell.isspace()}
