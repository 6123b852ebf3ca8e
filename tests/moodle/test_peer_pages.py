"""The peer in a browser: who gets in, and where he lands."""

from __future__ import annotations

import re
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest


class Browser:
    """Keeps one cookie and follows redirects, as far as these tests need it."""

    def __init__(self, peer, language="fr"):
        self.peer, self.language, self.cookie, self.path, self.text = peer, language, "", "", ""

    def open(self, target, form=None):
        for _ in range(6):
            host, port = self.peer.url.removeprefix("http://").split(":")
            connection = HTTPConnection(host, int(port), timeout=30)
            headers = {"Cookie": self.cookie, "Accept-Language": self.language}
            body = None
            if form is not None:
                body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
            connection.request("POST" if form is not None else "GET", target, body, headers)
            reply = connection.getresponse()
            self.path, self.text = target, reply.read().decode()
            if reply.headers.get("Set-Cookie"):
                self.cookie = reply.headers["Set-Cookie"].partition(";")[0]
            location = reply.headers.get("Location")
            connection.close()
            if reply.status != 303:
                return reply.status
            target, form = location, None
        raise AssertionError("redirected for ever")

    @property
    def title(self):
        return self.find("<h1>(.*?)</h1>")

    def find(self, pattern):
        (found,) = re.findall(pattern, self.text)
        return found

    def login(self, username, password="Aa1-password", *, token=None):
        if not self.path.startswith("/login/"):
            self.open("/login/index.php")
        found = self.find("name='logintoken' value='(.*?)'")
        form = {"username": username, "password": password, "logintoken": found if token is None else token}
        self.open("/login/index.php", form)


@pytest.fixture
def browser(moodle_peer):
    return Browser(moodle_peer)


@pytest.fixture
def course(site):
    return site.add_course("C1", "Course <1>", pages=["First page"], idnumber="ID1")


@pytest.fixture
def user(site):
    return site.add_user("one", firstname="Inès")


def test_without_a_wanted_page_login_ends_on_the_dashboard(browser, site, course, user):
    site.enrol(user, course)
    browser.login("ONE")
    assert (browser.path, browser.title) == ("/my/", "Mes cours")
    assert "Course &lt;1&gt;" in browser.text
    assert "lang='fr'" in browser.text
    assert user.firstaccess > 0


@pytest.mark.parametrize("link", ["id={id}", "name=C1", "idnumber=ID1"])
def test_the_course_opened_first_is_where_login_leads_and_sets_the_last_access(
    browser, site, course, user, link
):
    site.enrol(user, course, groups=[site.add_group(course, "Groupe A")])
    target = "/course/view.php?" + link.format(id=course.id)
    browser.open(target)
    assert (browser.path, browser.title) == ("/login/index.php", "Connexion")
    assert site.last_access == {}
    browser.login("one")
    assert (browser.path, browser.title) == (target, "Course &lt;1&gt;")
    assert "First page" in browser.text
    assert "Groupe A" in browser.text
    assert list(site.last_access) == [(user.id, course.id)]


def test_a_user_made_by_a_web_service_logs_in_at_once(browser, raw, site, course):
    (made,) = raw.call(
        "core_user_create_users",
        users=[
            {
                "username": "p1",
                "password": "Pä ss-1234 ",
                "firstname": "P",
                "lastname": "1",
                "email": "p@e.example",
            }
        ],
    )
    raw.call(
        "enrol_manual_enrol_users", enrolments=[{"roleid": 5, "userid": made["id"], "courseid": course.id}]
    )
    browser.open(f"/course/view.php?id={course.id}")
    browser.login("p1", "Pä ss-1234")
    assert browser.title == "Connexion"
    browser.login("p1", "Pä ss-1234 ")
    assert browser.title == "Course &lt;1&gt;"


def test_neither_address_nor_wrong_token_nor_suspended_nor_nologin_get_in(browser, site, user):
    site.add_user("away", suspended=True)
    site.add_user("robot", auth="nologin")
    site.add_user("fresh", confirmed=False)
    for name in ("one@example.org", "away", "robot"):
        browser.login(name)
        assert "Identifiants incorrects" in browser.text
    browser.login("one", token="x")
    assert "session a expiré" in browser.text
    browser.login("fresh")
    assert "confirmer votre inscription" in browser.text
    browser.open("/my/")
    assert browser.title == "Connexion"


def test_not_enrolled_suspended_too_early_and_too_late_end_on_the_same_page(browser, site, course, user):
    site.now = lambda: 1000.0
    browser.login("one")
    for dates in (None, {"suspended": True}, {"timestart": 1001}, {"timeend": 999}):
        if dates:
            site.enrol(user, course, **dates)
        browser.open(f"/course/view.php?id={course.id}")
        assert browser.path == f"/enrol/index.php?id={course.id}"
        assert "Vous ne pouvez pas vous inscrire" in browser.text
    site.enrol(user, course)
    browser.open(f"/course/view.php?id={course.id}")
    assert "First page" in browser.text


def test_a_hidden_course_shows_a_notice_to_learners_only(moodle_peer, site, course, user):
    teacher = site.add_user("boss")
    site.enrol(user, course)
    site.enrol(teacher, course, 4)
    site.hide(course)
    for name, title in (("one", "Notice"), ("boss", "Course &lt;1&gt;")):
        browser = Browser(moodle_peer, "en-GB,en;q=0.8")
        browser.open(f"/course/view.php?id={course.id}")
        browser.login(name)
        assert browser.title == title
    assert list(site.last_access) == [(teacher.id, course.id)]


def test_what_comes_before_the_course(browser, site, course, user):
    site.enrol(user, course)
    site.force_password_change(user)
    site.set_policy()
    site.require_profile_field("unit")
    target = f"/course/view.php?id={course.id}"
    browser.open(target)
    browser.login("one")
    assert browser.path == "/login/change_password.php"
    browser.open("/login/change_password.php", {"newpassword1": "short", "newpassword2": "short"})
    assert "at least 8 characters" in browser.text
    browser.open("/login/change_password.php", {"newpassword1": "Bb2-bbbb", "newpassword2": "Bb2-bbbb"})
    assert (user.password, user.must_change_password) == ("Bb2-bbbb", False)
    browser.open("/login/change_password.php?return=1")
    assert browser.path == "/user/edit.php"
    browser.open("/user/edit.php", {"field": "Lyon"})
    assert browser.path == "/user/policy.php"
    browser.open("/user/policy.php", {})
    assert (browser.path, browser.title) == (target, "Course &lt;1&gt;")


def test_suspending_the_account_ends_its_session_and_a_new_password_does_not(browser, raw, site, user):
    browser.login("one")
    raw.call("core_user_update_users", users=[{"id": user.id, "password": "Bb2-bbbb"}])
    browser.open("/my/")
    assert browser.title == "Mes cours"
    raw.call("core_user_update_users", users=[{"id": user.id, "suspended": 1}])
    browser.open("/my/")
    assert browser.title == "Connexion"


def test_leaving(browser, user):
    browser.login("one")
    browser.open("/login/logout.php")
    browser.open("/my/")
    assert browser.title == "Connexion"


def test_maintenance_is_for_browsers_too_and_other_pages_are_not_there(browser, site):
    assert browser.open("/nowhere") == 404
    site.maintenance()
    assert browser.open("/login/index.php") == 503
