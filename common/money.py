"""Amounts: integers in minor units in columns, Decimal at the edges, and the arithmetic of taxes.

Rounding is half up (away from zero, so that a refund mirrors its payment), and happens once per rate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision, is_currency
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.languages import is_french, locale_for

# Fits a signed 64-bit column with room for sums of thousands of lines.
LARGEST_MINOR = 10**15
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,](?P<decimals>[0-9]+))?")


class MoneyError(ValueError):
    """An amount that cannot be taken as it is.

    `code`: `currency`, `not_a_number`, `too_many_decimals`, `negative`, `too_large` or `rate`. `message` is a
    lazily translated sentence for the reader.
    """

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


# --- one amount ---------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def minor_digits(currency: str) -> int:
    """How many decimals the currency has: 2 for EUR, 0 for JPY. Raises MoneyError(currency)."""
    if not is_currency(currency):
        raise MoneyError("currency", _("This currency is not known."))
    return get_currency_precision(currency)


def to_minor(amount: Decimal | str, currency: str, *, negative: bool = True) -> int:
    """The amount in minor units: "10.00" EUR is 1000.

    A string is plain digits with a point or a comma before the decimals; it may not have more decimals than the
    currency, not even zeros ("10.000" could be meant as ten thousand). A Decimal may, as long as nothing is lost.
    With `negative=False` an amount below zero is refused. Raises MoneyError.
    """
    digits = minor_digits(currency)
    value = _read(amount, digits) if isinstance(amount, str) else amount
    if not isinstance(value, Decimal) or not value.is_finite():
        raise _not_a_number()
    if value < 0 and not negative:
        raise MoneyError("negative", _("The amount cannot be negative."))
    # Before any arithmetic: the exponent of a Decimal may be astronomical.
    if value and value.adjusted() + digits > 15:
        raise MoneyError("too_large", _("The amount is too large."))
    if value and value.adjusted() + digits < 0:
        raise _too_many_decimals()
    minor = Fraction(value) * 10**digits
    if minor.denominator != 1:
        raise _too_many_decimals()
    if abs(minor) > LARGEST_MINOR:
        raise MoneyError("too_large", _("The amount is too large."))
    return int(minor)


def _read(text: str, digits: int) -> Decimal:
    """A number as people type it, without grouping."""
    found = _PLAIN_NUMBER.fullmatch(text.strip())
    if found is None:
        raise _not_a_number()
    if len(found["decimals"] or "") > digits:
        raise _too_many_decimals()
    return Decimal(found.group().replace(",", "."))


def _not_a_number() -> MoneyError:
    return MoneyError("not_a_number", _("This is not an amount. Write it like 1234.50, without spaces."))


def _too_many_decimals() -> MoneyError:
    return MoneyError("too_many_decimals", _("The amount has more decimals than its currency."))


def to_decimal(minor: int, currency: str) -> Decimal:
    """The exact amount with the decimals of its currency: 1000 EUR is Decimal("10.00")."""
    return Decimal(minor).scaleb(-minor_digits(currency))


def amount_string(minor: int, currency: str) -> str:
    """The amount for JSON: "100.00"."""
    return f"{to_decimal(minor, currency):f}"


def format_money(minor: int, currency: str, language: str | None = None) -> str:
    """The amount for the reader: "1 234,50 €" in French (with U+202F as both spaces), "€1,234.50" in English.

    Without a language the active one is used.
    """
    text = format_currency(to_decimal(minor, currency), currency, locale=locale_for(language))
    # CLDR puts a full no-break space before the sign; one width of space in an amount reads better.
    return text.replace("\u00a0", "\u202f") if is_french(language) else text


# --- taxes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """What is charged at one price and one rate.

    `unit_price` and `discount` are minor units, with tax when `tax_included`, without it otherwise. The discount is
    taken off the whole line. `rate` is a percentage: Decimal("20") is 20 %.
    """

    quantity: int
    unit_price: int
    tax_included: bool
    rate: Decimal
    discount: int = 0


@dataclass(frozen=True, slots=True)
class LineTotal:
    """Net, tax and gross of one line in minor units; net + tax = gross."""

    net: int
    tax: int
    gross: int


@dataclass(frozen=True, slots=True)
class RateTotal:
    """Net, tax and gross of all lines of one rate in minor units; net + tax = gross."""

    rate: Decimal
    net: int
    tax: int
    gross: int


def line_total(line: TaxedLine) -> int:
    """Price × quantity less the discount, in minor units: with tax when the price includes it, else without."""
    return line.quantity * line.unit_price - line.discount


def totals_by_rate(lines: Sequence[TaxedLine]) -> list[RateTotal]:
    """What the lines come to, per rate, lowest rate first.

    Prices that include tax: gross is the sum of the lines, net = round(gross ÷ (1 + rate)), tax = gross − net.
    Prices that do not: net is the sum of the lines, tax = round(net × rate). Where one rate has both, each group is
    computed on its own and the two are added. Raises MoneyError(rate) for a rate below zero or not finite.
    """
    parts: dict[Decimal, list[LineTotal]] = {}
    for (rate, _included), places in sorted(_groups(lines).items()):
        parts.setdefault(rate, []).append(_group_total([lines[place] for place in places]))
    return [
        RateTotal(
            rate,
            net=sum(total.net for total in totals),
            tax=sum(total.tax for total in totals),
            gross=sum(total.gross for total in totals),
        )
        for rate, totals in parts.items()
    ]


def allocate_lines(lines: Sequence[TaxedLine]) -> list[LineTotal]:
    """Net, tax and gross of each line, in the order given; they add up to exactly `totals_by_rate(lines)`.

    What is exact on a line stays exact (gross where the price includes tax, net where it does not); the cents that
    rounding leaves over go to the lines with the largest remainders, the first of equals first.
    """
    result: dict[int, LineTotal] = {}
    for (rate, included), places in _groups(lines).items():
        group = [lines[place] for place in places]
        total = _group_total(group)
        entered = [line_total(line) for line in group]
        share = _net_of_gross(rate) if included else _tax_of_net(rate)
        parts = _largest_remainder(
            [share(amount) for amount in entered], total.net if included else total.tax
        )
        for place, amount, part in zip(places, entered, parts, strict=True):
            result[place] = (
                LineTotal(part, amount - part, amount) if included else LineTotal(amount, part, amount + part)
            )
    return [result[place] for place in range(len(lines))]


def round_half_up(value: Fraction) -> int:
    """The nearest integer; a half goes away from zero."""
    whole, rest = divmod(abs(value), 1)
    rounded = int(whole) + (rest >= Fraction(1, 2))
    return rounded if value >= 0 else -rounded


def _groups(lines: Iterable[TaxedLine]) -> dict[tuple[Decimal, bool], list[int]]:
    """The places of the lines that are rounded together: same rate, same kind of price."""
    groups: dict[tuple[Decimal, bool], list[int]] = {}
    for place, line in enumerate(lines):
        if not line.rate.is_finite() or line.rate < 0:
            raise MoneyError("rate", _("A tax rate is a percentage, zero or more."))
        groups.setdefault((line.rate, line.tax_included), []).append(place)
    return groups


def _group_total(lines: Sequence[TaxedLine]) -> LineTotal:
    """The total of lines that share their rate and their kind of price."""
    entered = sum(line_total(line) for line in lines)
    rate = lines[0].rate
    if lines[0].tax_included:
        net = round_half_up(_net_of_gross(rate)(entered))
        return LineTotal(net, entered - net, entered)
    tax = round_half_up(_tax_of_net(rate)(entered))
    return LineTotal(entered, tax, entered + tax)


def _net_of_gross(rate: Decimal) -> Callable[[int], Fraction]:
    factor = 100 / (100 + Fraction(rate))
    return lambda gross: gross * factor


def _tax_of_net(rate: Decimal) -> Callable[[int], Fraction]:
    factor = Fraction(rate) / 100
    return lambda net: net * factor


def _largest_remainder(shares: Sequence[Fraction], total: int) -> list[int]:
    """Integers near the shares that add up to the total, which is their rounded sum."""
    parts = [share.numerator // share.denominator for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: (parts[place] - shares[place], place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts
