"""Browser tests: the distribution's Chromium, driven by Playwright against Django's live server.

``browser_page(width=360, language="en")`` opens a page; ``axe(page)`` asserts that axe finds nothing;
``screenshot(page, "cart")`` writes ``var/screenshots/cart-en-360.png``. A test fails when its pages raised a
script error, broke the content security policy or got an answer of 500 or more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright
from pytest_django.fixtures import Settings

from tests.plugins import services

SCREENSHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"
TIMEOUT_MS = 10_000
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
FAILED = pytest.StashKey[bool]()
FLAGS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]

ColorScheme = Literal["light", "dark"]


class Pages:
    """Opens pages for one test, each with cookies of its own, and keeps what went wrong in them."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self.browser = browser
        self.base_url = base_url
        self.errors: list[str] = []
        self.contexts: list[BrowserContext] = []

    def __call__(
        self,
        *,
        width: int = 1280,
        height: int = 900,
        language: str = "fr",
        color_scheme: ColorScheme = "light",
        javascript: bool = True,
    ) -> Page:
        """A new page in a new visitor's browser; ``goto`` takes paths of the live server."""
        context = self.browser.new_context(
            base_url=self.base_url,
            viewport={"width": width, "height": height},
            locale=LOCALES[language],
            timezone_id="Europe/Paris",
            color_scheme=color_scheme,
            reduced_motion="reduce",
            java_script_enabled=javascript,
        )
        context.set_default_timeout(TIMEOUT_MS)
        self.contexts.append(context)
        context.on("weberror", lambda error: self.errors.append(f"script error: {error.error}"))
        context.on("console", self._on_console)
        context.on("response", self._on_response)
        return context.new_page()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.errors.append(message.text)

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.errors.append(f"{response.status} from {response.url}")

    def close(self, failure_name: str | None) -> None:
        """Close every page; with a name, keep a picture of each first."""
        for number, context in enumerate(self.contexts):
            if failure_name and context.pages:
                save(context.pages[-1], f"failed-{failure_name}-{number}")
            context.close()


def save(page: Page, name: str) -> Path:
    """Write a picture of the whole page and return its path."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.png"
    page.screenshot(path=path, full_page=True)
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test itself failed, for the picture taken afterwards."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module.

    Not for the session: while Playwright is started its event loop counts as running in this thread, and
    Django then refuses database access unless told otherwise, which no other test should inherit.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=services.chromium(), args=FLAGS)
            yield browser
            browser.close()


@pytest.fixture
def browser_page(
    request: pytest.FixtureRequest,
    chromium_browser: Browser,
    live_server: Any,
    transactional_db: None,
    settings: Settings,
) -> Iterator[Pages]:
    """A factory of pages, see :class:`Pages`. Links in mails lead to the live server."""
    settings.SHOPSEATS_URL = live_server.url
    pages = Pages(chromium_browser, live_server.url)
    yield pages
    pages.close(request.node.name if request.node.stash.get(FAILED, False) else None)
    assert pages.errors == []


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Assert that axe finds nothing to object to on a page."""

    def check(page: Page) -> None:
        results = Axe().run(page)
        assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"

    return check


@pytest.fixture
def screenshot() -> Callable[[Page, str], Path]:
    """Keep a picture of a page as ``var/screenshots/NAME-LANGUAGE-WIDTH.png``."""

    def take(page: Page, name: str) -> Path:
        size = page.viewport_size
        language = page.locator("html").get_attribute("lang") or "xx"
        return save(page, f"{name}-{language}-{size['width'] if size else 0}")

    return take
