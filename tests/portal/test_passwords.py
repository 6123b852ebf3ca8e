"""One password, and it is that of the course platform: chosen through the invitation, or once signed in."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Error
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Person, Role
from common.models import OutboxMail
from courses.checks import check_platform
from courses.models import Course, PlatformLogin
from delegation.models import Delegation
from delegation.services import Delegated, delegate
from tests.accounts.factories import OWN, make_account, make_invited, make_member, make_person
from tests.accounts.helpers import browser, letter, use, who
from tests.courses.factories import make_course, make_enrolment
from tests.portal.elsewhere import Elsewhere, address_of, install_elsewhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Elsewhere:
    return install_elsewhere(monkeypatch, settings)


@pytest.fixture
def course() -> Course:
    return make_course("EXCEL1", fullname="Excel: the basics")


def invited(platform: Elsewhere, course: Course, email: str = "lea@example.org") -> tuple[Invitation, str]:
    """Somebody whose place the platform has confirmed, and the token of the mail."""
    person = make_person(email=email)
    platform.ensure_logins([person.pk])
    make_enrolment(course, person, opened_at=None)
    account = make_account(name="Demo Industries")
    delegate(account_id=account.pk, entries=[Delegated(person.pk, True, email)])
    return make_invited(person=person, account=account)


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def state(invitation: Invitation) -> tuple[Any, ...]:
    """Everything that using the link changes."""
    person = Person.objects.get(pk=invitation.person_id)
    login = PlatformLogin.objects.filter(person=person).first()
    return (
        Invitation.objects.values().get(pk=invitation.pk),
        (person.first_name, person.last_name, person.password, person.possessed_at),
        login and login.password_set_at,
        Delegation.objects.get(person=person).accepted_at,
    )


# --- "the POST of an invitation sets Moodle's own password and leads to the course" ------------------


def test_the_invitation_sets_the_password_there_and_leads_to_the_course(
    platform: Elsewhere, course: Course
) -> None:
    invitation, token = invited(platform, course)
    client = browser()
    page = text_of(client.get(f"/invitation/{token}/?next=/learn/EXCEL1/"))
    assert "Choose your password for the courses and you are in." in page
    assert "<dt>Your user name for the courses</dt><dd><strong>lea@example.org</strong></dd>" in page
    response = use(token, client, next="/learn/EXCEL1/")
    assert (response.status_code, response.headers["Location"]) == (
        302,
        "/courses/password/set/?next=%2Flearn%2FEXCEL1%2F",
    )
    assert platform.passwords == {invitation.person_id: (OWN, "Ben", "Own")}
    person = Person.objects.get(pk=invitation.person_id)
    assert (person.has_usable_password(), person.name) == (False, "Ben Own")
    assert person.possessed_at is not None
    assert who(client) == person.pk
    assert Delegation.objects.get().accepted_at is not None
    page = text_of(client.get(response.headers["Location"]))
    assert "Your password is set" in page
    assert (
        f'<a class="button button--primary" href="{address_of(course)}">Open “Excel: the basics”</a>' in page
    )
    assert "lea@example.org" in page


def test_the_password_is_kept_nowhere_here(platform: Elsewhere, course: Course) -> None:
    _invitation, token = invited(platform, course)
    client = browser()
    use(token, client)
    assert OWN not in str([list(OutboxMail.objects.values()), dict(client.session.items())])
    assert not Person.objects.get(email_key="lea@example.org").check_password(OWN)


def test_the_link_works_once(platform: Elsewhere, course: Course) -> None:
    invitation, token = invited(platform, course)
    use(token)
    before, calls = state(invitation), list(platform.calls)
    assert browser().get(f"/invitation/{token}/").status_code == 410
    assert use(token, password="quite another password").status_code == 410
    assert (state(invitation), platform.calls) == (before, calls)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (
            "away",
            "The course platform does not answer just now. Nothing was changed, and the link stays valid",
        ),
        ("silent", "The course platform does not answer just now."),
        ("rule", "The course platform refuses this password."),
        ("short", "This password is too short."),
        ("not there yet", "Your way into the courses is not ready yet."),
        ("too often", "That was many passwords."),
    ],
)
def test_whenever_it_cannot_be_set_nothing_is_changed_and_the_link_works(
    platform: Elsewhere, course: Course, trouble: str, words: str
) -> None:
    invitation, token = invited(platform, course)
    login = PlatformLogin.objects.get()
    if trouble == "not there yet":
        PlatformLogin.objects.update(remote_id=None)
    if trouble == "too often":
        platform.rule = "§"
        for _time in range(10):
            use(token)
        platform.rule = ""
    before, calls = state(invitation), len(platform.calls)
    platform.is_away, platform.is_silent = trouble == "away", trouble == "silent"
    platform.rule = "§" if trouble == "rule" else ""
    client = browser()
    response = use(token, client, **({"password": "short"} if trouble == "short" else {}))
    assert response.status_code == 200
    page = text_of(response)
    assert words in page
    assert OWN not in page
    assert trouble == "not there yet" or 'value="Ben"' in page  # what was typed is kept
    assert state(invitation) == before
    assert who(client) is None
    assert len(platform.calls) - calls == (trouble in ("away", "silent", "rule"))
    # And then it works.
    platform.is_away = platform.is_silent = False
    platform.rule = ""
    PlatformLogin.objects.update(remote_id=login.remote_id)
    if trouble != "too often":
        assert use(token, client).status_code == 302
        assert who(client) == invitation.person_id


def test_a_refused_password_is_said_at_the_field(platform: Elsewhere, course: Course) -> None:
    _invitation, token = invited(platform, course)
    platform.rule = "§"
    form = use(token).context["form"]
    assert list(form.errors) == ["password"]


def test_a_crash_after_the_password_was_set_leaves_a_link_that_works(
    platform: Elsewhere, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation, token = invited(platform, course)

    def crash(**_anything: Any) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr("portal.services.passwords.use_invitation", crash)
        with pytest.raises(RuntimeError):
            use(token)
    assert Person.objects.get(pk=invitation.person_id).possessed_at is None
    assert use(token, password="another good password").status_code == 302
    assert platform.passwords[invitation.person_id][0] == "another good password"


# --- "known people get no password step" ---------------------------------------------------------------


def test_whoever_had_a_login_there_only_accepts(platform: Elsewhere, course: Course) -> None:
    platform.known = {"lea@example.org"}
    invitation, token = invited(platform, course)
    client = browser()
    page = text_of(client.get(f"/invitation/{token}/"))
    assert f"old-{invitation.person_id}" in page
    assert 'type="password"' not in page
    response = client.post(
        f"/invitation/{token}/", {"first_name": "Ben", "last_name": "Own", "next": "/learn/EXCEL1/"}
    )
    assert response.status_code == 302
    assert "set_password" not in platform.calls
    assert not Person.objects.get(pk=invitation.person_id).has_usable_password()
    page = text_of(client.get(response.headers["Location"]))
    assert "Sign in to the courses as you always did." in page
    assert address_of(course) in page
    assert "Your password is set" not in page


def test_whoever_signed_in_by_code_before_accepts_and_then_chooses(
    platform: Elsewhere, course: Course
) -> None:
    invitation, token = invited(platform, course)
    Person.objects.update(possessed_at=timezone.now())
    assert "You have signed in here before: sign in as lea@example.org." in text_of(
        browser().get(f"/invitation/{token}/")
    )
    client = browser(invitation.person)
    response = client.post(f"/invitation/{token}/", {"next": "/learn/EXCEL1/"}, follow=True)
    assert response.redirect_chain[-1][0] == "/courses/password/?next=%2Flearn%2FEXCEL1%2F"
    assert "set_password" not in platform.calls
    assert Invitation.objects.get(pk=invitation.pk).used_at is not None


def test_who_acts_for_an_organisation_and_is_in_no_course_has_a_password_here(platform: Elsewhere) -> None:
    member = make_member(Role.MANAGER, person=make_person())
    _invitation, token = make_invited(person=member.person, account=member.account)
    assert use(token).headers["Location"] == "/start/"
    assert Person.objects.get(pk=member.person_id).check_password(OWN)
    assert platform.calls == []


# --- choosing it once signed in --------------------------------------------------------------------------


def choose(client: Client, password: str = OWN, **more: str) -> Any:
    return client.post("/courses/password/", {"password": password, **more})


def test_a_buyer_who_got_a_login_chooses_its_password_and_keeps_the_one_of_the_shop(
    platform: Elsewhere, course: Course
) -> None:
    person = make_member(Role.OWNER).person
    platform.ensure_logins([person.pk])
    make_enrolment(course, person)
    client = browser(person)
    assert "a password is still missing" in text_of(client.get("/learn/"))
    assert client.get("/learn/EXCEL1/").headers["Location"] == "/courses/password/?next=%2Flearn%2FEXCEL1%2F"
    before = Person.objects.values().get(pk=person.pk)
    response = choose(client, next="/learn/EXCEL1/")
    assert response.headers["Location"] == "/courses/password/set/?next=%2Flearn%2FEXCEL1%2F"
    assert platform.passwords == {person.pk: (OWN, "", "")}
    assert Person.objects.values().get(pk=person.pk) == before
    assert OutboxMail.objects.count() == 0
    assert address_of(course) in text_of(client.get("/learn/"))


def test_choosing_another_one_is_told_by_mail(platform: Elsewhere, course: Course) -> None:
    _invitation, token = invited(platform, course)
    client = browser()
    use(token, client)
    assert choose(client, "another good password").status_code == 302
    assert platform.passwords[who(client) or 0][0] == "another good password"
    text = letter("lea@example.org")
    assert "Somebody signed in at" in text
    assert "/courses/password/" in text.replace("%2F", "/")
    assert "another good password" not in text


@pytest.mark.parametrize("trouble", ["away", "rule", "too often"])
def test_a_password_that_cannot_be_set_changes_nothing(
    platform: Elsewhere, course: Course, trouble: str
) -> None:
    person = make_person()
    platform.ensure_logins([person.pk])
    client = browser(person)
    platform.rule = "" if trouble == "away" else "§"
    platform.is_away = trouble == "away"
    for _time in range(11 if trouble == "too often" else 1):
        response = choose(client)
    assert response.status_code == 200
    assert PlatformLogin.objects.get().password_set_at is None
    assert platform.passwords == {}
    assert OutboxMail.objects.count() == 0
    assert platform.calls.count("set_password") == (10 if trouble == "too often" else 1)


def test_a_login_that_is_not_ours_is_never_offered_a_password(platform: Elsewhere) -> None:
    person = make_person(email="old@example.org")
    platform.known = {"old@example.org"}
    platform.ensure_logins([person.pk])
    client = browser(person)
    page = text_of(client.get("/courses/password/"))
    assert "follow “Lost password?” on its sign-in page" in page
    assert choose(client).status_code == 200
    assert "set_password" not in platform.calls


def test_without_a_login_there_is_nothing_to_choose(platform: Elsewhere) -> None:
    client = browser(make_person())
    assert "You have no way into the courses yet." in text_of(client.get("/courses/password/"))
    assert choose(client).status_code == 200
    assert platform.calls == []


def test_strangers_and_other_platforms_have_no_such_page(platform: Elsewhere, settings: Any) -> None:
    assert browser().get("/courses/password/").status_code == 302
    settings.COURSE_PLATFORM = "builtin"
    for path in ("/courses/password/", "/courses/password/set/"):
        assert browser(make_person()).get(path).status_code == 404


def test_temporary_passwords_and_such_a_platform_do_not_go_together(
    platform: Elsewhere, settings: Any
) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    assert check_platform(None) == []
    settings.SHOPSEATS_CREDENTIALS = "password"
    assert [(type(one), one.id) for one in check_platform(None)] == [(Error, "courses.E003")]


# --- the shop's own pages -----------------------------------------------------------------------------------


def test_a_profile_without_a_password_says_how_one_signs_in_and_shows_the_login_there(
    platform: Elsewhere, course: Course
) -> None:
    _invitation, token = invited(platform, course)
    client = browser()
    use(token, client)
    page = text_of(client.get("/profile/"))
    assert "You have no password here: you sign in with a code that we mail." in page
    assert "You sign in to the courses as <strong>lea@example.org</strong>." in page
    assert "Change your password" not in page
    response = client.get("/sign/password/change/", follow=True)
    assert [path for path, _status in response.redirect_chain] == [
        "/sign/password/set/",
        "/sign/password/reset/",
    ]


def test_on_the_built_in_platform_the_profile_offers_to_change_the_password(settings: Any) -> None:
    page = text_of(browser(make_member(Role.OWNER).person).get("/profile/"))
    assert "Change your password" in page
    assert "sign in to the courses" not in page
