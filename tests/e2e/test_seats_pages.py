"""My seats in a real browser: ten people from a paste to their seats, and changing one's mind."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import CustomerAccount, Person, Role
from common import jobs
from common.audit import OPERATOR, Actor
from common.listing import from_rows, read_list
from common.models import Job, OutboxMail
from seats.models import Assignment, AssignmentBatch
from seats.services import apply_here, create_list, record_opening, start_apply
from tests.accounts.factories import make_account, make_member, make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import make_pool, plan_list

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

Axe = Callable[[Page], None]
Picture = Callable[[Page, str], Any]
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Links inside a sentence are exempt from the least size of a target (WCAG 2.2, 2.5.8).
TOO_SMALL = """() => [...document.querySelectorAll("main a, main button, main summary, main select, main input:not([type=hidden])")]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.matches(".visually-hidden"))
  .filter(e => !e.closest("p, li:not(:has(> a:only-child)), label, .lead, .field__help"))
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, r]) => (r.width < 24 || r.height < 24) && !e.matches("[type=checkbox], [type=radio]"))
  .map(([e, r]) => `${e.outerHTML.slice(0, 90)} ${Math.round(r.width)}x${Math.round(r.height)}`)"""

PASTE = """\
Anne Moreau <anne@lavallee.example>; Boris Petit <boris@lavallee.example>
"Roux, Chloé" <chloe@lavallee.example>; David Leroy <david@lavallee.example>
Emma Simon <emma@lavallee.example>; Fanny Michel <fanny@lavallee.example>
Hugo Blanc <hugo@lavallee.example>; Jeanne Henry <jeanne@lavallee.example>
David Leroy <DAVID@lavallee.example>; karim@@lavallee.example
"""
WORDS = {
    "fr": {
        "review": "10 lignes, 7 sièges utilisés, 3 restants.",
        "give": "Attribuer 7 sièges",
        "corrected": "10 lignes, 8 sièges utilisés, 2 restants.",
        "again": "Attribuer 8 sièges",
        "given": "8 sièges attribués",
        "counts": "10 achetés · 0 en usage · 8 invités · 2 libres",
        "free": "10 achetés · 0 en usage · 7 invités · 3 libres",
        "back": "Reprendre",
        "undo": "Attribuer de nouveau à Anne Moreau",
    },
    "en": {
        "review": "10 rows, 7 seats used, 3 left.",
        "give": "Give 7 seats",
        "corrected": "10 rows, 8 seats used, 2 left.",
        "again": "Give 8 seats",
        "given": "8 seats given",
        "counts": "10 bought · 0 in use · 8 invited · 2 free",
        "free": "10 bought · 0 in use · 7 invited · 3 free",
        "back": "Take back",
        "undo": "Give it to Anne Moreau again",
    },
}


def sign_in(page: Page, person: Person, base_url: str) -> None:
    cookie = browser(person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": base_url}])


def organisation() -> tuple[CustomerAccount, Person]:
    account = make_account(slug="lavallee", name="Manufacture Lavallée & fils")
    manager = make_person(first_name="Inès", last_name="Robert", password="x")
    make_member(Role.MANAGER, account=account, person=manager)
    make_member(Role.OWNER, account=account)
    return account, manager


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_ten_people_are_pasted_read_corrected_and_given_seats(
    browser_page: Any, axe: Axe, screenshot: Picture, width: int, language: str
) -> None:
    account, manager = organisation()
    make_pool(account, 10, access_seconds=180 * 86400)
    course = make_course("EXCEL1", fullname="Excel, les bases")
    for name in ("anne", "boris", "chloe"):
        make_person(
            email=f"{name}@lavallee.example", first_name="Own", last_name="Name", possessed_at=timezone.now()
        )
    make_enrolment(course, Person.objects.get(email_key="chloe@lavallee.example"))
    words = WORDS[language]
    page = browser_page(width=width, language=language)
    sign_in(page, manager, browser_page.base_url)

    def look(name: str) -> None:
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        assert page.evaluate(TOO_SMALL) == [], name
        screenshot(page, f"seats-{name}")

    page.goto("/seats/?course=EXCEL1")
    look("01-course")
    page.locator("main .button--primary").click()
    page.wait_for_url("**/seats/give/?course=EXCEL1")
    page.locator("[name='paste']").fill(PASTE)
    look("02-give")
    page.locator(".form__actions .button--primary").click()
    page.wait_for_url(re.compile(r"/seats/lists/\d+/$"))

    # The review: who will be invited, who is enrolled, who is there twice, what is to correct.
    expect(page.locator(".lead")).to_contain_text(words["review"])
    expect(page.locator("main .button--primary")).to_have_text(words["give"])
    expect(page.locator(".verdict--will_be_invited")).to_have_count(7)
    for verdict in ("already_enrolled", "duplicate", "invalid"):
        expect(page.locator(f".verdict--{verdict}")).to_have_count(1)
    assert "Own Name" not in page.locator("main").inner_text()
    assert not Assignment.objects.exists()
    look("03-review")
    page.locator("[name='email-10']").fill("karim@lavallee.example")
    page.locator("[name='email-10']").press("Enter")
    expect(page.locator(".lead")).to_contain_text(words["corrected"])
    page.locator("main .button--primary", has_text=words["again"]).click()

    expect(page.locator("h1")).to_have_text(words["given"])
    expect(page.locator(".seats-total .seat-row__words")).to_have_text(words["counts"])
    look("04-result")
    page.reload()
    expect(page.locator("h1")).to_have_text(words["given"])
    assert Assignment.objects.filter(state=Assignment.State.LIVE).count() == 8

    # Changing one's mind: taken back from the list, and given again.
    page.goto("/seats/all/?q=moreau")
    look("05-all")
    page.get_by_role("button", name=re.compile(words["back"])).click()
    expect(page.locator(".undo")).to_be_visible()
    expect(page.locator(".seats-total .seat-row__words")).to_have_text(words["free"])
    look("06-taken-back")
    page.locator(".undo button", has_text=words["undo"]).click()
    expect(page.locator(".seats-total .seat-row__words")).to_have_text(words["counts"])
    page.locator("tbody th a").first.click()
    page.locator("#replace summary").click()
    page.locator("[name='replace-email']").fill("bob@@lavallee.example")
    page.locator("#replace form button").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    look("07-seat")
    page.goto("/products/")
    look("08-products")
    page.goto("/people/")
    look("09-people")
    page.locator("tbody th a").first.click()
    page.wait_for_url(re.compile(r"/people/\d+/"))
    look("10-person")
    page.goto("/seats/")
    look("11-my-seats")


def full(account: CustomerAccount, manager: Person) -> dict[str, str]:
    """Seats in every state from several orders, and lists in every state: what to look at."""
    now = timezone.now()
    excel = make_course("EXCEL1", fullname="Excel, les bases")
    privacy = make_course("RGPD1", fullname="Le RGPD au quotidien")
    actor = Actor.person(manager.pk)
    make_pool(account, 10, item_name="Lot de 10 sièges bureautique et RGPD", courselist="EXCEL*,RGPD1",
              assign_before=now + timedelta(days=200), access_seconds=90 * 86400)  # fmt: skip
    make_pool(
        account,
        80,
        item_name="Siège à attribuer, tous les cours ouverts",
        access_ends_at=now + timedelta(days=300),
    )
    names = ["Jeanne Dupont", "Ahmed Benali", "Noël D'Ambrosio", "Bartholomew Featherstonehaugh-Cholmondeley"]
    listed = from_rows(
        {"email": f"p{number}@lavallee.example", "firstname": name.split()[0], "lastname": name.split()[1]}
        for number, name in enumerate(names * 3)
    )
    applied = create_list(account_id=account.pk, course_id=excel.pk, people=listed, actor=actor)
    apply_here(batch_id=applied.pk, actor=actor)
    for number, given in enumerate(Assignment.objects.order_by("id")):
        if number < 4:
            record_opening(person_id=given.holder_id, course_id=excel.pk)
        elif number == 4:
            Assignment.objects.filter(pk=given.pk).update(ends_at=now - timedelta(days=1))
    OutboxMail.objects.filter(to="p6@lavallee.example").update(state=OutboxMail.State.FAILED)
    short = read_list(
        "email;nom;rôle;service\n" + "".join(f"q{n}@x.example;Nom;tuteur;Paie\n" for n in range(90))
    )
    missing = create_list(account_id=account.pk, course_id=privacy.pk, people=short, actor=actor)
    running = plan_list(account, privacy, *(f"r{n}@x.example" for n in range(5)))
    job = start_apply(batch_id=running.pk, actor=OPERATOR)
    AssignmentBatch.objects.filter(pk=running.pk).update(state=AssignmentBatch.State.APPLYING)
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, done=2)
    started, waiting = Assignment.objects.order_by("id")[0], Assignment.objects.order_by("id")[6]
    return {
        "my": "/seats/",
        "not-covered": "/seats/?course=NOPE",
        "all": "/seats/all/",
        "missing": f"/seats/lists/{missing.pk}/",
        "running": f"/seats/lists/{running.pk}/",
        "applied": f"/seats/lists/{applied.pk}/",
        "edit": f"/seats/give/?list={missing.pk}",
        "started": f"/seats/{started.seat.reference}/",
        "waiting": f"/seats/{waiting.seat.reference}/",
        "products": "/products/",
        "people": "/people/",
        "person": f"/people/{started.person_id}/",
        "answering": "/answering/",
        "no-people": "/people/?q=zzz",
    }


@pytest.mark.parametrize(
    ("width", "language", "color_scheme"),
    [
        (360, "fr", "light"),
        (1280, "fr", "light"),
        (360, "en", "light"),
        (1280, "en", "dark"),
        (700, "fr", "light"),
    ],
)
def test_every_page_is_readable_and_nothing_is_too_wide_or_too_small(
    browser_page: Any, axe: Axe, screenshot: Picture, width: int, language: str, color_scheme: str
) -> None:
    account, manager = organisation()
    pages = full(account, manager)
    page = browser_page(width=width, language=language, color_scheme=color_scheme)
    sign_in(page, manager, browser_page.base_url)
    for name, path in pages.items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        axe(page)
        assert page.evaluate(TOO_WIDE) <= 0, name
        assert page.evaluate(TOO_SMALL) == [], name
        screenshot(page, f"seats-full-{name}-{color_scheme}")


def test_empty_pages_teach(browser_page: Any, axe: Axe, screenshot: Picture) -> None:
    _account, manager = organisation()
    page = browser_page(width=360)
    sign_in(page, manager, browser_page.base_url)
    for path in ("/seats/", "/seats/all/", "/seats/give/", "/products/", "/people/", "/answering/"):
        page.goto(path)
        axe(page)
        expect(page.locator(".empty svg")).to_be_visible()
        screenshot(page, f"seats-empty-{path.strip('/').replace('/', '-')}")


def test_without_javascript_ten_rows_are_typed_and_given(browser_page: Any) -> None:
    account, manager = organisation()
    make_pool(account, 10)
    make_course("EXCEL1")
    page = browser_page(javascript=False, language="en")
    sign_in(page, manager, browser_page.base_url)
    page.goto("/seats/give/?course=EXCEL1")
    page.locator(".typed summary").click()
    rows = page.locator(".typed input[type='email']")
    expect(rows).to_have_count(10)
    for number in range(10):
        rows.nth(number).fill(f"p{number}@x.org")
    page.locator(".form__actions .button--primary").click()
    page.locator("main .button--primary", has_text="Give 10 seats").click()
    expect(page.locator("h1")).to_have_text("10 seats given")
    assert Assignment.objects.count() == 10


def test_rows_are_added_and_choosing_a_course_shows_its_seats(browser_page: Any, axe: Axe) -> None:
    account, manager = organisation()
    make_pool(account, 10)
    pack = make_pool(account, 5, courselist="EXCEL1", item_name="Pack")
    make_course("EXCEL1", fullname="Excel")
    make_course("RGPD1", fullname="Privacy")
    page = browser_page(language="en")
    sign_in(page, manager, browser_page.base_url)
    page.goto("/seats/give/")
    expect(page.locator("#give-seats")).to_have_text("")
    page.get_by_label("Course").select_option("RGPD1")
    expect(page.locator("#give-seats")).to_contain_text("10 free seats for this course")
    page.get_by_label("Course").select_option("EXCEL1")
    expect(page.locator("#give-seats")).to_contain_text("15 free seats for this course")
    page.get_by_label("Take the seats from").select_option(str(pack.pk))
    page.locator(".typed summary").click()
    page.get_by_role("button", name="Add a person").click()
    expect(page.locator(".typed tbody tr")).to_have_count(11)
    page.keyboard.type("ann@x.org")
    axe(page)
    page.locator(".form__actions .button--primary").click()
    expect(page.locator(".lead")).to_contain_text("1 row, 1 seat used, 14 left.")
    assert AssignmentBatch.objects.get().pool == pack


def test_progress_is_followed_and_the_result_comes_by_itself(
    browser_page: Any, axe: Axe, screenshot: Picture
) -> None:
    account, manager = organisation()
    make_pool(account, 10)
    batch = plan_list(account, make_course(), "ann@x.org", "bob@x.org")
    AssignmentBatch.objects.filter(pk=batch.pk).update(
        state=AssignmentBatch.State.APPLYING,
        applied_by=OPERATOR.label,
        job=Job.objects.create(
            kind="seats.apply", object_id=batch.pk, total=2, done=0, state=Job.State.RUNNING
        ),
    )
    page = browser_page(language="en")
    sign_in(page, manager, browser_page.base_url)
    page.goto(f"/seats/lists/{batch.pk}/")
    expect(page.locator(".progress")).to_contain_text("0 / 2")
    Job.objects.update(done=1)
    expect(page.locator(".progress")).to_contain_text("1 / 2 · 50%")
    expect(page.locator("#progress-said")).to_have_text("1 of 2 people done.")
    axe(page)
    screenshot(page, "seats-progress")
    Job.objects.update(state=Job.State.QUEUED)
    assert jobs.run(Job.objects.get().pk)
    expect(page.locator("h1")).to_have_text("2 seats given")


def test_paper_shows_the_list_and_not_the_ways_through_it(browser_page: Any, screenshot: Picture) -> None:
    account, manager = organisation()
    full(account, manager)
    page = browser_page(language="en")
    sign_in(page, manager, browser_page.base_url)
    page.goto("/seats/all/?print=1&state=assigned")
    page.emulate_media(media="print")
    for hidden in (".tabs", ".chips", ".line-form", ".actions", ".seat-list .button >> nth=0", ".places"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".seat-list")).to_be_visible()
    screenshot(page, "seats-paper")
