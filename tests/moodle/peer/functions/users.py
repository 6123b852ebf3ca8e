"""Making and changing accounts."""

from __future__ import annotations

import string
from typing import Any

from tests.moodle.peer.calls import Visit, function, warning
from tests.moodle.peer.errors import (
    MoodleError,
    invalid_parameter,
    invalid_response,
    missing_record,
    moodle_exception,
    write_error,
)
from tests.moodle.peer.records import User
from tests.moodle.peer.site import Site
from tests.moodle.peer.values import Fields, Many, is_email, may, need

AUTHS = {"manual", "nologin", "email", "oauth2", "ldap"}
TEXTS = ("city", "country", "timezone", "description", "middlename", "alternatename", "department", "institution",
         "phone1", "phone2", "address")  # fmt: skip
EXTRA = {name: may("text") for name in TEXTS} | {"mailformat": may("int"), "maildisplay": may("int")}
PREFERENCES = Many(Fields({"type": need("alphanumext"), "value": need("raw")}), required=False)
CUSTOM_FIELDS = Many(Fields({"type": need("alphanumext"), "value": need("raw")}), required=False)
GENERATED = "Changeme-1"


def policy_errors(site: Site, password: str) -> str:
    """What the password policy says, as HTML; empty when the password will do."""
    rules = [
        (len(password) >= 8, "Passwords must be at least 8 characters long."),
        (any(c in string.digits for c in password), "Passwords must have at least 1 digit(s)."),
        (any(c.islower() for c in password), "Passwords must have at least 1 lower case letter(s)."),
        (any(c.isupper() for c in password), "Passwords must have at least 1 upper case letter(s)."),
        (
            any(not c.isalnum() for c in password),
            "The password must have at least 1 special character(s) such as *, -, or #.",
        ),
    ]
    if not site.password_policy:
        return ""
    return "".join(f"<div>{words}</div>" for kept, words in rules if not kept)


def pairs(sent: list[dict[str, str]] | None) -> dict[str, str]:
    return {pair["type"]: pair["value"] for pair in sent or ()}


@function(
    "core_user_create_users",
    items="users",
    transactional=True,
    users=Many(
        Fields(
            {
                "createpassword": may("bool"),
                "username": need("username"),
                "auth": may("plugin", "manual"),
                "password": may("raw"),
                "firstname": need("notags"),
                "lastname": need("notags"),
                "email": need("raw_trimmed"),
                "idnumber": may("raw", ""),
                "lang": may("safedir", "en"),
                "customfields": CUSTOM_FIELDS,
                "preferences": PREFERENCES,
                **EXTRA,
            }
        )
    ),
)
def create_users(visit: Visit, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All or nothing. Only the user name is unique in the database; the address is asked for and then inserted."""
    visit.check_user()
    visit.require("moodle/user:create")
    made: list[User] = []
    for item in arguments["users"]:
        check_new_user(visit.site, item, made)
        made.append(new_user(visit.site, item))
    visit.all_or_nothing()
    if any(visit.site.user_named(user.username) for user in made):
        raise write_error()
    for user in made:
        visit.site.users[user.id] = user
    return [{"id": user.id, "username": user.username} for user in made]


def check_new_user(site: Site, item: dict[str, Any], before: list[User]) -> None:
    """Refuse an account as Moodle does; `before` are those of the same call."""
    for name in ("username", "firstname", "lastname"):
        if not item[name].strip():
            raise invalid_parameter(f"The field {name} cannot be blank")
    username, email = item["username"], item["email"]
    if site.user_named(username) or any(user.username == username for user in before):
        raise invalid_parameter(f"Username already exists: {username}")
    if item["auth"] not in AUTHS:
        raise invalid_parameter(f"Invalid authentication type: {item['auth']}")
    if item["lang"] not in site.languages:
        raise invalid_parameter(f"Invalid language code: {item['lang']}")
    if not is_email(email):
        raise invalid_parameter(f"Email address is invalid: {email}")
    taken = site.email_taken(email) or any(user.email.lower() == email.lower() for user in before)
    if taken and not site.allow_same_email:
        raise invalid_parameter(f"Email address already exists: {email}")
    if item.get("createpassword"):
        return
    if not item.get("password"):
        raise invalid_parameter("Invalid password: you must provide a password, or set createpassword.")
    problems = policy_errors(site, item["password"])
    if problems:
        # The text itself is the code.
        raise moodle_exception(problems)


def new_user(site: Site, item: dict[str, Any]) -> User:
    user = User(
        site.next_id("user"),
        item["username"],
        item["email"],
        item["firstname"],
        item["lastname"],
        item.get("password", ""),
        item["idnumber"],
        item["auth"],
        item["lang"],
        preferences=pairs(item.get("preferences")),
        custom_fields=pairs(item.get("customfields")),
        extra={name: str(item[name]) for name in EXTRA if name in item},
    )
    if item.get("createpassword"):
        # Inside the request and the transaction: this mail leaves even when the batch fails later.
        user.password = GENERATED
        user.preferences["auth_forcepasswordchange"] = "1"
        site.send("newpassword", user, f"{user.username} / {user.password}")
    return user


@function(
    "core_user_update_users",
    items="users",
    users=Many(
        Fields(
            {
                "id": need("int"),
                "username": may("username"),
                "auth": may("plugin"),
                "suspended": may("bool"),
                "password": may("raw"),
                "firstname": may("notags"),
                "lastname": may("notags"),
                "email": may("raw_trimmed"),
                "idnumber": may("raw"),
                "lang": may("safedir"),
                "customfields": CUSTOM_FIELDS,
                "preferences": PREFERENCES,
                **EXTRA,
            }
        )
    ),
)
def update_users(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Each user for itself. What fails becomes a warning, and a warning whose code is HTML spoils the answer."""
    visit.check_user()
    visit.require("moodle/user:update")
    warnings = []
    for item in visit.one_by_one(arguments["users"]):
        try:
            update_user(visit.site, item)
        except MoodleError as error:
            warnings.append(warning("user", item["id"], error.errorcode, error.message))
    if any(not found["warningcode"].isalnum() for found in warnings):
        raise invalid_response()
    return {"warnings": warnings}


def update_user(site: Site, item: dict[str, Any]) -> None:
    """Change one account, after every check of it: one that fails changes nothing of it."""
    user = site.user(item["id"])
    if user is None:
        raise moodle_exception("invaliduserid", "Invalid user id")
    if user.site_admin:
        raise moodle_exception("usernotupdatedadmin", "Cannot update admin accounts")
    email = item.get("email", user.email)
    if email != user.email:
        if not is_email(email):
            raise moodle_exception("useremailinvalid", "Invalid email address")
        if site.email_taken(email, except_id=user.id) and not site.allow_same_email:
            raise moodle_exception("useremailduplicate", "Duplicate address")
    named = site.user_named(item.get("username", user.username))
    if named is not None and named.id != user.id:
        raise write_error()
    if "password" in item:
        problems = policy_errors(site, item["password"])
        if problems:
            raise moodle_exception(problems)
    for name in (
        "username",
        "auth",
        "suspended",
        "password",
        "firstname",
        "lastname",
        "email",
        "idnumber",
        "lang",
    ):
        if name in item:
            setattr(user, name, item[name])
    user.preferences |= pairs(item.get("preferences"))
    user.custom_fields |= pairs(item.get("customfields"))
    user.extra |= {name: str(item[name]) for name in EXTRA if name in item}


@function("core_user_delete_users", items="userids", transactional=True, userids=Many(need("int")))
def delete_users(visit: Visit, arguments: dict[str, Any]) -> None:
    visit.check_user()
    visit.require("moodle/user:delete")
    seen: set[int] = set()
    for user_id in arguments["userids"]:
        user = visit.site.user(user_id)
        if user is None or user_id in seen:
            raise missing_record("invaliduser", "SELECT * FROM {user} WHERE id = ? AND deleted = ?")
        if user.site_admin:
            raise moodle_exception("useradminodelete", "Admin user can not be deleted")
        if user is visit.user:
            raise moodle_exception("usernotdeletederror", "You can not delete yourself")
        seen.add(user_id)
    visit.all_or_nothing()
    for user_id in seen:
        visit.site.remove_user(user_id)


@function(
    "core_user_set_user_preferences",
    items="preferences",
    preferences=Many(Fields({"name": need("raw"), "value": need("raw"), "userid": need("int")})),
)
def set_user_preferences(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    visit.check_user()
    warnings = []
    for item in arguments["preferences"]:
        user = visit.site.user(item["userid"])
        if user is None:
            warnings.append(warning("user", item["userid"], "invaliduser", "Invalid user"))
        elif not visit.may("moodle/user:update") and user is not visit.user:
            warnings.append(
                warning("user", user.id, "nopermission", "You are not allowed to set the preference")
            )
        else:
            user.preferences[item["name"]] = item["value"]
    saved = [{"name": item["name"], "userid": item["userid"]} for item in arguments["preferences"]]
    refused = {found["itemid"] for found in warnings}
    return {"saved": [row for row in saved if row["userid"] not in refused], "warnings": warnings}
