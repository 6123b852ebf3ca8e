"""The site about itself, the policy, and a forgotten password."""

from __future__ import annotations

from typing import Any

from tests.moodle.peer.calls import Visit, function
from tests.moodle.peer.records import User
from tests.moodle.peer.values import Many, may, need

MAILS_OF_ONE_REQUEST = 2
SENT = (
    "emailpasswordconfirmmaybesent",
    "If you supplied a correct username or unique email address then an email should have been sent to you.",
)


@function(
    "core_webservice_get_site_info", serviceshortnames=Many(need("alphanumext"), required=False, default=[])
)
def get_site_info(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Answers without any check of a context: it stays green when every other call fails."""
    user = visit.user
    return {
        "sitename": visit.site.sitename,
        "username": user.username,
        "firstname": user.firstname,
        "lastname": user.lastname,
        "fullname": user.fullname,
        "lang": user.lang,
        "userid": user.id,
        "siteurl": visit.site.url,
        "userpictureurl": f"{visit.site.url}/theme/image.php/boost/core/1700000000/u/f1",
        "functions": [{"name": name, "version": "2023042403"} for name in sorted(visit.site.functions)],
        "downloadfiles": 0,
        "uploadfiles": 0,
        "release": "4.2.3 (Build: 20231009)",
        "version": "2023042403",
        "mobilecssurl": "",
        "advancedfeatures": [{"name": "enablecompletion", "value": 1}],
        "usercanmanageownfiles": True,
        "userquota": 104857600,
        "usermaxuploadfilesize": 104857600,
        "userhomepage": 1,
        "userprivateaccesskey": "c0ffee00c0ffee00c0ffee00c0ffee00",
        "siteid": 1,
        "sitecalendartype": "gregorian",
        "usercalendartype": "gregorian",
        "userissiteadmin": user.site_admin,
        "theme": "boost",
    }


@function("core_user_agree_site_policy")
def agree_site_policy(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """The one call that a missing agreement does not stop."""
    site = visit.site
    if not site.policy:
        return {"status": False, "warnings": [note("sitepolicynotdefined", "There is no site policy")]}
    if visit.user.policy_agreed:
        return {"status": False, "warnings": [note("alreadyagreed", "The user has already agreed")]}
    visit.user.policy_agreed = True
    return {"status": True, "warnings": []}


def note(code: str, message: str) -> dict[str, Any]:
    return {"item": "user", "warningcode": code, "message": message}


@function("core_auth_request_password_reset", username=may("username", ""), email=may("raw_trimmed", ""))
def request_password_reset(visit: Visit, arguments: dict[str, Any]) -> dict[str, Any]:
    """The same answer whether a mail leaves or not; needs no capability."""
    site, username, email = visit.site, arguments["username"].strip(), arguments["email"].strip()
    if bool(username) == bool(email):
        message = "Enter username or email" if not username else "Enter one of the fields only"
        return {"status": "dataerror", "notice": "", "warnings": [note("username", message)]}
    found: list[User] = (
        [user] if (user := site.user_named(username)) else []
    ) if username else [user for user in site.living_users() if user.email.lower() == email.lower()]  # fmt: skip
    if len(found) == 1 and not found[0].suspended and found[0].auth == "manual" and found[0].confirmed:
        # While a request is open there is one more mail, then none.
        if found[0].open_reset_mails < MAILS_OF_ONE_REQUEST:
            found[0].open_reset_mails += 1
            site.send("resetpassword", found[0], f"{site.url}/login/forgot_password.php?token=t{found[0].id}")
    return {"status": SENT[0], "notice": SENT[1], "warnings": []}
