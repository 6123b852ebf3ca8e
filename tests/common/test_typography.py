"""French spaces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.typography import french_spaces


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Bonjour: ça va?", "Bonjour_: ça va_?"),
        ("Bonjour : ça va ?", "Bonjour_: ça va_?"),
        ("Oui\u00a0! Non\u202f;", "Oui_! Non_;"),
        ("«ok» « ok »", "«_ok_» «_ok_»"),
        ("« Vraiment ? »!", "«_Vraiment_?_»_!"),
        ("Quoi ?! Ah !!!", "Quoi_?! Ah_!!!"),
        ("Fin :\nsuite", "Fin_:\nsuite"),
        ("(sic!) [vu?]", "(sic_!) [vu_?]"),
        ("<b>Prix</b> : 10", "<b>Prix</b>_: 10"),
    ],
)
def test_narrow_spaces_are_put_in(typed, shown):
    assert french_spaces(typed) == shown.replace("_", "\u202f")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org/a?b=1;c=2",
        "Voir https://example.org/quoi? puis www.example.org/x;y",
        "mailto:zoe@example.org?subject=x",
        "&nbsp;&amp;&#233;&#xE9;",
        "A &amp; B&nbsp;",
        '<a href="x:y" style="a: b;">c</a>',
        "10:30",
        "ratio 3:1",
        "a?b:c",
        "(?)",
        "?",
        "`a ; b`",
        ":smile:",
        "C:\\dossier",
    ],
)
def test_what_these_signs_mean_otherwise_is_never_touched(text):
    assert french_spaces(text) == text


@given(st.text(alphabet="ab «»;:!?.\u00a0\u202f\n()<>&@/`1", max_size=40))
def test_doing_it_twice_changes_nothing(text):
    assert french_spaces(french_spaces(text)) == french_spaces(text)


@given(st.text(max_size=60))
def test_only_spaces_are_ever_changed(text):
    def bare(value: str) -> str:
        return "".join(value.split())

    assert bare(french_spaces(text)) == bare(text)


def test_a_long_text_takes_no_time():
    for part in ("a", "a@", "<", "!", "« ", "http", "&a", "`"):
        assert french_spaces(part * 20_000)
