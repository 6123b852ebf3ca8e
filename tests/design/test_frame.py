"""The frame of every page: who sees which places, and that it stands without anything around it."""

from __future__ import annotations

import re

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory

from tests.design.personas import PERSONAS


def page(who: str, path: str = "/cart/", language: str = "en", **extra: str) -> str:
    response = Client(headers={"accept-language": language}).get(path, {"as": who, **extra})
    assert response.status_code == 200
    return response.content.decode()


def places(html: str) -> list[str]:
    return re.findall(r'<a class="place"[^>]*>([^<]*)</a>', html)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("nobody", []),
        ("anonymous", []),
        ("participant", ["My courses", "Catalogue"]),
        ("owner", ["Catalogue", "My seats", "My people", "My purchases"]),
        ("buyer", ["Catalogue", "My purchases"]),
        ("manager", ["My seats", "My people"]),
        ("viewer", ["My seats", "My people"]),
    ],
)
def test_everybody_sees_the_places_he_may_enter(who, expected):
    assert places(page(who)) == expected


def test_the_places_have_their_french_names():
    assert places(page("owner", language="fr")) == [
        "Catalogue",
        "Mes sièges",
        "Mes participants",
        "Mes achats",
    ]


@pytest.mark.parametrize(
    ("who", "cart", "team"),
    [
        ("anonymous", True, False),
        ("participant", True, False),
        ("owner", True, True),
        ("buyer", True, False),
        ("manager", False, False),
        ("viewer", False, False),
    ],
)
def test_cart_and_team_are_for_those_who_may(who, cart, team):
    html = page(who, "/people/")
    assert ('href="/cart/"' in html) is cart
    assert ('href="/team/"' in html) is team
    assert ('href="/settings/"' in html) is team


def test_the_cart_says_how_many_lines_it_has():
    assert '<span class="count">2</span>' in page("buyer")
    assert '<span class="count">' not in page("anonymous")


@pytest.mark.parametrize(
    ("who", "path", "expected"),
    [
        ("owner", "/seats/", ("page", "My seats")),
        ("owner", "/products/", ("true", "My seats")),
        ("owner", "/purchases/", ("page", "My purchases")),
        ("owner", "/purchases/B-1/", ("true", "My purchases")),
        ("owner", "/items/SEATS/", ("true", "Catalogue")),
        ("owner", "/people/7/", ("true", "My people")),
        ("participant", "/learn/", ("page", "My courses")),
        ("participant", "/learn/SPOC-M1/", ("true", "My courses")),
    ],
)
def test_the_place_where_one_is_is_marked(who, path, expected):
    html = page(who, path)
    assert re.findall(r'<a class="place"[^>]* aria-current="(\w+)">([^<]+)</a>', html) == [expected]


@pytest.mark.parametrize("path", ["/cart/", "/learn/SPOC-M1/", "/team/"])
def test_pages_that_belong_to_no_place_mark_none(path):
    html = page("owner", path)
    assert re.findall(r'<a class="place"[^>]* aria-current', html) == []


def test_the_organisation_is_changed_by_a_form_and_only_where_there_are_several():
    html = page("owner")
    form = re.findall(r'<form action="/switch/" method="post">.*?</form>', html, re.DOTALL)[0]
    assert re.findall(r'name="account" value="(\w+)"', form) == ["lavallee", "port"]
    assert "csrfmiddlewaretoken" in form
    assert "/switch/" not in page("manager")
    assert "Manufacture Lavallée &amp; fils" in page("manager")


def test_the_other_language_is_one_button_away_and_comes_back_to_the_page():
    html = page("anonymous", "/seats/", q="a&b")
    form = re.findall(r'<form action="/i18n/setlang/" method="post">.*?</form>', html, re.DOTALL)[0]
    assert 'name="language" value="fr" lang="fr" aria-label="Français"' in form
    assert 'name="next" value="/seats/?as=anonymous&amp;q=a%26b"' in form
    assert 'value="en" lang="en"' in page("anonymous", language="fr")


def test_signing_in_comes_back_to_the_page():
    html = page("anonymous", "/seats/", course="SPOC&1")
    assert 'href="/login/?next=/seats/%3Fas%3Danonymous%26course%3DSPOC%25261"' in html
    assert "Sign out" not in html


def test_signing_out_is_a_form():
    html = page("viewer")
    assert re.search(r'<form action="/logout/" method="post"><input type="hidden" name="csrf', html)
    assert "Sign in" not in html


@pytest.mark.parametrize("who", PERSONAS)
def test_help_is_at_the_foot_of_every_page(who):
    foot = page(who).split("<footer")[1]
    assert 'href="mailto:aide@apl.example"' in foot
    assert 'href="tel:+33123456789"' in foot


def test_title_and_lead_are_where_they_belong():
    html = page("owner", "/")
    assert "<title>Style guide &amp; more · ActiveProLearn</title>" in html
    assert html.count("<h1>") == 1
    assert "<h1>Style guide <em>&amp; more</em></h1>" in html
    assert html.index("<h1>") < html.index('class="lead"') < html.index('class="actions"')
    assert html.count("button--primary") == 1


def test_a_page_without_lead_or_actions_has_no_empty_places():
    html = page("owner", "/cart/")
    assert 'class="lead"' not in html
    assert 'class="actions"' not in html


def test_the_frame_stands_without_context_and_without_addresses(settings):
    settings.ROOT_URLCONF = "tests.design.no_urls"
    request = RequestFactory().get("/somewhere/")
    html = Template('{% extends "base.html" %}{% block title %}Bare{% endblock %}').render(
        Context({"request": request})
    )
    assert "<title>Bare · Shopseats</title>" in html
    assert "<h1>Bare</h1>" in html
    assert 'href=""' not in html
    assert "None" not in html


def test_the_page_obeys_a_strict_content_security_policy():
    for path in ("/", "/seats/", "/checkout/?wrong=1", "/catalogue/", "/404/", "/500/"):
        html = Client().get(path, {"as": "owner"}).content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html), path
        assert re.findall(r"<script(?![^>]*\ssrc=)", html) == [], path
    assert '"includeIndicatorStyles":false' in page("owner")


def test_names_are_escaped(monkeypatch):
    monkeypatch.setattr("tests.design.personas.ORGANISATION.name", "<b>Evil</b>")
    html = page("owner")
    assert "<b>Evil" not in html
    assert "&lt;b&gt;Evil" in html
