"""The seat row: a pool of seats drawn as a row of marks, one per seat, always beside the same words.

Filled is in use, half filled is invited, a ring is free, hatched is ended. Above `MOST_MARKS` seats the marks merge
into one proportional bar of the same four patterns. The drawing is a pure function of the counts: it has no
ids, no colours (`currentColor`) and no styles, so it may stand any number of times on a page, on paper and in
the dark.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from babel.numbers import format_decimal
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext, pgettext

from common.languages import locale_for

MOST_MARKS = 60
PER_ROW = 20
TEXT_BAR = 30  # marks of the text form above MOST_MARKS

KINDS = ("in_use", "invited", "free", "ended")
KIND_OF_STATE = {
    "consumed": "in_use",
    "assigned": "invited",
    "reserved": "invited",
    "free": "free",
    "expired": "ended",
    "withdrawn": "ended",
}
TEXT_MARKS = {"in_use": "●", "invited": "◐", "free": "○", "ended": "◌"}

SIZE = 10  # a mark, in user units; one unit is one CSS pixel at scale 1
PITCH = 13
ROW_PITCH = 14
GROUP = 10  # marks stand in groups of ten, so that they can be counted
GROUP_GAP = 5
BAR_WIDTH = PER_ROW * PITCH - (PITCH - SIZE) + GROUP_GAP
BAR_GAP = 2
BAR_LEAST = 6  # no group of seats is too small to be seen


@dataclass(frozen=True, slots=True)
class SeatCounts:
    """How many seats of a pool are in each of the four conditions; together they are what was bought."""

    in_use: int = 0
    invited: int = 0
    free: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        if min(self.in_use, self.invited, self.free, self.ended) < 0:
            raise ValueError(f"A count of seats is negative: {self}")

    @property
    def bought(self) -> int:
        return self.in_use + self.invited + self.free + self.ended

    @classmethod
    def from_states(cls, states: Mapping[str, int]) -> SeatCounts:
        """From numbers by seat state (`consumed, assigned, reserved, free, expired, withdrawn`).

        Raises KeyError for another state: a seat that is not counted would make the row lie.
        """
        kinds = dict.fromkeys(KINDS, 0)
        for state, number in states.items():
            kinds[KIND_OF_STATE[state]] += number
        return cls(**kinds)

    def by_kind(self) -> list[tuple[str, int]]:
        """The kinds that occur, in the order they are drawn."""
        return [(kind, number) for kind in KINDS if (number := getattr(self, kind))]


def sentence(counts: SeatCounts, language: str | None = None) -> str:
    """The words beside the row: "12 bought · 7 in use · 2 invited · 3 free".

    Ended seats are named only when there are some. Without a language, the active one.
    """
    if language is not None:
        with translation.override(language):
            return sentence(counts)
    parts = [
        ngettext("%(count)s bought", "%(count)s bought", counts.bought) % {"count": _count(counts.bought)},
        ngettext("%(count)s in use", "%(count)s in use", counts.in_use) % {"count": _count(counts.in_use)},
        ngettext("%(count)s invited", "%(count)s invited", counts.invited)
        % {"count": _count(counts.invited)},
        ngettext("%(count)s free", "%(count)s free", counts.free) % {"count": _count(counts.free)},
    ]
    if counts.ended:
        parts.append(
            ngettext("%(count)s ended", "%(count)s ended", counts.ended) % {"count": _count(counts.ended)}
        )
    return " · ".join(parts)


def pack_sentence(number: int, language: str | None = None) -> str:
    """What a pack on sale holds: "10 seats"."""
    if language is not None:
        with translation.override(language):
            return pack_sentence(number)
    return ngettext("%(count)s seat", "%(count)s seats", number) % {"count": _count(number)}


def svg(counts: SeatCounts, *, label: str | None = None, scale: float = 1) -> SafeString:
    """The row as one SVG image whose name is the sentence (or the label given; "" makes it a decoration)."""
    width, height, paths = _drawing(counts)
    name = sentence(counts) if label is None else label
    return format_html(
        '<svg class="seats" {} width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>',
        format_html('role="img" aria-label="{}"', name) if name else mark_safe('aria-hidden="true"'),
        _number(width * scale),
        _number(height * scale),
        width,
        height,
        mark_safe(paths),
    )


def mark_svg(kind: str) -> SafeString:
    """One mark as a decoration beside a word: hidden from assistive technology, which reads the word."""
    path = _paths([(kind, 0, 0)])
    return mark_safe(
        f'<svg class="seats" aria-hidden="true" width="{SIZE}" height="{SIZE}" '
        f'viewBox="0 0 {SIZE} {SIZE}">{path}</svg>'
    )


def text_row(counts: SeatCounts) -> str:
    """The row in plain text, for mails: "●●●●●●● ◐◐ ○○○"; above 60 seats 30 marks in proportion."""
    numbers = counts.by_kind()
    if counts.bought > MOST_MARKS:
        shares = _shares([number for _, number in numbers], TEXT_BAR)
        numbers = [(kind, share) for (kind, _), share in zip(numbers, shares, strict=True)]
    return " ".join(TEXT_MARKS[kind] * number for kind, number in numbers)


def state_word(state: str) -> str:
    """The state of a seat, as it is said on screen."""
    words = {
        "free": pgettext("seat", "free"),
        "reserved": pgettext("seat", "given"),
        "assigned": pgettext("seat", "given"),
        "consumed": pgettext("seat", "started"),
        "expired": pgettext("seat", "expired"),
        "withdrawn": pgettext("seat", "withdrawn"),
    }
    return words[state]


def _count(number: int) -> str:
    return str(number) if number < 1000 else format_decimal(number, locale=locale_for())


@lru_cache(maxsize=2048)
def _drawing(counts: SeatCounts) -> tuple[int, int, str]:
    """Width, height and paths of the row."""
    if counts.bought > MOST_MARKS:
        return BAR_WIDTH, SIZE, _bar(counts.by_kind())
    kinds = [kind for kind, number in counts.by_kind() for _ in range(number)]
    marks = []
    for index, kind in enumerate(kinds):
        row, column = divmod(index, PER_ROW)
        marks.append((kind, column * PITCH + column // GROUP * GROUP_GAP, row * ROW_PITCH))
    width = max((x for _, x, _ in marks), default=0) + SIZE
    height = max((y for _, _, y in marks), default=0) + SIZE
    return width, height, _paths(marks)


def _paths(marks: Iterable[tuple[str, int, int]]) -> str:
    """The marks at the given places, as one path for each way of drawing; each mark is one `M`."""
    disc: list[str] = []
    ring: list[str] = []
    half: list[str] = []
    hatch: list[str] = []
    for kind, x, y in marks:
        if kind == "in_use":
            disc.append(f"M{x} {y + 5}a5 5 0 1 1 10 0a5 5 0 1 1-10 0z")
            continue
        circle = f"M{x}.75 {y + 5}a4.25 4.25 0 1 1 8.5 0a4.25 4.25 0 1 1-8.5 0z"
        if kind == "ended":
            lines = "m1.25 3l6-6m-6.8 3.4l4.2-4.2m-.8 7.6l4.2-4.2"
            hatch.append(circle + lines)
            continue
        ring.append(circle)
        if kind == "invited":
            half.append(f"M{x}.75 {y + 5}h8.5a4.25 4.25 0 0 1-8.5 0z")
    return (
        _path("disc", "".join(disc), filled=True)
        + _path("half", "".join(half), filled=True)
        + _path("ring", "".join(ring))
        + _path("hatch", "".join(hatch))
    )


def _bar(numbers: list[tuple[str, int]]) -> str:
    """One bar: a stretched mark for each kind, as long as its share."""
    room = BAR_WIDTH - BAR_GAP * (len(numbers) - 1)
    extra = _shares([number for _, number in numbers], room - BAR_LEAST * len(numbers), least=0)
    x, out = 0, []
    for (kind, _), more in zip(numbers, extra, strict=True):
        width = BAR_LEAST + more
        out.append(_segment(kind, x, width))
        x += width + BAR_GAP
    return "".join(out)


def _segment(kind: str, x: int, width: int) -> str:
    if kind == "in_use":
        return _path("disc", _pill(x, 0, width, SIZE), filled=True)
    pill = _pill(x + 0.75, 0.75, width - 1.5, SIZE - 1.5)
    if kind == "invited":
        return _path("half", _half_pill(x, width), filled=True) + _path("ring", pill)
    if kind == "ended":
        lines = "".join(
            f"M{x + offset} {SIZE - 1.5}l{SIZE - 3}-{SIZE - 3}" for offset in range(2, width - SIZE + 2, 4)
        )
        return _path("hatch", pill + lines)
    return _path("ring", pill)


def _pill(x: float, y: float, width: float, height: float) -> str:
    radius = min(width, height) / 2
    straight_x, straight_y = width - 2 * radius, height - 2 * radius
    arc = f"a{_number(radius)} {_number(radius)} 0 0 1 "
    r = _number(radius)
    return (
        f"M{_number(x + radius)} {_number(y)}h{_number(straight_x)}{arc}{r} {r}v{_number(straight_y)}"
        f"{arc}-{r} {r}h{_number(-straight_x)}{arc}-{r}-{r}v{_number(-straight_y)}{arc}{r}-{r}z"
    )


def _half_pill(x: float, width: float) -> str:
    """The lower half of a pill."""
    radius = min(width, SIZE) / 2
    r = _number(radius)
    return (
        f"M{_number(x)} {SIZE // 2}h{_number(width)}a{r} {r} 0 0 1-{r} {r}h{_number(2 * radius - width)}"
        f"a{r} {r} 0 0 1-{r}-{r}z"
    )


def _path(name: str, data: str, *, filled: bool = False) -> str:
    if not data:
        return ""
    paint = 'fill="currentColor"' if filled else 'fill="none" stroke="currentColor"'
    width = "" if filled else f' stroke-width="{"1.5" if name == "ring" else "1.25"}"'
    return f'<path class="{name}" {paint}{width} d="{data}"/>'


def _shares(numbers: list[int], total: int, least: int = 1) -> list[int]:
    """`total` divided in proportion, each at least `least`, by the largest remainder; the sum is exact."""
    whole = sum(numbers)
    room = total - least * len(numbers)
    exact = [number * room / whole for number in numbers]
    shares = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(numbers)), key=lambda i: exact[i] - shares[i], reverse=True)
    for index in by_remainder[: room - sum(shares)]:
        shares[index] += 1
    return [share + least for share in shares]


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
