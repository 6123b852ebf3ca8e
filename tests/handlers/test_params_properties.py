"""What holds for every parameter string, tried on many."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.encoding import UnreadableValue, decode, encode
from handlers.fields import CourseListField, DaysField, FlagField, MomentField, RequiredRolesField, WholeField
from handlers.moments import Day, PeriodError, Relative, Time, Timestamp
from handlers.params import ParamsForm, from_local_shop, parse, period, serialise
from handlers.registry import all_handlers
from handlers.setuponecoursesession.forms import SessionParams

FORMS = [handler.Params for handler in all_handlers()]
KEYS = sorted({name for form in FORMS for name in form.base_fields} | {"startdate", "enddate", "coursname"})
PARIS = ZoneInfo("Europe/Paris")

# Names as a shop may have them: no control characters, nothing that is trimmed away.
names = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
    .map(str.strip)
    .filter(lambda name: 0 < len(name) <= 30)
)
patterns = names.map(lambda name: name.replace("%", "").replace(",", "").strip()).filter(
    lambda name: name and "**" not in name
)
offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
days = st.dates(date(2000, 1, 1), date(9998, 12, 31)).map(Day)
naive = st.datetimes(datetime(2000, 1, 2), datetime(9998, 12, 30))
aware = st.builds(lambda at, offset: at.replace(tzinfo=offset), naive, st.just(UTC) | offsets)
times = (naive | aware).map(Time)
starts = st.integers(946_684_800, 99_999_999_999).map(Timestamp) | days | times
ends = starts | st.integers(1, 876_000).map(Relative)


def values_of(field: forms.Field) -> st.SearchStrategy[Any]:
    if isinstance(field, CourseListField):
        return st.lists(patterns, unique=True, max_size=5).map(tuple)
    if isinstance(field, RequiredRolesField):
        return st.sampled_from([("learner",), ("tutor",), ("learner", "tutor")])
    if isinstance(field, FlagField):
        return st.booleans()
    if isinstance(field, MomentField):
        return st.none() | (ends if field.relative else starts)
    if isinstance(field, DaysField | WholeField):
        given_values: st.SearchStrategy[Any] = st.integers(1, field.most)
    else:
        given_values = names
    default = getattr(field, "default", None)
    return given_values if field.required else st.just(default) | given_values


@st.composite
def typed(draw: st.DrawFn) -> tuple[type[ParamsForm], dict[str, Any]]:
    form = draw(st.sampled_from(FORMS))
    values = {name: draw(values_of(field)) for name, field in form.base_fields.items()}
    if values.get("duration") and "endtime" in values:
        values["endtime"] = None
    return form, values


@given(typed())
def test_what_is_written_is_read_again(drawn: tuple[type[ParamsForm], dict[str, Any]]) -> None:
    form, values = drawn
    string = serialise(values, form=form)
    parsed = parse(string, form=form)
    assert parsed.errors == ()
    assert parsed.values == values
    assert string.isascii()
    assert serialise(parsed.values, form=form) == string


anything = st.text(st.characters(), max_size=40)
pairs = st.tuples(st.sampled_from(KEYS) | anything, anything).map("=".join)
strings = anything | st.lists(pairs, max_size=6).map("&".join)


@given(st.sampled_from(FORMS), strings)
@example(SessionParams, "coursename=\ud800")
@example(SessionParams, "coursename=SCI&starttime=" + "9" * 5_000)
@example(SessionParams, "coursename=SCI&endtime=" + "1D " * 3_000 + "x")
@example(SessionParams, "\x00=\x00")
def test_reading_never_raises_and_either_means_something_or_says_why(
    form: type[ParamsForm], string: str
) -> None:
    parsed = parse(string, form=form)
    assert bool(parsed.errors) != (set(parsed.values) == set(form.base_fields))
    for error in parsed.errors:
        assert error.key
        assert error.message
        # Whatever was typed, the error can be printed.
        assert (error.key + error.message).encode()


def ends_properly(form: type[ParamsForm], values: Mapping[str, Any], *, renewable: bool) -> bool:
    """Whether a period ends after it starts, or is refused with the key at fault."""
    purchased_at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    try:
        found = period(values, purchased_at=purchased_at, renewable=renewable, zone=PARIS)
    except PeriodError as error:
        return error.key in form.base_fields and bool(error.message)
    return found.ends is None or (found.ends > found.starts and found.ends > purchased_at)


@given(typed(), st.booleans())
def test_a_period_ends_after_its_start_and_after_the_purchase(
    drawn: tuple[type[ParamsForm], dict[str, Any]], renewable: bool
) -> None:
    form, values = drawn
    assert ends_properly(form, values, renewable=renewable)


@given(strings)
def test_a_paste_of_the_predecessor_never_raises(string: str) -> None:
    paste = from_local_shop(string)
    assert all(paste.notes)
    parse(paste.string, form=SessionParams)


@given(names.map(lambda name: name.replace("&", "").strip()).filter(bool))
def test_a_paste_of_the_predecessor_is_taken_literally(name: str) -> None:
    paste = from_local_shop(f"coursename={name}")
    assert parse(paste.string, form=SessionParams).values["coursename"] == name


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_encoding_and_decoding_are_inverse(text: str) -> None:
    assert decode(encode(text)) == text
    assert decode(encode(text), plus_is_space=True) == text


def reads_or_says_why(raw: str, **options: bool) -> bool:
    try:
        decode(raw, **options).encode()
    except UnreadableValue as reason:
        return bool(str(reason).encode())
    return True


@given(st.text(st.characters()))
def test_decoding_gives_text_or_says_why(raw: str) -> None:
    assert reads_or_says_why(raw)
    assert reads_or_says_why(raw, plus_is_space=True)
    assert reads_or_says_why(raw, wildcard=True)
