"""The same parameters as real fields, as the admin shows them."""

from __future__ import annotations

from django.http import QueryDict

from handlers.generateseats.forms import GenerateSeatsParams
from handlers.moments import Relative
from handlers.params import parse, serialise
from handlers.setuponecoursesession.forms import SessionParams


def test_a_string_fills_the_fields() -> None:
    parsed = parse("courselist=SPOC%,R%26D&packsize=10&endtime=7D+10H", form=GenerateSeatsParams)
    form = GenerateSeatsParams(initial=parsed.values)
    assert {name: form[name].value() for name in form.fields} == {
        "courselist": "SPOC*,R&D",
        "supervisor": "teacher",
        "packsize": "10",
        "validity": None,
        "duration": None,
        "endtime": "+7D +10H",
        "customersupport": None,
    }


def test_the_fields_make_the_string() -> None:
    data = QueryDict(
        "courselist=SPOC%25%2C%20R%26D&supervisor=teacher&packsize=10&validity=&duration=&endtime=%2B7D+%2B10H"
        "&customersupport="
    )
    form = GenerateSeatsParams(data)
    assert form.is_valid()
    assert form.cleaned_data["courselist"] == ("SPOC*", "R&D")
    assert form.cleaned_data["endtime"] == Relative(178)
    assert serialise(form.cleaned_data, form=GenerateSeatsParams) == (
        "courselist=SPOC*,R%26D&packsize=10&endtime=%2B7D%20%2B10H"
    )


def test_tick_boxes_make_the_string() -> None:
    data = QueryDict("coursename=SCI&requiredroles=tutor&autoenrolsupervisor=on")
    form = SessionParams(data)
    assert form.is_valid()
    assert serialise(form.cleaned_data, form=SessionParams) == (
        "coursename=SCI&requiredroles=tutor&autoenrolsupervisor=1"
    )
    unticked = SessionParams(QueryDict("coursename=SCI&requiredroles=tutor&requiredroles=learner"))
    assert unticked.is_valid()
    assert serialise(unticked.cleaned_data, form=SessionParams) == "coursename=SCI"


def test_tick_boxes_show_the_string() -> None:
    parsed = parse("coursename=SCI&requiredroles=tutor&autoenrolsupervisor=1", form=SessionParams)
    for form in (SessionParams(initial=parsed.values), SessionParams(parsed.texts)):
        assert "checked" in str(form["autoenrolsupervisor"])
        assert str(form["requiredroles"]).count("checked") == 1
        assert 'value="tutor"' in str(form["requiredroles"]).split("checked")[0].rsplit("<input", 1)[1]
    plain = parse("coursename=SCI&autoenrolsupervisor=0", form=SessionParams)
    for form in (SessionParams(initial=plain.values), SessionParams(plain.texts)):
        assert "checked" not in str(form["autoenrolsupervisor"])


def test_what_was_typed_wrongly_comes_back_beside_its_error() -> None:
    form = GenerateSeatsParams(QueryDict("packsize=ten&endtime=31/07/2027"))
    assert not form.is_valid()
    assert form["packsize"].value() == "ten"
    assert form.errors == {
        "packsize": ["Write a whole number from 1 to 1000000."],
        "endtime": ["Dates are written with the year first: 2027-07-31."],
    }
