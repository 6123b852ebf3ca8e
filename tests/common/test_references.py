"""References."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.references import ALPHABET, check_reference, new_reference, new_references, normalise_reference

places = st.integers(0, 15)


def shown(characters: list[str]) -> str:
    return normalise_reference("".join(characters))


def test_a_reference_has_four_groups_of_characters_that_cannot_be_confused():
    for reference in new_references(200):
        assert re.fullmatch(r"[2-9A-HJKMNP-Z]{4}(-[2-9A-HJKMNP-Z]{4}){3}", reference)
        assert check_reference(reference)
    assert not set("01OIL") & set(ALPHABET)
    assert new_references(0) == []


def test_references_differ_and_use_the_whole_alphabet():
    references = new_references(5000)
    assert len(set(references)) == 5000
    assert set("".join(references)) == set(ALPHABET) | {"-"}


def test_one_hundred_thousand_references_take_no_time():
    assert len(new_references(100_000)) == 100_000


@given(places, st.sampled_from(ALPHABET))
def test_any_wrong_character_is_noticed(place, character):
    typed = list(new_reference().replace("-", ""))
    right = typed[place]
    typed[place] = character
    assert check_reference(shown(typed)) == (character == right)


@given(st.tuples(places, places), st.sampled_from(ALPHABET), st.sampled_from(ALPHABET))
def test_any_two_wrong_characters_are_noticed(two, first, second):
    typed = list(new_reference().replace("-", ""))
    changed = typed.copy()
    changed[two[0]], changed[two[1]] = first, second
    assert check_reference(shown(changed)) == (changed == typed)


@given(places, places)
def test_any_transposition_is_noticed(one, other):
    typed = list(new_reference().replace("-", ""))
    swapped = typed.copy()
    swapped[one], swapped[other] = typed[other], typed[one]
    assert check_reference(shown(swapped)) == (swapped == typed)


@pytest.mark.parametrize(
    "typed",
    ["{}", " {} ", "{lower}", "{bare}", "{spaced}", "{dashes}", "{underscored}", "{wide}", "\u200b{}"],
)
def test_a_reference_may_be_typed_in_many_ways(typed):
    reference = new_reference()
    written = typed.format(
        reference,
        lower=reference.lower(),
        bare=reference.replace("-", ""),
        spaced=reference.replace("-", " "),
        dashes=reference.replace("-", "–"),
        underscored=reference.replace("-", "_"),
        wide="".join(chr(ord(c) + 0xFEE0) for c in reference),
    )
    assert normalise_reference(written) == reference


@pytest.mark.parametrize(
    "text", ["", "2222", "2222-2222-2222-222", "2222-2222-2222-22222", "0000-0000-0000-0000", "é"]
)
def test_what_is_no_reference_is_none(text):
    assert not check_reference(normalise_reference(text))


def test_only_the_written_form_is_checked_true():
    reference = new_reference()
    assert not check_reference(reference.replace("-", ""))
    assert not check_reference(reference.lower()) or reference.lower() == reference
    assert not check_reference(f" {reference}")
    assert not check_reference(reference.replace("-", "", 1) + "-")


@given(st.text())
def test_any_text_can_be_normalised_and_checked(text):
    once = normalise_reference(text)
    assert normalise_reference(once) == once
    assert check_reference(once) in (True, False)
