"""Looking people up. What the caller may not see is left out without a word."""

from __future__ import annotations

import re
from typing import Any

from tests.moodle.peer.calls import Visit, function
from tests.moodle.peer.errors import coding_error, invalid_parameter, moodle_exception
from tests.moodle.peer.records import User
from tests.moodle.peer.values import CLEANERS, Fields, Many, need

FIELD_KINDS = {"id": "int", "idnumber": "raw", "username": "username", "email": "email"}
LIKE_KEYS = {"email", "firstname", "lastname"}
EXACT_KEYS = {"id", "idnumber", "username", "auth"}


def user_details(visit: Visit, user: User) -> dict[str, Any] | None:
    """A profile as the caller sees it, or none when he may not see it."""
    himself = user is visit.user
    if not himself and not visit.may("moodle/user:viewdetails"):
        return None
    everything = himself or visit.may("moodle/user:viewalldetails")
    details: dict[str, Any] = {"id": user.id}
    if everything:
        details["username"] = user.username
    if visit.may("moodle/site:viewfullnames"):
        details |= {"firstname": user.firstname, "lastname": user.lastname}
    details["fullname"] = user.fullname
    # Outside a course the permission for courses does not count (seen on 4.5.6).
    if himself or visit.may("moodle/site:viewuseridentity"):
        details["email"] = user.email
    if everything:
        details["department"] = user.extra.get("department", "")
        if user.idnumber:
            details["idnumber"] = user.idnumber
    details |= {"firstaccess": user.firstaccess, "lastaccess": user.lastaccess}
    if everything:
        details |= {
            "auth": user.auth,
            "suspended": user.suspended,
            "confirmed": user.confirmed,
            "lang": user.lang,
            "theme": "",
            "timezone": user.extra.get("timezone", "99"),
            "mailformat": 1,
        }
    picture = f"{visit.site.url}/theme/image.php/boost/core/1700000000/u/"
    return details | {"profileimageurlsmall": f"{picture}f2", "profileimageurl": f"{picture}f1"}


def details_of(visit: Visit, users: list[User]) -> list[dict[str, Any]]:
    found = (user_details(visit, user) for user in sorted(users, key=lambda user: user.id))
    return [details for details in found if details is not None]


@function("core_user_get_users_by_field", items="values", field=need("alpha"), values=Many(need("raw")))
def get_users_by_field(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Exact and case-sensitive, for addresses too; one value that cannot be spoils the whole call."""
    visit.check_user()
    field = arguments["field"]
    if field not in FIELD_KINDS:
        raise coding_error(f"invalid field parameter, the search field '{field}' is not supported")
    for value in arguments["values"]:
        if CLEANERS[FIELD_KINDS[field]](value) != value:
            raise invalid_parameter(f"The field '{field}' value is invalid: {value}")
    wanted = set(arguments["values"])
    found = [user for user in visit.site.living_users() if str(getattr(user, field)) in wanted]
    # A profile that hides the field asked for would confirm it.
    return [details for details in details_of(visit, found) if details.get(field)]


def like(pattern: str) -> re.Pattern[str]:
    """PostgreSQL's ILIKE: % and _ are wildcards, a backslash takes their meaning away."""
    pieces = []
    for escaped, character in re.findall(r"(\\?)(.)", pattern, re.DOTALL):
        if character in "%_" and not escaped:
            pieces.append(".*" if character == "%" else ".")
        else:
            pieces.append(re.escape(character))
    return re.compile("".join(pieces), re.IGNORECASE | re.DOTALL)


@function(
    "core_user_get_users",
    items="criteria",
    criteria=Many(Fields({"key": need("alpha"), "value": need("raw")})),
)
def get_users(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Everybody who meets all criteria. A key that does not exist is no criterion at all, only a warning."""
    visit.check_user()
    users = list(visit.site.living_users())
    warnings: list[dict[str, Any]] = []
    seen: set[str] = set()
    for criterion in arguments["criteria"]:
        key, value = criterion["key"], criterion["value"]
        if key in seen:
            raise moodle_exception("keyalreadyset")
        seen.add(key)
        if key in LIKE_KEYS:
            pattern = like(value)
            users = [user for user in users if value and pattern.fullmatch(getattr(user, key))]
        elif key in EXACT_KEYS:
            exact = value.lower() if key == "username" else value
            users = [user for user in users if str(getattr(user, key)) == exact]
        else:
            warnings.append({"item": key, "warningcode": "invalidfieldparameter",
                             "message": f"The search key '{key}' is not supported, look at the web service documentation"})  # fmt: skip
    return {"users": details_of(visit, users), "warnings": warnings}
