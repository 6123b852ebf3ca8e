"""Template tags for the seat row: `seat_row`, `pack_row`, `seat_state`, `seat_text`, `empty`."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from seats import seatrow

register = template.Library()

# The drawing carries the sentence as its name, so the words beside it are not read out a second time.
ROW = '<span class="seat-row">{}<span class="seat-row__words" aria-hidden="true">{}</span></span>'


def _row(counts: seatrow.SeatCounts, words: str, scale: float) -> SafeString:
    # A number does not part from its word at the end of a line.
    parts = format_html_join(" · ", "<span>{}</span>", ((part,) for part in words.split(" · ")))
    return format_html(ROW, seatrow.svg(counts, label=words, scale=scale), parts)


@register.simple_tag
def seat_row(counts: seatrow.SeatCounts, scale: float = 1) -> SafeString:
    """The row and its words. `scale` 1.5 for the head of a page."""
    return _row(counts, seatrow.sentence(counts), scale)


@register.simple_tag
def pack_row(number: int, scale: float = 1) -> SafeString:
    """What a pack on sale holds: that many free seats, and "10 seats"."""
    return _row(seatrow.SeatCounts(free=number), seatrow.pack_sentence(number), scale)


@register.simple_tag
def seat_state(state: str) -> SafeString:
    """The state of one seat: its mark and its word."""
    return format_html(
        '<span class="seat-state seat-state--{}">{}{}</span>',
        state,
        seatrow.mark_svg(seatrow.KIND_OF_STATE[state]),
        seatrow.state_word(state),
    )


@register.simple_tag
def seat_text(counts: seatrow.SeatCounts) -> str:
    """The row in plain text, for mails."""
    return seatrow.text_row(counts)


@register.inclusion_tag("components/empty.html")
def empty(
    text: str, label: str = "", url: str = "", counts: seatrow.SeatCounts | None = None
) -> dict[str, object]:
    """A page with nothing on it yet: one sentence, one action, and a row of seats as the picture."""
    picture = seatrow.svg(counts or seatrow.SeatCounts(invited=1, free=9), label="", scale=2)
    return {"text": text, "label": label, "url": url, "picture": picture}
