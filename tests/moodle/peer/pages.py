"""What participants see in a browser: the login form, the dashboard, a course, and what stands before it."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.moodle.peer.answers import HTML_TYPE, JSON_TYPE
from tests.moodle.peer.functions.users import policy_errors
from tests.moodle.peer.records import Course, User
from tests.moodle.peer.wire import Reply, Request
from tests.moodle.peer.words import WORDS, language_of

if TYPE_CHECKING:
    from tests.moodle.peer.peer import MoodlePeer

COOKIE = "MoodleSession"


@dataclass
class Session:
    """A browser at the site. `wanted` is the page it asked for before it had logged in."""

    key: str = field(default_factory=lambda: secrets.token_hex(13))
    login_token: str = field(default_factory=lambda: secrets.token_hex(16))
    user_id: int = 0
    wanted: str = ""


class Moved(Exception):
    """Another page comes first."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


@dataclass
class View:
    """One request of a browser, with the site locked."""

    peer: MoodlePeer
    request: Request
    session: Session
    language: str

    def say(self, word: str) -> str:
        return escape(WORDS[self.language][word])

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.request.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        text = self.request.body.decode("utf-8", "replace")
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}

    @property
    def is_post(self) -> bool:
        return self.request.method == "POST"

    @property
    def user(self) -> User | None:
        """Who is logged in; a suspended account has lost its sessions."""
        user = self.peer.site.user(self.session.user_id)
        if user is None or user.suspended:
            self.session.user_id = 0
            return None
        return user

    def html(self, title: str, content: str, status: int = 200) -> Reply:
        user = self.user
        head = (
            f"<p>{escape(user.fullname)} · <a href='/login/logout.php'>{self.say('logout')}</a></p>"
            if user
            else ""
        )
        text = (
            f"<!DOCTYPE html><html lang='{self.language}'><head><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<title>{title} | {escape(self.peer.site.sitename)}</title></head>"
            f"<body><header>{head}</header><main><h1>{title}</h1>{content}</main></body></html>"
        )
        return Reply(status, HTML_TYPE, text.encode())


def page(peer: MoodlePeer, request: Request) -> Reply:
    """The page for a request, with the session's cookie."""
    cookie = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    known = peer.sessions.get(cookie.value) if cookie else None
    session = known or Session()
    peer.sessions[session.key] = session
    language = language_of(request.headers.get("accept-language", ""))
    view = View(peer, request, session, language)
    with peer.site.lock:
        try:
            reply = PAGES.get(request.path, not_found)(view)
        except Moved as moved:
            reply = Reply(303, HTML_TYPE, b"", (("Location", moved.target),))
    headers = reply.headers
    if known is None:
        headers = (*headers, ("Set-Cookie", f"{COOKIE}={session.key}; Path=/; HttpOnly"))
    return Reply(reply.status, reply.content_type, reply.body, headers)


def not_found(view: View) -> Reply:
    return view.html(view.say("notfound"), "", 404)


# --- who somebody is ---------------------------------------------------------------------------------


def login(view: View) -> Reply:
    problem = ""
    if view.is_post:
        user = admitted(view)
        if isinstance(user, User):
            view.session.user_id = user.id
            now = view.peer.site.clock
            user.firstaccess, user.lastaccess = user.firstaccess or now, now
            raise Moved(view.session.wanted or "/my/")
        problem = f"<p role='alert'>{view.say(user)}</p>"
    token = f"<input type='hidden' name='logintoken' value='{view.session.login_token}'>"
    return view.html(
        view.say("login"),
        f"{problem}<form method='post' action='/login/index.php' id='login'>{token}"
        f"<p><label for='username'>{view.say('username')}</label>"
        "<input id='username' name='username' autocomplete='username'></p>"
        f"<p><label for='password'>{view.say('password')}</label>"
        "<input id='password' name='password' type='password' autocomplete='current-password'></p>"
        f"<button id='loginbtn'>{view.say('login')}</button></form>",
    )


def admitted(view: View) -> User | str:
    """Who gives his user name (never his address) and password, or the word for why nobody is let in."""
    form = view.form
    if form.get("logintoken") != view.session.login_token:
        return "expired"
    user = view.peer.site.user_named(form.get("username", "").strip().lower())
    if user is None or user.suspended or user.auth == "nologin" or user.password != form.get("password"):
        return "invalid"
    return user if user.confirmed else "unconfirmed"


def logout(view: View) -> Reply:
    view.session.user_id, view.session.wanted = 0, ""
    raise Moved("/login/index.php")


def logged_in(view: View) -> User:
    """Whoever is logged in and has nothing to do first; remembers the page that he wanted."""
    user = view.user
    if user is None:
        view.session.wanted = view.request.target
        raise Moved("/login/index.php")
    missing = next((path for path, holds in FIRST.items() if holds(view, user)), "")
    if missing:
        view.session.wanted = view.request.target
        raise Moved(missing)
    return user


def must_change(view: View, user: User) -> bool:
    return user.must_change_password


def must_agree(view: View, user: User) -> bool:
    return view.peer.site.policy and not user.policy_agreed


def lacks_field(view: View, user: User) -> bool:
    required = view.peer.site.required_field
    return bool(required) and not user.custom_fields.get(required)


FIRST: dict[str, Callable[[View, User], bool]] = {
    "/login/change_password.php": must_change,
    "/user/edit.php": lacks_field,
    "/user/policy.php": must_agree,
}
"""What is asked of somebody before he sees anything else, in Moodle's order."""


def somebody(view: View) -> User:
    if view.user is None:
        raise Moved("/login/index.php")
    return view.user


def change_password(view: View) -> Reply:
    user, problem = somebody(view), ""
    if view.query.get("return"):
        raise Moved(view.session.wanted or "/my/")
    if view.is_post:
        first, again = view.form.get("newpassword1", ""), view.form.get("newpassword2", "")
        problem = policy_errors(view.peer.site, first) or ("" if first == again else view.say("differ"))
        if not problem:
            user.password = first
            user.preferences["auth_forcepasswordchange"] = "0"
            link = f"<a href='/login/change_password.php?return=1'>{view.say('continue')}</a>"
            return view.html(view.say("saved"), f"<p>{link}</p>")
    fields = "".join(
        f"<p><label for='{name}'>{view.say(word)}</label><input id='{name}' name='{name}' type='password'></p>"
        for name, word in (("newpassword1", "newpassword"), ("newpassword2", "again"))
    )
    return view.html(
        view.say("change"),
        f"<div role='alert'>{problem}</div><form method='post'>{fields}<button>{view.say('save')}</button></form>",
    )


def policy(view: View) -> Reply:
    user = somebody(view)
    if view.is_post:
        user.policy_agreed = True
        raise Moved(view.session.wanted or "/my/")
    return view.html(view.say("policy"), f"<form method='post'><button>{view.say('agree')}</button></form>")


def profile(view: View) -> Reply:
    user, name = somebody(view), view.peer.site.required_field
    if view.is_post:
        user.custom_fields[name] = view.form.get("field", "")
        raise Moved(view.session.wanted or "/my/")
    return view.html(
        view.say("profile"),
        f"<form method='post'><p><label for='field'>{escape(name)} ({view.say('required')})</label>"
        f"<input id='field' name='field'></p><button>{view.say('save')}</button></form>",
    )


# --- courses -----------------------------------------------------------------------------------------


def dashboard(view: View) -> Reply:
    user = logged_in(view)
    items = "".join(
        f"<li><a href='/course/view.php?id={course.id}'>{escape(course.fullname)}</a></li>"
        for course in view.peer.site.active_courses(user.id)
    )
    return view.html(view.say("dashboard"), f"<ul>{items}</ul>")


def wanted_course(view: View) -> Course | None:
    """By id, by short name (`name`) or by id number."""
    site, query = view.peer.site, view.query
    if "name" in query:
        return site.course_named(query["name"])
    if "idnumber" in query:
        return site.course_with_idnumber(query["idnumber"])
    number = query.get("id", "")
    return site.courses.get(int(number)) if number.isdigit() else None


def course_page(view: View) -> Reply:
    user, course = logged_in(view), wanted_course(view)
    if course is None:
        return view.html(view.say("nocourse"), "", 404)
    site = view.peer.site
    enrolment = site.enrolment(user.id, course.id)
    if enrolment is None or not site.is_active(enrolment):
        raise Moved(f"/enrol/index.php?id={course.id}")
    teaches = {"editingteacher", "teacher"} & {
        role.shortname for role in site.course_roles(user.id, course.id)
    }
    if not course.visible and not teaches:
        return view.html(view.say("notice"), f"<p>{view.say('hidden')}</p>")
    site.visit(user, course)
    groups = ", ".join(escape(group.name) for group in site.groups_of(course.id) if user.id in group.members)
    items = "".join(f"<li>{escape(title)}</li>" for title in course.pages)
    return view.html(
        escape(course.fullname),
        f"<p class='shortname'>{escape(course.shortname)}</p><p class='groups'>{groups}</p>"
        f"<h2>{view.say('pages')}</h2><ol>{items}</ol>",
    )


def enrol_page(view: View) -> Reply:
    """The same page for whoever is not enrolled, suspended, too early or too late."""
    logged_in(view)
    course = wanted_course(view)
    return view.html(escape(course.fullname) if course else "", f"<p>{view.say('notenrolled')}</p>")


def front(view: View) -> Reply:
    return view.html(
        escape(view.peer.site.sitename), f"<p><a href='/login/index.php'>{view.say('login')}</a></p>"
    )


def status(view: View) -> Reply:
    """No page of Moodle's: what a measurement in another process asks the peer."""
    with view.peer.lock:
        counts = Counter(call.function for call in view.peer.calls)
        told = {
            "busy_seconds": view.peer.busy_seconds,
            "calls": dict(counts),
            "connections": view.peer.connections,
        }
    return Reply(200, JSON_TYPE, json.dumps(told).encode())


PAGES: dict[str, Callable[[View], Reply]] = {
    "/": front,
    "/login/index.php": login,
    "/login/logout.php": logout,
    "/login/change_password.php": change_password,
    "/user/policy.php": policy,
    "/user/edit.php": profile,
    "/my/": dashboard,
    "/course/view.php": course_page,
    "/enrol/index.php": enrol_page,
    "/peer/status": status,
}
