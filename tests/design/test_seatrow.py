"""The seat row: what it says, what it draws, and that it never lies about a number."""

from __future__ import annotations

import re

import pytest
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from seats import seatrow
from seats.seatrow import SeatCounts

TWELVE = SeatCounts(in_use=7, invited=2, free=3)
counted = st.builds(
    SeatCounts,
    in_use=st.integers(0, 5000),
    invited=st.integers(0, 5000),
    free=st.integers(0, 5000),
    ended=st.integers(0, 5000),
)


def drawn(svg: str) -> dict[str, int]:
    """How many marks of each way of drawing: a mark begins with an `M`."""
    return {name: data.count("M") for name, data in re.findall(r'<path class="(\w+)"[^>]* d="([^"]*)"', svg)}


def lengths(svg: str) -> dict[str, float]:
    """How long each part of a bar is: the straight line of its pill and both its ends."""
    found = {}
    for name, data in re.findall(r'<path class="(\w+)"[^>]* d="([^"]*)"', svg):
        if name != "half":
            straight, radius = re.findall(r"^M\S+ \S+h([\d.]+)a([\d.]+)", data)[0]
            found[name] = float(straight) + 2 * float(radius)
    return found


# --- words ------------------------------------------------------------------------------------


def test_the_sentence_in_english():
    assert seatrow.sentence(TWELVE, "en") == "12 bought · 7 in use · 2 invited · 3 free"


def test_the_sentence_in_french():
    assert seatrow.sentence(TWELVE, "fr") == "12 achetés · 7 en usage · 2 invités · 3 libres"
    assert seatrow.sentence(SeatCounts(free=1), "fr") == "1 acheté · 0 en usage · 0 invité · 1 libre"


def test_ended_seats_are_named_when_there_are_some():
    assert seatrow.sentence(SeatCounts(free=1, ended=2), "en") == (
        "3 bought · 0 in use · 0 invited · 1 free · 2 ended"
    )


def test_thousands_are_parted_as_the_language_does():
    assert seatrow.sentence(SeatCounts(free=12345), "en").startswith("12,345 bought")
    with translation.override("fr"):
        assert seatrow.sentence(SeatCounts(free=12345)).startswith("12\u202f345")


def test_a_language_asked_for_does_not_stay():
    with translation.override("en"):
        seatrow.sentence(TWELVE, "fr")
        assert translation.get_language() == "en"


def test_a_pack_says_how_many_seats_it_holds():
    assert seatrow.pack_sentence(1, "en") == "1 seat"
    assert seatrow.pack_sentence(10, "en") == "10 seats"
    assert seatrow.pack_sentence(10, "fr") == "10 sièges"


@given(counted)
def test_what_is_bought_is_the_sum_of_the_rest(counts):
    assert counts.bought == counts.in_use + counts.invited + counts.free + counts.ended


def test_counts_come_from_the_states_of_seats():
    states = {"consumed": 7, "assigned": 1, "reserved": 1, "free": 3, "expired": 2, "withdrawn": 4}
    assert SeatCounts.from_states(states) == SeatCounts(in_use=7, invited=2, free=3, ended=6)
    assert SeatCounts.from_states({}) == SeatCounts()


def test_an_unknown_state_is_not_left_out_in_silence():
    with pytest.raises(KeyError):
        SeatCounts.from_states({"free": 3, "lost": 1})


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="negative"):
        SeatCounts(free=-1)


@pytest.mark.parametrize(
    ("state", "english", "french"),
    [
        ("free", "free", "libre"),
        ("reserved", "given", "attribué"),
        ("assigned", "given", "attribué"),
        ("consumed", "started", "commencé"),
        ("expired", "expired", "expiré"),
        ("withdrawn", "withdrawn", "retiré"),
    ],
)
def test_every_state_has_its_word(state, english, french):
    with translation.override("en"):
        assert seatrow.state_word(state) == english
    with translation.override("fr"):
        assert seatrow.state_word(state) == french


# --- the drawing --------------------------------------------------------------------------------


def test_up_to_sixty_seats_each_has_its_mark():
    assert drawn(seatrow.svg(TWELVE)) == {"disc": 7, "half": 2, "ring": 5}
    counts = SeatCounts(in_use=30, invited=10, free=15, ended=5)
    # Half marks have a ring too; a hatched mark is one path with its ring.
    assert drawn(seatrow.svg(counts)) == {"disc": 30, "half": 10, "ring": 25, "hatch": 5}


@given(counted.filter(lambda counts: counts.bought <= 60))
def test_no_mark_lies_outside_the_picture_or_on_another(counts):
    svg = seatrow.svg(counts)
    width, height = re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0]
    places = []
    for name, data in re.findall(r'<path class="(\w+)"[^>]* d="([^"]*)"', svg):
        if name != "half":
            places += [(int(float(x)), int(y)) for x, y in re.findall(r"M([\d.]+) (\d+)a", data)]
    assert len(places) == len(set(places)) == counts.bought
    assert all(0 <= x <= int(width) - 10 and 5 <= y <= int(height) - 5 for x, y in places)


def test_more_than_sixty_seats_become_one_bar_in_proportion():
    svg = seatrow.svg(SeatCounts(in_use=300, invited=120, free=200, ended=80))
    found = re.findall(r'<path class="(\w+)"', svg)
    assert found == ["disc", "half", "ring", "ring", "hatch"]
    # The whole is 262 wide with three gaps of 2 and 6 for each part before it is shared out.
    assert 'width="262" height="10"' in svg
    assert lengths(seatrow.svg(SeatCounts(in_use=300, free=100))) == {"disc": 192, "ring": 66.5}


def test_one_seat_among_thousands_is_still_seen():
    svg = seatrow.svg(SeatCounts(in_use=100_000, free=1))
    assert lengths(svg)["ring"] == 4.5  # six, without half of the line on either side


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=4), st.integers(4, 300))
def test_shares_add_up_and_none_is_nothing(numbers, total):
    shares = seatrow._shares(numbers, total)
    assert sum(shares) == total
    assert min(shares) >= 1


def test_the_picture_has_the_sentence_as_its_name():
    with translation.override("en"):
        svg = seatrow.svg(TWELVE)
    assert 'role="img" aria-label="12 bought · 7 in use · 2 invited · 3 free"' in svg


def test_a_name_cannot_break_out_of_its_attribute():
    assert 'aria-label="&quot;&gt;&lt;b&gt;"' in seatrow.svg(TWELVE, label='"><b>')


def test_without_a_name_it_is_a_decoration():
    svg = seatrow.svg(TWELVE, label="")
    assert 'aria-hidden="true"' in svg
    assert "role=" not in svg


def test_it_may_stand_many_times_on_a_page_in_the_dark_and_under_a_strict_policy():
    svg = seatrow.svg(SeatCounts(5, 5, 5, 5))
    assert " id=" not in svg
    assert "style" not in svg
    assert "#" not in svg  # neither colours nor references
    assert svg.count("currentColor") == 4


def test_scale_changes_the_size_and_not_the_drawing():
    small, large = seatrow.svg(TWELVE), seatrow.svg(TWELVE, scale=1.5)
    assert 'width="158" height="10"' in small
    assert 'width="237" height="15"' in large
    assert small.split("viewBox")[1] == large.split("viewBox")[1]


def test_no_seats_draw_nothing():
    assert drawn(seatrow.svg(SeatCounts())) == {}
    assert seatrow.text_row(SeatCounts()) == ""


# --- text -------------------------------------------------------------------------------------------


def test_the_row_in_text():
    assert seatrow.text_row(TWELVE) == "●●●●●●● ◐◐ ○○○"
    assert seatrow.text_row(SeatCounts(ended=2)) == "◌◌"


def test_the_row_in_text_of_many_seats_is_in_proportion():
    assert seatrow.text_row(SeatCounts(in_use=50, free=50)) == "●" * 15 + " " + "○" * 15
    assert seatrow.text_row(SeatCounts(in_use=10_000, free=1)) == "●" * 29 + " ○"


# --- tags -------------------------------------------------------------------------------------------


def rendered(source: str, **context: object) -> str:
    with translation.override("en"):
        return Template("{% load seatrow %}" + source).render(Context(context))


def test_the_tag_shows_picture_and_words_and_reads_them_once():
    html = rendered("{% seat_row counts %}", counts=TWELVE)
    assert html.count("12 bought") == 2
    assert (
        '<span class="seat-row__words" aria-hidden="true"><span>12 bought</span> · <span>7 in use</span>'
        " · <span>2 invited</span> · <span>3 free</span></span>"
    ) in html


def test_the_tag_of_a_pack_draws_free_seats():
    html = rendered("{% pack_row 10 %}")
    assert drawn(html) == {"ring": 10}
    assert "<span>10 seats</span>" in html


def test_the_tag_of_a_state_shows_mark_and_word():
    html = rendered('{% seat_state "consumed" %}')
    assert drawn(html) == {"disc": 1}
    assert html.endswith("started</span>")


def test_the_tag_for_mails():
    assert rendered("{% seat_text counts %}", counts=TWELVE) == "●●●●●●● ◐◐ ○○○"


def test_an_empty_page_has_a_sentence_an_action_and_a_picture():
    html = rendered('{% empty text "See the catalogue" "/catalogue/" %}', text="You have no seats <yet>.")
    assert drawn(html) == {"half": 1, "ring": 10}
    assert "<p>You have no seats &lt;yet&gt;.</p>" in html
    assert '<a class="button button--primary" href="/catalogue/">See the catalogue</a>' in html
