"""The ways in, in a real browser: sign-up, organisation, team, invitation, forgotten password."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core import mail

from accounts.models import Member, Person, SignInCode
from common.outbox import deliver_due
from tests.accounts.factories import PASSWORD, make_account, make_invited, make_person
from tests.accounts.helpers import code_in, link, other_than
from tests.plugins.browser import save

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]


def path_in_mail(part: str) -> str:
    deliver_due()
    return link(str(mail.outbox[-1].body), part)


@pytest.mark.parametrize(("width", "language"), [(360, "fr"), (1280, "en")])
def test_somebody_signs_up_names_an_organisation_and_builds_a_team(browser_page, axe, width, language):
    page = browser_page(width=width, language=language)

    def look(name: str) -> None:
        axe(page)
        save(page, f"accounts-{name}-{language}-{width}")

    page.goto("/sign/signup/?next=/organisation/")
    look("sign-up")
    page.locator("[name=first_name]").fill("Ana")
    page.locator("[name=last_name]").fill("Ruiz")
    page.locator("[name=email]").fill("ana@example.org")
    page.locator("[name=password1]").fill("short")
    page.locator("main form button").last.click()
    page.locator("[data-error-summary]").wait_for()
    look("sign-up-wrong")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("main form button").last.click()
    page.wait_for_url("**/sign/confirm-email/")
    look("mailbox")
    page.goto(path_in_mail("/sign/confirm-email/"))
    look("confirm")
    page.locator("main form button").last.click()
    page.wait_for_url("**/organisation/")
    look("organisation")
    page.locator("[name=name]").fill("Port de Brest")
    page.goto("/organisation/?next=/team/")
    page.locator("[name=name]").fill("Port de Brest")
    page.locator("main form button").last.click()
    page.wait_for_url("**/team/")
    page.locator("[name=email]").fill("ben@example.org")
    page.locator("main .button--primary").click()
    page.locator(".notice--success").wait_for()
    assert Member.objects.count() == 2
    look("team")
    page.goto("/settings/")
    look("settings")
    page.goto("/profile/")
    look("profile")
    page.goto("/sign/password/change/")
    look("password-change")


@pytest.mark.parametrize(("width", "language"), [(360, "fr"), (1280, "en")])
def test_somebody_invited_chooses_a_password(browser_page, axe, width, language):
    person = make_person(email="ben@example.org", first_name="", last_name="", name_is_guess=True)
    _, token = make_invited(person=person, account=make_account(name="Port de Brest"))
    page = browser_page(width=width, language=language)
    page.goto(f"/invitation/{token}/?next=/profile/")
    axe(page)
    save(page, f"accounts-invitation-{language}-{width}")
    page.locator("[name=first_name]").fill("Ben")
    page.locator("[name=last_name]").fill("Own")
    page.locator("[name=password]").fill("my very own password")
    page.locator("main form button").last.click()
    page.wait_for_url("**/profile/")
    person.refresh_from_db()
    assert person.check_password("my very own password")
    page.goto(f"/invitation/{token}/")
    axe(page)
    save(page, f"accounts-invitation-closed-{language}-{width}")
    page.locator("main form button").last.click()
    page.wait_for_url("**/renew/")
    axe(page)
    save(page, f"accounts-invitation-mailed-{language}-{width}")


@pytest.mark.parametrize(("width", "language"), [(360, "fr"), (1280, "en")])
def test_somebody_replaces_a_forgotten_password(browser_page, axe, width, language):
    Person.objects.create_user("ana@example.org", PASSWORD)
    page = browser_page(width=width, language=language)
    page.goto("/sign/login/?next=/profile/")
    axe(page)
    save(page, f"accounts-sign-in-{language}-{width}")
    page.locator("main form .form__actions a").click()
    page.wait_for_url("**/sign/password/reset/**")
    axe(page)
    page.locator("[name=email]").fill("ana@example.org")
    page.locator("main form button").last.click()
    page.wait_for_url("**/sign/password/reset/done/")
    axe(page)
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 3600
    page.goto(path_in_mail("/sign/password/reset/key/"))
    axe(page)
    save(page, f"accounts-new-password-{language}-{width}")
    page.locator("[name=password1]").fill("my very own password")
    page.locator("main form button").last.click()
    page.wait_for_url("**/profile/")


@pytest.mark.parametrize(("width", "language"), [(360, "fr"), (1280, "en")])
def test_somebody_without_a_password_comes_in_with_a_code(browser_page, axe, width, language):
    person = make_person(email="ana@example.org")
    page = browser_page(width=width, language=language)

    def look(name: str) -> None:
        axe(page)
        save(page, f"accounts-code-{name}-{language}-{width}")

    page.goto("/sign/login/?next=/profile/")
    look("sign-in")
    page.locator("[name=login]").fill("ana@example.org")
    page.locator("[formaction='/sign/code/']").click()
    page.wait_for_url("**/sign/code/confirm/**")
    look("mailbox")
    deliver_due()
    code = code_in(str(mail.outbox[-1].body))
    page.locator("[name=code]").fill(other_than(code))
    page.locator(".button--primary").click()
    page.locator("[data-error-summary]").wait_for()
    look("wrong")
    page.locator("[name=code]").fill(f" {code[:4]} {code[4:]} ")
    page.locator(".button--primary").click()
    page.wait_for_url("**/profile/")
    person.refresh_from_db()
    assert person.possessed_at is not None
    assert not person.has_usable_password()


def test_a_code_that_has_ended_offers_another(browser_page, axe):
    page = browser_page(width=360, language="fr")
    page.goto("/sign/code/?next=/learn/")
    axe(page)
    save(page, "accounts-code-ask-fr-360")
    page.locator("[name=login]").fill("ana@example.org")
    page.locator("main form button").last.click()
    page.wait_for_url("**/sign/code/confirm/**")
    SignInCode.objects.update(tries=5)
    page.reload()
    axe(page)
    save(page, "accounts-code-ended-fr-360")
    page.locator(".button--primary").click()
    page.locator("[name=code]").wait_for()
    assert page.url.endswith("/sign/code/confirm/?next=%2Flearn%2F")
    assert SignInCode.objects.get().tries == 0
