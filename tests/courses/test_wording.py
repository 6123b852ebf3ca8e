"""Every refusal of a course platform has words, in the language of who reads them."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from courses.platform import Refusal
from courses.services import SpaceRefused
from courses.wording import lazy_refusal_words, refusal_words


@pytest.mark.parametrize("code", list(Refusal))
def test_each_has_words_that_are_not_its_code(code: Refusal) -> None:
    with override("en"):
        words = refusal_words(code)
    assert words != code
    assert "“" not in words
    assert "_" not in words


def test_a_code_of_the_platforms_own_is_told_as_what_it_says() -> None:
    with override("en"):
        assert refusal_words("wsfoo") == "the course platform says “wsfoo”"


def test_the_language_is_that_of_the_reader() -> None:
    words = lazy_refusal_words("login_closed")
    with override("en"):
        assert str(words) == "the login on the course platform is closed"
    with override("fr"):
        assert str(words) == "l’accès à la plateforme de cours est fermé"


@pytest.mark.parametrize("code", list(Refusal))
def test_a_course_space_that_cannot_be_opened_is_told_in_them_too(code: Refusal) -> None:
    with override("en"):
        said = str(SpaceRefused(code.value).message)
        assert said == f"The course platform refuses this: {refusal_words(code)}."
