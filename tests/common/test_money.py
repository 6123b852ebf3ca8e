"""Amounts and taxes."""

from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from common.money import (
    LARGEST_MINOR,
    LineTotal,
    MoneyError,
    RateTotal,
    TaxedLine,
    allocate_lines,
    amount_string,
    format_money,
    line_total,
    to_decimal,
    to_minor,
    totals_by_rate,
)

TWENTY = Decimal(20)

lines_strategy = st.lists(
    st.builds(
        TaxedLine,
        quantity=st.integers(-500, 500),
        unit_price=st.integers(0, 10**7),
        tax_included=st.booleans(),
        rate=st.sampled_from(
            [Decimal(text) for text in ("0", "2.1", "5.5", "10", "20", "20.00", "19.6", "100")]
        ),
        discount=st.integers(0, 10**5),
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("10.00", "EUR", 1000),
        ("10", "EUR", 1000),
        ("10,5", "EUR", 1050),
        (" 0.01 ", "EUR", 1),
        ("-3.20", "EUR", -320),
        ("+3.20", "EUR", 320),
        ("100", "JPY", 100),
        ("1.234", "BHD", 1234),
        (Decimal("12.3"), "EUR", 1230),
        (Decimal("12.3000"), "EUR", 1230),
        (Decimal("1E+3"), "EUR", 100000),
        (Decimal("-0.00"), "EUR", 0),
        (Decimal("0E+99999"), "EUR", 0),
    ],
)
def test_an_amount_becomes_minor_units(amount, currency, minor):
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("10.005", "EUR", "too_many_decimals"),
        ("10.000", "EUR", "too_many_decimals"),
        ("1.0", "JPY", "too_many_decimals"),
        (Decimal("10.005"), "EUR", "too_many_decimals"),
        (Decimal("1E-99999"), "EUR", "too_many_decimals"),
        ("NaN", "EUR", "not_a_number"),
        ("inf", "EUR", "not_a_number"),
        ("1e3", "EUR", "not_a_number"),
        ("1_000", "EUR", "not_a_number"),
        ("1 000", "EUR", "not_a_number"),
        ("1,000.00", "EUR", "not_a_number"),
        ("١٠", "EUR", "not_a_number"),
        ("", "EUR", "not_a_number"),
        ("10 €", "EUR", "not_a_number"),
        (Decimal("NaN"), "EUR", "not_a_number"),
        (Decimal("sNaN"), "EUR", "not_a_number"),
        (Decimal("-Infinity"), "EUR", "not_a_number"),
        (10.5, "EUR", "not_a_number"),
        ("10000000000000.01", "EUR", "too_large"),
        ("9" * 400, "EUR", "too_large"),
        (Decimal("1E+999999"), "EUR", "too_large"),
        ("10", "EURO", "currency"),
        ("10", "", "currency"),
    ],
)
def test_what_is_no_amount_is_refused(amount, currency, code):
    with pytest.raises(MoneyError) as refused:
        to_minor(amount, currency)
    assert refused.value.code == code
    assert str(refused.value)


def test_the_largest_amount_is_ten_thousand_billion():
    assert to_minor("10000000000000.00", "EUR") == LARGEST_MINOR


def test_a_negative_amount_is_refused_only_where_asked():
    assert to_minor("-1", "EUR") == -100
    with pytest.raises(MoneyError) as refused:
        to_minor("-0.01", "EUR", negative=False)
    assert refused.value.code == "negative"
    assert to_minor("0", "EUR", negative=False) == 0


@given(st.integers(-LARGEST_MINOR, LARGEST_MINOR), st.sampled_from(["EUR", "JPY", "BHD"]))
def test_an_amount_survives_the_way_there_and_back(minor, currency):
    assert to_minor(amount_string(minor, currency), currency) == minor
    assert to_minor(to_decimal(minor, currency), currency) == minor


def test_an_amount_is_written_with_the_decimals_of_its_currency():
    assert amount_string(10000, "EUR") == "100.00"
    assert amount_string(-5, "EUR") == "-0.05"
    assert amount_string(0, "EUR") == "0.00"
    assert amount_string(100, "JPY") == "100"
    assert to_decimal(1000, "EUR") == Decimal("10.00")


def test_french_puts_narrow_spaces_into_an_amount_and_english_none():
    assert format_money(123456789, "EUR", "fr") == "1\u202f234\u202f567,89\u202f€"
    assert format_money(-123450, "EUR", "fr") == "-1\u202f234,50\u202f€"
    assert format_money(10000, "EUR", "en") == "€100.00"
    assert format_money(123450, "EUR", "en") == "€1,234.50"
    assert format_money(100, "JPY", "fr") == "100\u202fJPY"


def test_without_a_language_the_active_one_is_used():
    with translation.override("en"):
        assert format_money(10000, "EUR") == "€100.00"
    with translation.override("fr"):
        assert format_money(10000, "EUR") == "100,00\u202f€"


# --- taxes --------------------------------------------------------------------------------------


def test_ten_times_ten_euros_tax_included_is_exactly_one_hundred():
    lines = [TaxedLine(10, 1000, tax_included=True, rate=TWENTY)]
    assert totals_by_rate(lines) == [RateTotal(TWENTY, net=8333, tax=1667, gross=10000)]
    assert allocate_lines(lines) == [LineTotal(net=8333, tax=1667, gross=10000)]


def test_ten_lines_of_ten_euros_tax_included_add_up_to_exactly_one_hundred():
    lines = [TaxedLine(1, 1000, tax_included=True, rate=TWENTY)] * 10
    assert totals_by_rate(lines) == [RateTotal(TWENTY, net=8333, tax=1667, gross=10000)]
    # 8.3333… each: the three cents left over go to the first three.
    assert [line.net for line in allocate_lines(lines)] == [834] * 3 + [833] * 7
    assert {line.gross for line in allocate_lines(lines)} == {1000}


def test_without_tax_in_the_price_the_tax_is_rounded_once():
    lines = [TaxedLine(1, 333, tax_included=False, rate=Decimal("5.5"))] * 3
    # 9.99 × 5.5 % = 0.549…; each line alone would be 0.18.
    assert totals_by_rate(lines) == [RateTotal(Decimal("5.5"), net=999, tax=55, gross=1054)]
    assert [line.tax for line in allocate_lines(lines)] == [19, 18, 18]


def test_a_half_is_rounded_up_and_a_refund_mirrors_its_payment():
    assert totals_by_rate([TaxedLine(1, 250, tax_included=False, rate=Decimal(1))])[0].tax == 3
    assert totals_by_rate([TaxedLine(-1, 250, tax_included=False, rate=Decimal(1))])[0].tax == -3
    assert totals_by_rate([TaxedLine(1, 3, tax_included=True, rate=TWENTY)])[0].net == 3


def test_rates_are_kept_apart_and_equal_rates_together_lowest_first():
    lines = [
        TaxedLine(1, 1000, tax_included=False, rate=Decimal("20.00")),
        TaxedLine(1, 1000, tax_included=False, rate=Decimal("5.5")),
        TaxedLine(1, 1000, tax_included=False, rate=TWENTY),
    ]
    assert totals_by_rate(lines) == [
        RateTotal(Decimal("5.5"), net=1000, tax=55, gross=1055),
        RateTotal(TWENTY, net=2000, tax=400, gross=2400),
    ]


def test_prices_with_and_without_tax_of_one_rate_are_computed_apart_and_added():
    lines = [
        TaxedLine(1, 1000, tax_included=True, rate=TWENTY),
        TaxedLine(1, 1000, tax_included=False, rate=TWENTY),
    ]
    assert totals_by_rate(lines) == [RateTotal(TWENTY, net=833 + 1000, tax=167 + 200, gross=1000 + 1200)]
    assert allocate_lines(lines) == [LineTotal(833, 167, 1000), LineTotal(1000, 200, 1200)]


def test_a_discount_comes_off_the_line_before_the_tax():
    line = TaxedLine(3, 1000, tax_included=True, rate=TWENTY, discount=600)
    assert line_total(line) == 2400
    assert totals_by_rate([line]) == [RateTotal(TWENTY, net=2000, tax=400, gross=2400)]


def test_nothing_costs_nothing():
    assert totals_by_rate([]) == []
    assert allocate_lines([]) == []
    assert allocate_lines([TaxedLine(0, 1000, tax_included=True, rate=TWENTY)]) == [LineTotal(0, 0, 0)]


@pytest.mark.parametrize("rate", ["-1", "NaN", "Infinity"])
def test_a_rate_that_is_no_percentage_is_refused(rate):
    lines = [TaxedLine(1, 1000, tax_included=True, rate=Decimal(rate))]
    for compute in (totals_by_rate, allocate_lines):
        with pytest.raises(MoneyError) as refused:
            compute(lines)
        assert refused.value.code == "rate"


@given(lines_strategy)
def test_lines_always_add_up_to_the_totals_of_their_rates(lines):
    totals, parts = totals_by_rate(lines), allocate_lines(lines)
    assert len(parts) == len(lines)
    assert [total.rate for total in totals] == sorted({line.rate for line in lines})
    for total in totals:
        assert total.net + total.tax == total.gross
        of_rate = [part for part, line in zip(parts, lines, strict=True) if line.rate == total.rate]
        assert sum(part.net for part in of_rate) == total.net
        assert sum(part.tax for part in of_rate) == total.tax
        assert sum(part.gross for part in of_rate) == total.gross


@given(lines_strategy)
def test_what_was_entered_stays_exact_on_every_line_and_the_rest_within_a_cent(lines):
    for line, part in zip(lines, allocate_lines(lines), strict=True):
        assert part.net + part.tax == part.gross
        assert (part.gross if line.tax_included else part.net) == line_total(line)
        if line.tax_included:
            assert abs(part.net - line_total(line) / (1 + line.rate / 100)) < 1
        else:
            assert abs(part.tax - line_total(line) * line.rate / 100) < 1


@given(lines_strategy)
def test_the_mirror_of_an_order_has_the_mirrored_totals(lines):
    mirror = [
        TaxedLine(-line.quantity, line.unit_price, line.tax_included, line.rate, -line.discount)
        for line in lines
    ]
    assert [(-t.net, -t.tax, -t.gross) for t in totals_by_rate(mirror)] == [
        (t.net, t.tax, t.gross) for t in totals_by_rate(lines)
    ]
