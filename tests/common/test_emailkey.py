"""E-mail addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.emailkey import EmailProblem, check_email, clean_email, email_key, suspect_domain


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Noel.DAmbrosio@Example.org ", "noel.dambrosio@example.org"),
        ("\u00a0zoe@example.org\u202f", "zoe@example.org"),
        ("\ufeffzoe@\u200bexample.org\u200b", "zoe@example.org"),
        ("\u202azoe@example.org\u202c", "zoe@example.org"),
        ("\tzoe@example.org\r\n", "zoe@example.org"),
        ("zoe\u0308@example.org", "zo\u00eb@example.org"),
        ("ZOE@EXÄMPLE.ORG", "zoe@exämple.org"),
        ("", ""),
    ],
)
def test_one_key_for_every_way_of_typing_an_address(typed, key):
    assert email_key(typed) == key


@given(st.text())
def test_the_key_of_a_key_is_itself(text):
    assert email_key(email_key(text)) == email_key(text)


@given(st.emails())
def test_case_and_spaces_around_do_not_matter(address):
    assert email_key(f" {address.upper()}\n") == email_key(address)


def test_cleaning_keeps_the_case_and_keeps_two_addresses_apart():
    assert clean_email(" Noel@Example.org\u200b ") == "Noel@Example.org"
    assert clean_email("a@example.org\nb@example.org") == "a@example.org b@example.org"


@pytest.mark.parametrize(
    "address",
    [
        "elodie.lefevre@example.org",
        "a+b_c-d'e@example.com",
        " ELODIE@Example.ORG ",
        "zoe@exämple.org",
        "zoe@xn--exmple-cua.org",
        "zoe@sub.company.example",
        "zoe@shop.test",
        "bounce@nowhere.invalid",
        "zoe@mail.local",
        "x@a.museum",
    ],
)
def test_addresses_that_can_be_written_to_are_accepted_without_asking_the_network(address):
    assert check_email(address) is None


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", EmailProblem.MISSING),
        (" \u200b ", EmailProblem.MISSING),
        ("zoe.example.org", EmailProblem.NO_AT),
        ("pas.adresse@@example.org", EmailProblem.SEVERAL_AT),
        ("a@example.org;b@example.org", EmailProblem.SEVERAL_AT),
        ("zoe m@example.org", EmailProblem.SPACE),
        ("zoe@example .org", EmailProblem.SPACE),
        ("@example.org", EmailProblem.LOCAL_PART),
        (".zoe@example.org", EmailProblem.LOCAL_PART),
        ("zoe..m@example.org", EmailProblem.LOCAL_PART),
        ("zoë@example.org", EmailProblem.LOCAL_PART),
        ('"zoe"@example.org', EmailProblem.LOCAL_PART),
        ("z" * 65 + "@example.org", EmailProblem.LOCAL_PART),
        ("zoe@example", EmailProblem.NO_DOT),
        ("zoe@", EmailProblem.NO_DOT),
        ("zoe@localhost", EmailProblem.NO_DOT),
        ("zoe@example.", EmailProblem.NO_DOT),
        ("zoe@example..org", EmailProblem.DOMAIN),
        ("zoe@-example.org", EmailProblem.DOMAIN),
        ("zoe@exa_mple.org", EmailProblem.DOMAIN),
        ("zoe@example.org,", EmailProblem.DOMAIN),
        ("zoe@[127.0.0.1]", EmailProblem.DOMAIN),
        ("zoe@.test", EmailProblem.NO_DOT),
        ("z@" + "a" * 60 + ".org" * 60, EmailProblem.TOO_LONG),
    ],
)
def test_an_address_that_cannot_be_used_says_why(address, problem):
    assert check_email(address) == problem
    assert str(problem.message)


@given(st.text())
def test_any_text_gets_an_answer(text):
    assert check_email(text) in {None, *EmailProblem}
    suspect_domain(text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("zoe@gmial.com", "zoe@gmail.com"),
        ("zoe@gamil.com", "zoe@gmail.com"),
        ("zoe@gmail.con", "zoe@gmail.com"),
        ("zoe@gmail.fr", None),
        ("zoe@gmail", "zoe@gmail.com"),
        ("Zoe.M@Orange.f", "Zoe.M@orange.fr"),
        ("zoe@hotmial.fr", "zoe@hotmail.fr"),
        ("zoe@outlok.com", "zoe@outlook.com"),
        ("zoe@wanado.fr", "zoe@wanadoo.fr"),
        ("zoe@laposte.ent", "zoe@laposte.net"),
        ("zoe@free.ft", "zoe@free.fr"),
        ("zoe@frre.fr", None),
        ("zoe@mail.com", None),
        ("zoe@cloud.com", None),
        ("zoe@gmail.com", None),
        ("zoe@yahoo.co.uk", None),
        ("zoe@example.org", None),
        ("gmial.com", None),
        ("", None),
    ],
)
def test_a_slip_in_a_well_known_domain_gets_a_suggestion(typed, meant):
    assert suspect_domain(typed) == meant
