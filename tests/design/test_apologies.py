"""Error pages and mails: both languages, useful, and standing on their own."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

EN = {"accept-language": "en"}
FR = {"accept-language": "fr"}


@pytest.mark.parametrize(
    ("path", "status", "english", "french"),
    [
        ("/404/", 404, "This page is not here", "Cette page n’est pas ici"),
        ("/403/", 403, "Your role does not allow this", "Votre rôle ne permet pas cela"),
        ("/csrf/", 403, "The form was open for too long", "Le formulaire est resté ouvert trop longtemps"),
    ],
)
def test_refusals_say_what_happened_in_the_language_of_the_visitor(path, status, english, french):
    for headers, words in ((EN, english), (FR, french)):
        response = Client(headers=headers).get(path, {"as": "manager"})
        html = response.content.decode()
        assert response.status_code == status
        assert f"<h1>{words}</h1>" in html
        assert html.count("button--primary") == 1
        assert "aide@apl.example" in html


def test_an_address_that_does_not_exist_gets_our_page():
    response = Client(headers=EN).get("/no/such/page/")
    assert response.status_code == 404
    assert "This page is not here" in response.content.decode()


def test_a_form_without_its_token_gets_our_page():
    response = Client(enforce_csrf_checks=True, headers=EN).post("/checkout/?as=buyer")
    assert response.status_code == 403
    assert '<a class="button button--primary" href="/checkout/?as=buyer">' in response.content.decode()


def test_when_we_break_the_page_needs_no_request_and_speaks_both_languages():
    with translation.override("en"):
        html = render_to_string("500.html")
    assert "<h1>Quelque chose a lâché chez nous</h1>" in html
    assert "<h2>Something broke here</h2>" in html
    assert "{{" not in html


def test_a_mail_spells_its_address_out_and_carries_no_tracking():
    response = Client(headers=EN).get("/letter/", {"as": "buyer"})
    html = response.content.decode()
    address = "https://shop.example/i/Zp3J2YtVwq8?from=mail&amp;n=1"
    assert html.count(f'href="{address}"') == 2
    assert f">{address}</a>" in html
    assert re.findall(r"<img|<link|<script|url\(|@import", html) == []
    assert "Dear Ahmed O&#x27;Brien" in html


def test_a_mail_says_the_same_in_plain_text_without_entities():
    text = Client(headers=EN).get("/letter/", {"as": "buyer", "form": "text"}).content.decode()
    assert text == (
        "Jeanne Dupont, of Manufacture Lavallée & fils, gives you a place in a course.\n"
        "\n"
        "Dear Ahmed O'Brien,\n"
        "\n"
        "you are expected in Appropriation & Moodle, from today until 31 July 2027 inclusive."
        " Your user name is a.benali@lavallee.example.\n"
        "\n"
        "Choose my password and begin:\n"
        "https://shop.example/i/Zp3J2YtVwq8?from=mail&n=1\n"
        "\n"
        "The link works once and until 20 December 2026.\n"
        "\n"
        "●●●●●●● ◐◐ ○○○\n"
        "\n"
        "-- \n"
        "A question? Write to aide@apl.example or call +33 1 23 45 67 89.\n"
        "ActiveProLearn\n"
    )


def test_a_mail_stands_without_a_seller_and_without_a_button():
    with translation.override("en"):
        text = render_to_string("mail/base.txt", {})
        html = render_to_string("mail/base.html", {})
    assert text == "\n\n-- \nShopseats\n"
    assert "Shopseats" in html
    assert 'class="action"' not in html
