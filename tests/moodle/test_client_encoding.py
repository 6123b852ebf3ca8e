"""Arguments become a form that PHP reads whole or Moodle refuses whole."""

from __future__ import annotations

import datetime as dt
import itertools
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.moodle.encoding import MOST_VARIABLES, batches, form, pairs, variables
from tests.moodle.peer.php import read_form


def enrolments(count: int) -> list[dict[str, int]]:
    return [
        {"courseid": 7, "roleid": 5, "userid": 100 + n, "timestart": 1, "timeend": 2, "suspend": 0}
        for n in range(count)
    ]


def test_lists_and_mappings_are_spelt_as_php_reads_them():
    users = [{"username": "a", "preferences": [{"type": "x", "value": "1"}]}, {"username": "b"}]
    assert pairs({"users": users, "deep": {"er": {"e": 5}}, "plain": "text", "ids": [3, 4]}) == [
        ("users[0][username]", "a"),
        ("users[0][preferences][0][type]", "x"),
        ("users[0][preferences][0][value]", "1"),
        ("users[1][username]", "b"),
        ("deep[er][e]", "5"),
        ("plain", "text"),
        ("ids[0]", "3"),
        ("ids[1]", "4"),
    ]


def test_truth_values_are_one_and_nought():
    assert pairs({"yes": True, "no": False, "one": 1}) == [("yes", "1"), ("no", "0"), ("one", "1")]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), TypeError),
        (dt.date(2026, 1, 1), TypeError),
        (1.5, TypeError),
        (None, TypeError),
        (b"bytes", TypeError),
        ({1, 2}, TypeError),
        ([], ValueError),
        ({}, ValueError),
        ((), ValueError),
    ],
)
def test_what_moodle_would_misread_is_never_sent(value, error):
    with pytest.raises(error, match=r"users\[0\]\[when\]"):
        form("token", "f", {"users": [{"when": value}]})


def test_no_arguments_are_fine():
    assert form("token", "f", {}) == b"moodlewsrestformat=json&wsfunction=f&wstoken=token"


def test_required_keys_stand_last_in_each_item_when_the_caller_says_so():
    names = [name for name, _value in pairs({"enrolments": enrolments(2)}, last=("userid", "courseid"))]
    expected = ["roleid", "timestart", "timeend", "suspend", "userid", "courseid"]
    assert names == [f"enrolments[{n}][{key}]" for n in (0, 1) for key in expected]


def test_format_function_and_token_are_written_last():
    names = [
        name for name, _value in parse_qsl(form("t", "f", {"enrolments": enrolments(3)}).decode("ascii"))
    ]
    assert names[-3:] == ["moodlewsrestformat", "wsfunction", "wstoken"]
    assert not {"moodlewsrestformat", "wsfunction", "wstoken"} & set(names[:-3])


def test_values_survive_the_form():
    odd = "Pä ss-1234 &=+%[]\n é\u202f"
    body = form("t=&", "f", {"users": [{"password": odd}]})
    read = read_form(body, 1000).nested
    assert read["users"] == {"0": {"password": odd}} or read["users"] == [{"password": odd}]
    assert read["wstoken"] == "t=&"


def test_text_that_cannot_be_sent_is_refused_without_being_shown():
    with pytest.raises(ValueError, match=r"^users\[0\]\[password\] is no text that can be sent$") as caught:
        form("t", "f", {"users": [{"password": "secret\ud800"}]})
    assert caught.value.__suppress_context__


def test_a_call_that_is_too_long_is_never_sent():
    params = {"values": list(range(MOST_VARIABLES - 3))}
    assert variables(params) == 900
    assert form("t", "f", params).count(b"&") == 899
    with pytest.raises(ValueError, match=r"^f: 901 variables, more than 900$"):
        form("t", "f", {"values": list(range(MOST_VARIABLES - 2))})


# --- batches -----------------------------------------------------------------------------------------


def cut(items, make, **options) -> list[tuple[int, int]]:
    return [(len(part), variables(params)) for part, params in batches(items, make, **options)]


def test_lists_are_cut_at_900_variables():
    assert cut(enrolments(400), lambda part: {"enrolments": part}) == [(149, 897), (149, 897), (102, 615)]


def test_what_a_call_has_besides_its_items_is_counted_once():
    def lookup(part):
        return {"field": "email", "values": part}

    assert cut([f"p{n}@example.org" for n in range(897)], lookup) == [(896, 900), (1, 5)]


def test_items_of_different_size_are_cut_where_they_are_full():
    items = [{"a": 1}] * 3 + [{"a": 1, "b": list(range(500))}] * 3 + [{"a": 1}]
    assert cut(items, lambda part: {"items": part}) == [(4, 507), (1, 504), (2, 505)]


def test_a_caller_may_want_smaller_calls():
    assert cut(enrolments(5), lambda part: {"enrolments": part}, most=2) == [(2, 15), (2, 15), (1, 9)]


def test_nothing_comes_of_an_empty_list():
    assert cut([], lambda part: {"enrolments": part}) == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_item_that_is_too_long_for_any_call_is_an_error(count):
    items = [list(range(900))] * count
    with pytest.raises(ValueError, match="one item has"):
        list(batches(items, lambda part: {"items": part}))


@given(
    sizes=st.lists(st.integers(1, 300), max_size=40),
    fixed=st.integers(0, 20),
    most=st.none() | st.integers(1, 9),
)
def test_every_item_is_in_exactly_one_batch_and_none_is_too_long(sizes, fixed, most):
    items = [list(range(size)) for size in sizes]

    def make(part):
        return {"items": part, **({"more": list(range(fixed))} if fixed else {})}

    found = list(batches(items, make, most=most))
    assert [item for part, _params in found for item in part] == items
    assert all(variables(params) <= MOST_VARIABLES for _part, params in found)
    assert all(len(part) <= (most or len(part)) for part, _params in found)
    # None could have taken the first item of the next.
    for (part, params), (after, _params) in itertools.pairwise(found):
        assert len(part) == most or variables(params) + len(after[0]) > MOST_VARIABLES
