"""The frame and the components in a real browser: readable, reachable, narrow, with and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.needs_browser, pytest.mark.django_db(transaction=True)]

PAGES = {
    "guide": "/?as=owner",
    "seats": "/seats/?as=manager",
    "catalogue": "/catalogue/",
    "checkout": "/checkout/?as=buyer&wrong=1",
    "empty": "/empty/?as=viewer",
    "refused": "/403/?as=viewer",
}

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# Links inside a sentence are exempt from the least size of a target (WCAG 2.2, 2.5.8), and so are the
# boxes whose label is a target too.
TOO_SMALL = """() => [...document.querySelectorAll("a, button, summary, select, input:not([type=hidden])")]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.matches(".visually-hidden, .skip"))
  .filter(e => !e.closest("p, li:not(:has(> a:only-child)), label, .lead, .field__help"))
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, r]) => r.width < 24 || r.height < 24)
  .filter(([e]) => !e.matches("[type=checkbox], [type=radio]"))
  .map(([e, r]) => `${e.outerHTML.slice(0, 90)} ${Math.round(r.width)}x${Math.round(r.height)}`)"""


def names(page: Page) -> list[str]:
    return page.locator(".place").all_inner_texts()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_is_too_wide_or_too_small(
    browser_page, axe, screenshot, width, color_scheme, language
):
    page = browser_page(width=width, color_scheme=color_scheme, language=language)
    for name, path in PAGES.items():
        page.goto(path)
        axe(page)
        assert page.evaluate(TOO_WIDE) == 0, name
        assert page.evaluate(TOO_SMALL) == [], name
        screenshot(page, f"design-{name}-{color_scheme}")


@pytest.mark.parametrize("width", [320, 480, 640, 700, 832, 1024])
def test_nothing_is_too_wide_between_the_two_widths_either(browser_page, width):
    page = browser_page(width=width, language="fr")
    for name, path in PAGES.items():
        page.goto(path)
        assert page.evaluate(TOO_WIDE) <= 0, name


def test_the_first_key_leads_past_the_frame(browser_page):
    page = browser_page(language="en")
    page.goto("/seats/?as=owner")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Go to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Go to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_focus_is_always_seen(browser_page):
    """Every element reached by the keyboard has an outline, and no bar lies over it."""
    page = browser_page(width=360, height=640, language="en")
    page.goto("/checkout/?as=buyer")
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
              const e = document.activeElement, r = e.getBoundingClientRect();
              if (e === document.body) return "end";
              // A long field may reach below the bar; where it begins must be seen.
              const at = document.elementFromPoint(r.left + r.width / 2, r.top + Math.min(r.height / 2, 20));
              const style = getComputedStyle(e);
              const seen = e.contains(at) || at?.contains(e) || e.matches("[type=file]");
              return [e.outerHTML.slice(0, 80), style.outlineStyle !== "none", seen];
            }"""
        )
        if found == "end":
            break
        assert found[1:] == [True, True], found[0]


def test_the_focus_goes_to_the_summary_of_errors_and_its_links_to_the_fields(browser_page):
    page = browser_page(language="en")
    page.goto("/checkout/?as=buyer&wrong=1")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    page.get_by_role("link", name="Course: This field is required.").click()
    expect(page.get_by_label("Course")).to_be_focused()


def test_menus_open_one_at_a_time_and_close_with_escape(browser_page):
    page = browser_page(width=360, language="en")
    page.goto("/seats/?as=owner")
    organisation, person = page.locator(".menu--organisation"), page.locator(".menu--person")
    organisation.locator("summary").click()
    expect(page.get_by_role("link", name="Team")).to_be_visible()
    person.locator("summary").click()
    expect(page.get_by_role("link", name="Team")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("details[open]")).to_have_count(0)
    expect(person.locator("summary")).to_be_focused()
    organisation.locator("summary").click()
    page.mouse.click(350, 420)
    expect(page.locator("details[open]")).to_have_count(0)


def test_a_number_is_raised_and_lowered_within_its_bounds(browser_page):
    page = browser_page(language="en")
    page.goto("/checkout/?as=buyer")
    number = page.get_by_label("Seats")
    number.fill("2")
    for _ in range(3):
        page.get_by_role("button", name="One less").click()
    expect(number).to_have_value("1")
    page.get_by_role("button", name="One more").click()
    expect(number).to_have_value("2")


def test_rows_are_added_with_their_names_and_numbers(browser_page):
    page = browser_page(language="en")
    page.goto("/checkout/?as=buyer")
    page.get_by_role("button", name="Add a person").click()
    expect(page.locator("#id_form-2-email")).to_be_focused()
    expect(page.locator("#id_form-TOTAL_FORMS")).to_have_value("3")
    expect(page.locator(".entry__number").nth(2)).to_have_text("3")


def test_a_file_may_be_dropped(browser_page):
    page = browser_page(language="en")
    page.goto("/checkout/?as=buyer")
    expect(page.get_by_text("or drop the file here")).to_be_visible()
    dropped = page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["email\\na@b.example\\n"], "people.csv", {type: "text/csv"}));
          const zone = document.querySelector("[data-file-drop]");
          zone.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
          return zone.querySelector("input").files[0].name;
        }"""
    )
    assert dropped == "people.csv"


def test_all_rows_are_chosen_at_once_and_counted(browser_page):
    page = browser_page(language="en")
    page.goto("/seats/?as=owner")
    page.get_by_label("All seats of this page").check()
    expect(page.locator("[data-checked=seat]")).to_have_text("4")
    page.get_by_role("checkbox", name="a.benali@lavallee.example").uncheck()
    expect(page.locator("[data-checked=seat]")).to_have_text("3")
    assert page.get_by_label("All seats of this page").evaluate("box => box.indeterminate") is True


def test_without_javascript_nothing_useless_is_shown_and_menus_still_open(browser_page):
    page = browser_page(language="en", javascript=False)
    page.goto("/checkout/?as=owner")
    expect(page.get_by_role("button", name="One more")).to_be_hidden()
    expect(page.get_by_role("button", name="Add a person")).to_be_hidden()
    expect(page.get_by_text("or drop the file here")).to_be_hidden()
    page.locator(".menu--organisation summary").click()
    expect(page.get_by_role("link", name="Team")).to_be_visible()


def test_the_other_language_is_kept(browser_page):
    page = browser_page(language="fr")
    page.goto("/seats/?as=owner")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(f"{page.url.split('/seats')[0]}/seats/?as=owner")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert names(page) == ["Catalogue", "My seats", "My people", "My purchases"]


def test_paper_shows_the_page_and_not_the_ways_through_it(browser_page):
    page = browser_page(width=720, language="en", color_scheme="dark")
    page.emulate_media(media="print")
    page.goto("/seats/?as=owner")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".menu--organisation .menu__name")).to_be_visible()
    for hidden in (".places", ".chips", ".pager", ".actions", ".menu--person", ".top__tools"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.seats')).color") == "rgb(0, 0, 0)"
