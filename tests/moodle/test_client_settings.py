"""The server does not start with settings with which no call to Moodle could succeed."""

from __future__ import annotations

import pytest

from courses.checks import check_moodle

GOOD = {
    "COURSE_PLATFORM": "moodle",
    "MOODLE_URL": "https://moodle.example.org/learn",
    "MOODLE_TOKEN": "0123456789abcdef0123456789abcdef",
    "MOODLE_ROLES": "student:5, teacher:4,editingteacher:3",
    "MOODLE_OVERSIGHT_ROLE": "",
    "MOODLE_TIMEOUT": 60,
    "SHOPSEATS_PRIVATE_HOSTS": [],
}


def problems(settings, **changed: object) -> list[tuple[str, str]]:
    for name, value in (GOOD | changed).items():
        setattr(settings, name, value)
    return [(str(error.id), error.msg) for error in check_moodle(None)]


def test_good_settings_pass(settings):
    assert problems(settings) == []
    assert problems(settings, MOODLE_OVERSIGHT_ROLE="12") == []
    assert problems(settings, MOODLE_URL="http://10.0.0.5:8080", SHOPSEATS_PRIVATE_HOSTS=["10.0.0.5"]) == []


def test_with_another_platform_they_may_be_anything(settings):
    assert (
        problems(settings, COURSE_PLATFORM="builtin", MOODLE_URL="", MOODLE_TOKEN="", MOODLE_ROLES="") == []
    )


def test_without_any_each_setting_is_named(settings):
    found = problems(settings, MOODLE_URL="", MOODLE_TOKEN="", MOODLE_ROLES="")
    assert found == [
        ("courses.E010", "MOODLE_URL is missing or is no address of a site."),
        ("courses.E011", "MOODLE_TOKEN is missing or is no token: letters and digits."),
        ("courses.E012", "MOODLE_ROLES gives no number to 'student'."),
        ("courses.E012", "MOODLE_ROLES gives no number to 'teacher'."),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "moodle.example.org", "ftp://moodle.example.org", "https://", "https://me:Pass-Word-1@moodle.example.org",
        "https://moodle.example.org?a=1", "https://moodle.example.org/#top", "https://moodle .example", "https://[::1",
        "https://moodle.example.org:port", "https://moodlé.example.org", "https://moodle.example.org\n",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_site(settings, url):
    found = problems(settings, MOODLE_URL=url)
    assert found == [("courses.E010", "MOODLE_URL is missing or is no address of a site.")]


def test_plain_http_needs_the_host_to_be_named(settings):
    ((code, message),) = problems(settings, MOODLE_URL="http://moodle.example.org")
    assert code == "courses.E010"
    assert message.startswith("MOODLE_URL begins with http: moodle.example.org")


@pytest.mark.parametrize("token", ["with blank", "abc\n", "abc,def", "‘abc’"])
def test_what_is_no_token_is_not_shown(settings, token):
    found = problems(settings, MOODLE_TOKEN=token)
    assert found == [("courses.E011", "MOODLE_TOKEN is missing or is no token: letters and digits.")]


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ("student:5,teacher:4,tutor", "MOODLE_ROLES: 'tutor' is no role and its number."),
        ("student:5,teacher:4,:3", "MOODLE_ROLES: ':3' is no role and its number."),
        ("student:5,teacher:4,tutor:0", "MOODLE_ROLES: 'tutor:0' is no role and its number."),
        ("student:5,teacher:4,tutor:-3", "MOODLE_ROLES: 'tutor:-3' is no role and its number."),
        ("student:5,teacher:4,tutor:x", "MOODLE_ROLES: 'tutor:x' is no role and its number."),
        ("student:5,teacher:4,tutor:٣", "MOODLE_ROLES: 'tutor:٣' is no role and its number."),
        ("student:5,teacher:4,student:6", "MOODLE_ROLES names 'student' twice."),
        ("student:5,teacher:5", "MOODLE_ROLES has the number 5 twice."),
        ("student:5", "MOODLE_ROLES gives no number to 'teacher'."),
        ("teacher:4", "MOODLE_ROLES gives no number to 'student'."),
    ],
)
def test_what_is_wrong_with_the_roles(settings, roles, message):
    assert problems(settings, MOODLE_ROLES=roles) == [("courses.E012", message)]


@pytest.mark.parametrize("role", ["0", "-1", "manager", "1.5"])
def test_the_role_of_oversight_is_a_number(settings, role):
    ((code, message),) = problems(settings, MOODLE_OVERSIGHT_ROLE=role)
    assert (code, message) == ("courses.E013", f"MOODLE_OVERSIGHT_ROLE is no number of a role: {role!r}.")


def test_a_time_limit_is_more_than_nothing(settings):
    assert problems(settings, MOODLE_TIMEOUT=0) == [("courses.E014", "MOODLE_TIMEOUT must be more than 0.")]
