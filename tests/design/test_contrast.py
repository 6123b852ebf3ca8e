"""Colours: every pair that meets on a page is readable, in the light and in the dark."""

from __future__ import annotations

import re

import pytest

from tests.house.house import ROOT, files, name_of

TOKENS = (ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")

GROUNDS = ("paper", "surface", "sunk", "action-tint", "waits-tint", "error-tint")
PAIRS = [
    *((front, ground) for front in ("ink", "soft", "focus") for ground in GROUNDS),
    *((front, ground) for front in ("action", "action-strong") for ground in GROUNDS),
    *(("waits", ground) for ground in ("paper", "surface", "sunk", "waits-tint")),
    *(("error", ground) for ground in ("paper", "surface", "sunk", "error-tint")),
    *(("edge", ground) for ground in ("paper", "surface", "sunk")),
    ("on-action", "action"),
    ("on-action", "action-strong"),
    ("error-tint", "error"),
    ("paper", "focus"),
]


def palette(theme: str) -> dict[str, str]:
    """The colours of a theme; the dark one overrides every one of them."""
    light, dark = TOKENS.split("@media (prefers-color-scheme: dark)")
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light if theme == "light" else dark))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, from 1 to 21, WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself_is_right():
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_both_themes_name_the_same_colours():
    assert set(palette("light")) == set(palette("dark"))
    assert len(palette("light")) == 16


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_has_a_contrast_of_4_5(theme):
    colours = palette(theme)
    found = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}


def test_only_the_tokens_name_colours():
    """Paper has its own: black and white."""
    found = {
        name_of(path): colours
        for path in files(".css", under="static")
        if path.name not in {"tokens.css", "print.css"}
        if (
            colours := re.findall(
                r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", path.read_text(encoding="utf-8")
            )
        )
    }
    assert found == {}


def test_every_token_that_is_used_exists():
    known = set(re.findall(r"(--[a-z0-9-]+):", TOKENS))
    unknown = {}
    for path in files(".css", under="static"):
        source = path.read_text(encoding="utf-8")
        own = set(re.findall(r"(--[a-z0-9-]+):", source))
        if missing := set(re.findall(r"var\((--[a-z0-9-]+)", source)) - known - own:
            unknown[name_of(path)] = sorted(missing)
    assert unknown == {}
