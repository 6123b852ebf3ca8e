"""The main job in a browser with a Moodle as the course platform: what waits, who learns of it, one password."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from math import ceil, floor
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from courses.models import PlatformLogin
from seats.models import Assignment, AssignmentBatch
from seats.tasks import note_openings
from tests.accounts.helpers import letter, letters, link
from tests.e2e.main_job import TOO_WIDE, Look, buy, confirm, sign_up
from tests.e2e.moodle_shop import moodle_shop, there, user_of, work
from tests.moodle.peer import MoodlePeer

__all__ = ["moodle_shop"]

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

STUDENT = 5
COURSE = "EXCEL1"
ANNE, CHLOE = "anne.moreau@lavallee.example", "chloe@lavallee.example"
EMMA, FANNY, KARIM = "emma@lavallee.example", "fanny@lavallee.example", "karim@lavallee.example"
NEW = [
    "boris@lavallee.example",
    "david@lavallee.example",
    EMMA,
    FANNY,
    "hugo@lavallee.example",
    "jeanne@lavallee.example",
]
PASTE = f"""\
Anne Moreau <Anne.Moreau@lavallee.example>; Boris Petit <{NEW[0]}>
"Roux, Chloé" <{CHLOE}>; "Leroy, David" <{NEW[1]}>
Emma Simon <{EMMA}>; Fanny Michel <{FANNY}>; Hugo Blanc <{NEW[4]}>
Jeanne Henry <{NEW[5]}>; DAVID@lavallee.example
karim@@lavallee.example
"""
WORDS = {
    "fr": {
        "checked": "Vérification",
        "given": "Attribution",
        "bought": "10 achetés",
        "started": "commencé",
        "away": "ne répond pas",
    },
    "en": {
        "checked": "is being checked",
        "given": "are being given",
        "bought": "10 bought",
        "started": "started",
        "away": "does not answer",
    },
}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_manager_gives_seats_in_a_moodle(
    browser_page: Any,
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Any],
    moodle_shop: MoodlePeer,
    width: int,
    language: str,
) -> None:
    site, course = moodle_shop.site, there(moodle_shop, COURSE)
    # Anne and Chloé have been on the site for years, Anne under an address of another case; Chloé is in the course.
    site.add_user("amoreau", "anne.Moreau@Lavallee.example", firstname="Anne", lastname="Moreau")
    chloe = site.add_user("croux", CHLOE, firstname="Chloé", lastname="Roux")
    site.enrol(chloe, course, STUDENT)

    def look(page: Page, name: str) -> None:
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        screenshot(page, f"moodle-{name}")

    manager = browser_page(width=width, language=language)
    sign_up(manager, lambda *_: None)
    bill = buy(manager, lambda *_: None)
    confirm(browser_page(language=language), bill)
    work()
    _give(manager, look, moodle_shop, WORDS[language])
    _mails(moodle_shop)
    _choose_and_enter(browser_page(width=width, language=language), look, moodle_shop)
    _enter_with_the_old_password(browser_page(width=width, language=language), look)
    _take_back_and_give_again(manager, look, moodle_shop)
    _started(manager, look, WORDS[language])


def _give(page: Page, look: Look, peer: MoodlePeer, words: dict[str, str]) -> None:
    """The list is checked and given by a worker: the page waits, and goes on by itself."""
    page.goto(f"/seats/?course={COURSE}")
    look(page, "01-my-seats")
    page.locator("main a[href*='/seats/give/']").first.click()
    page.wait_for_url("**/seats/give/**")
    page.locator("[name='paste']").fill(PASTE)
    peer.forget_calls()
    page.locator(".form__actions .button--primary").click()
    page.wait_for_url(re.compile(r"/seats/lists/\d+/$"))
    expect(page.locator("h1")).to_contain_text(words["checked"])
    look(page, "02-checking")
    assert peer.calls == []
    with peer.away():
        work()
        expect(page.locator("#progress")).to_contain_text(words["away"])
        look(page, "03-checking-away")
    assert AssignmentBatch.objects.get().state == AssignmentBatch.State.PLANNING
    work()
    # Seven people are new to the course; Chloé is in it already, David stands twice, Karim has no address.
    expect(page.locator("main .button--primary").first).to_contain_text("7")
    look(page, "04-review")
    before = dict(peer.site.users)
    peer.forget_calls()
    page.locator("main .button--primary").first.click()
    expect(page.locator("h1")).to_contain_text(words["given"])
    look(page, "05-giving")
    assert (peer.calls, peer.site.users) == ([], before)
    work()
    expect(page.locator("h1")).to_contain_text("7")
    look(page, "06-result")
    rows = dict(Assignment.objects.values_list("email", "state"))
    assert sorted(rows) == sorted([ANNE.replace("anne.moreau", "Anne.Moreau"), *NEW])
    assert set(rows.values()) == {Assignment.State.LIVE}
    page.goto("/seats/")
    expect(page.locator(".seats-total").first).to_contain_text(words["bought"])
    look(page, "07-all-my-seats")


def _mails(peer: MoodlePeer) -> None:
    """Moodle itself writes to nobody. Whoever it knew gets the news without a password step, who was in it nothing."""
    assert peer.site.mails == []
    assert "/invitation/" not in letter(ANNE.replace("anne.moreau", "Anne.Moreau"))
    assert letters(CHLOE) == []
    for email in NEW:
        text = letter(email)
        assert "/invitation/" in text
        assert user_of(peer, email).username in text
    course = there(peer, COURSE)
    for email in [ANNE, *NEW]:
        enrolment = peer.site.enrolment(user_of(peer, email).id, course.id)
        assignment = Assignment.objects.get(person__email_key=email)
        assert enrolment is not None
        assert assignment.ends_at is not None
        assert assignment.ends_at - assignment.starts_at == timedelta(days=180)
        # In whole seconds, so that no part of a second is lost.
        assert enrolment.timestart == floor(assignment.starts_at.timestamp())
        assert enrolment.timeend == ceil(assignment.ends_at.timestamp())
    known = peer.site.user_named("amoreau")
    assert known is not None
    assert (known.email, known.password) == ("anne.Moreau@Lavallee.example", "Aa1-password")
    assert PlatformLogin.objects.filter(is_ours=False).count() == 1


def _choose_and_enter(page: Page, look: Look, peer: MoodlePeer) -> None:
    """From the mail: the password, one tap, Moodle's sign-in, and the course."""
    page.goto(link(letter(EMMA), "/invitation/"))
    expect(page.locator("main dl")).to_contain_text(user_of(peer, EMMA).username)
    expect(page.locator("main form .field", has=page.locator("[type='password']"))).to_contain_text("12")
    look(page, "08-invitation")
    page.locator("main input[type='password']").fill("toutes petites lettres")
    page.locator("main .button--primary").click()
    expect(page.locator("main form .field--error, main form [aria-invalid='true']").first).to_be_visible()
    look(page, "09-invitation-refused")
    page.locator("main input[type='password']").fill("Une phrase assez longue, 7 mots.")
    page.locator("main .button--primary").click()
    page.wait_for_url("**/courses/password/set/**")
    look(page, "10-password-set")
    page.locator("main a.button--primary").click()
    page.wait_for_url(f"{peer.url}/login/**")
    _sign_in_to_moodle(page, user_of(peer, EMMA).username, "Une phrase assez longue, 7 mots.")
    expect(page.locator("h1")).to_have_text(there(peer, COURSE).fullname)
    page.goto("/learn/")
    look(page, "11-my-courses")


def _enter_with_the_old_password(page: Page, look: Look) -> None:
    text = letter(ANNE.replace("anne.moreau", "Anne.Moreau"))
    page.goto(re.findall(r"https?://\S+/(?:learn|course)/\S+", text)[0])
    _sign_in_to_moodle(page, "amoreau", "Aa1-password")
    expect(page.locator(".shortname")).to_have_text(COURSE)


def _sign_in_to_moodle(page: Page, username: str, password: str) -> None:
    page.locator("#username").fill(username)
    page.locator("#password").fill(password)
    page.locator("#loginbtn").click()


def _take_back_and_give_again(page: Page, look: Look, peer: MoodlePeer) -> None:
    """Fanny's seat passes on to Karim. In Moodle she is suspended: her group and her grade are kept."""
    site, course, fanny = peer.site, there(peer, COURSE), user_of(peer, FANNY)
    group = next(group for group in site.groups_of(course.id) if group.name == "Groupe A")
    with site.lock:
        group.members.add(fanny.id)
    site.grade(fanny, course, 14.0)
    seat = Assignment.objects.get(email=FANNY).seat
    page.goto(f"/seats/{seat.reference}/")
    look(page, "12-seat")
    page.locator("#release button").click()
    expect(page.locator("#change-way .notice")).to_have_count(1)
    expect(page.locator("#release")).to_have_count(0)
    look(page, "13-seat-being-taken-back")
    work()
    expect(page.locator("main a[href$='/seats/give/'], main form[action$='/again/']").first).to_be_visible()
    look(page, "14-seat-free")
    enrolment = site.enrolment(fanny.id, course.id)
    assert enrolment is not None
    assert enrolment.suspended
    assert (fanny.id in group.members, site.grades[fanny.id, course.id]) == (True, 14.0)
    page.goto(f"/seats/give/?course={COURSE}")
    page.locator("[name='paste']").fill(f"Karim Benali <{KARIM}>")
    page.locator(".form__actions .button--primary").click()
    page.wait_for_url(re.compile(r"/seats/lists/\d+/$"))
    work()
    page.locator("main .button--primary").first.click()
    work()
    expect(page.locator("main .review")).to_contain_text(KARIM)
    assert "/invitation/" in letter(KARIM)
    assert site.is_active(site.enrolments[user_of(peer, KARIM).id, course.id])
    live = Assignment.objects.filter(state=Assignment.State.LIVE)
    assert (live.count(), live.get(email=KARIM).seat) == (7, seat)


def _started(page: Page, look: Look, words: dict[str, str]) -> None:
    """Emma has opened the course in Moodle: once that has been noted, her seat stays hers."""
    emma = Assignment.objects.get(email=EMMA)
    assert emma.opened_at is None
    note_openings()
    assert sorted(Assignment.objects.exclude(opened_at=None).values_list("email", flat=True)) == [
        "Anne.Moreau@lavallee.example",
        EMMA,
    ]
    page.goto(f"/seats/?course={COURSE}")
    look(page, "15-my-seats-started")
    row = page.locator("table.seat-list tr", has_text=EMMA)
    expect(row).to_contain_text(words["started"])
    expect(row.locator("button")).to_have_count(0)
    page.goto(f"/seats/{emma.seat.reference}/")
    look(page, "16-seat-started")
    expect(page.locator("#release")).to_have_count(0)
