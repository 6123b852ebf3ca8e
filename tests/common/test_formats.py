"""The filters of `{% load formats %}`."""

from datetime import UTC, date, datetime

from django.template import Context, Template
from django.utils import translation
from django.utils.safestring import mark_safe

from common.zone import day_end


def render(source: str, language: str, **values: object) -> str:
    with translation.override(language):
        return Template("{% load formats %}" + source).render(Context(values))


def test_amounts():
    assert render("{{ total|money:currency }}", "fr", total=123450, currency="EUR") == "1\u202f234,50\u202f€"
    assert render("{{ total|money:'EUR' }}", "en", total=0) == "€0.00"


def test_days_and_instants():
    at = datetime(2027, 5, 19, 9, 0, tzinfo=UTC)
    assert render("{{ at|day }}", "fr", at=date(2027, 7, 31)) == "31 juillet 2027"
    assert render("{{ at|day }}", "en", at=at) == "19 May 2027"
    assert render("{{ at|instant }}", "en", at=at) == "19 May 2027 at 11:00"
    assert render("{{ at|until }}", "en", at=at) == "until 19 May 2027 at 11:00"
    assert render("{{ at|until }}", "fr", at=day_end(date(2027, 7, 31))) == "jusqu’au 31 juillet 2027 inclus"


def test_nothing_is_shown_for_nothing():
    for value in (None, ""):
        source = "{{ x|day }}{{ x|instant }}{{ x|until }}{{ x|money:'EUR' }}"
        assert render(source, "fr", x=value) == ""
    assert render("{{ unknown|day }}{{ unknown|money:'EUR' }}", "fr") == ""


def test_french_spaces_only_in_french():
    assert render("{{ text|typo }}", "fr", text="Quoi? <b>") == "Quoi\u202f? &lt;b&gt;"
    assert render("{{ text|typo }}", "en", text="What? <b>") == "What? &lt;b&gt;"
    assert render("{{ text|typo }}", "fr", text=mark_safe("<b>Quoi?</b>")) == "<b>Quoi\u202f?</b>"
