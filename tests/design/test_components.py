"""Components: what the tags and the form renderer draw."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.core.paginator import Paginator
from django.forms.renderers import get_default_renderer
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

from common.forms import DateInput, DesignRenderer
from tests.design.forms import Entries, Kinds


def rendered(source: str, query: str = "", **context: object) -> str:
    request = RequestFactory().get(f"/list/{query}")
    with translation.override("en"):
        return Template("{% load ui %}" + source).render(Context({"request": request, **context}))


def tags(html: str, name: str) -> list[dict[str, str]]:
    """The attributes of every element of a name."""
    return [
        {key: value for key, _, value in re.findall(r'([\w-]+)(="([^"]*)")?', attributes)}
        for attributes in re.findall(rf"<{name}\b([^>]*)>", html)
    ]


@pytest.fixture
def english():
    with translation.override("en"):
        yield


# --- forms ----------------------------------------------------------------------------------------


def test_the_renderer_is_the_one_of_the_settings():
    assert isinstance(get_default_renderer(), DesignRenderer)


def test_a_field_has_its_label_above_its_help_before_and_its_error_beside(english):
    html = Kinds({"email": "jeanne@"})["email"].as_field_group()
    label, help_text, field, error = (
        html.index('<label for="id_email">E-mail</label>'),
        html.index('id="id_email_helptext"'),
        html.index("<input"),
        html.index('id="id_email_error"'),
    )
    assert label < help_text < field < error
    assert tags(html, "input")[0] | {"maxlength": "320"} == {
        "type": "email",
        "name": "email",
        "value": "jeanne@",
        "maxlength": "320",
        "required": "",
        "aria-invalid": "true",
        "aria-describedby": "id_email_helptext id_email_error",
        "id": "id_email",
    }


def test_every_reference_of_a_form_leads_somewhere(english):
    html = str(Kinds({"email": "jeanne@"}))
    ids = set(re.findall(r'\sid="([^"]+)"', html))
    referred = {name for names in re.findall(r'aria-describedby="([^"]+)"', html) for name in names.split()}
    referred |= set(re.findall(r'<label[^>]* for="([^"]+)"', html)) | set(
        re.findall(r'href="#([^"]+)"', html)
    )
    assert referred - ids == set()
    assert len(re.findall(r'\sid="', html)) == len(ids)


def test_a_choice_among_few_is_a_fieldset_with_its_legend(english):
    html = Kinds({})["role"].as_field_group()
    assert '<fieldset aria-describedby="id_role_helptext id_role_error">' in html
    assert "<legend>Role</legend>" in html
    assert html.index("id_role_error") < html.index('type="radio"')


def test_optional_is_said_in_words_and_required_in_the_attribute(english):
    form = Kinds()
    assert "(optional)" in form["reference"].as_field_group()
    assert "(optional)" not in form["email"].as_field_group()
    assert "required" in tags(form["email"].as_field_group(), "input")[0]


def test_a_tick_box_is_inside_its_label(english):
    html = Kinds()["terms"].as_field_group()
    assert re.search(r'<label class="check" for="id_terms"><input type="checkbox"[^>]*> <span>I agree', html)


def test_the_summary_leads_to_the_first_of_the_choices_and_names_every_field(english):
    html = rendered(
        "{% form_errors form %}", form=Kinds({"email": "jeanne@", "seats": "0", "starts": "2027-01-01"})
    )
    assert "6 things to correct" in html
    assert re.findall(r'<a href="#(\w+)">([^<:]+):', html) == [
        ("id_email", "E-mail"),
        ("id_seats", "Seats"),
        ("id_course", "Course"),
        ("id_role_0", "Role"),
        ("id_terms", "I agree to the terms of sale"),
    ]
    assert 'role="alert" tabindex="-1" data-error-summary' in html


def test_one_error_is_one_thing_and_none_is_nothing(english):
    class One(forms.Form):
        name = forms.CharField()

    assert "One thing to correct" in rendered("{% form_errors form %}", form=One({}))
    assert rendered("{% form_errors form %}", form=One({"name": "x"})).strip() == ""
    assert rendered("{% form_errors form %}", form=One()).strip() == ""


def test_a_form_draws_its_summary_and_its_fields(english):
    html = str(Kinds({}))
    assert html.count("data-error-summary") == 1
    assert html.count('class="field') >= 9
    assert html.count('name="token"') == 1


def test_what_was_typed_comes_back_escaped(english):
    html = str(Kinds({"reference": '"><script>alert(1)</script>', "people": "</textarea><b>"}))
    assert "<script>" not in html
    assert "</textarea><b>" not in html


def test_errors_of_rows_say_their_row(english):
    data = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-1-email": "x", "form-1-role": "learner"}
    html = rendered("{% form_errors rows %}", rows=Entries(data))
    assert '<a href="#id_form-1-email">Row 2, E-mail: Enter a valid email address.</a>' in html


def test_rows_are_a_table_with_a_row_to_copy(english):
    html = rendered('{% entry_rows rows "People" "Add a person" %}', rows=Entries())
    table, template = html.split("<template data-row-template>")
    assert table.count("<tr>") == 3
    assert re.findall(r'<th scope="row" class="entry__number">(\d*)</th>', html) == ["1", "2", ""]
    assert 'name="form-__prefix__-email"' in template
    assert "__prefix__" not in table
    assert 'id="id_form-TOTAL_FORMS"' in table
    assert '<button class="button" type="button" data-add-row="form" hidden>Add a person</button>' in template


def test_a_date_is_iso_whatever_the_language():
    with translation.override("fr"):
        html = forms.DateField(widget=DateInput()).widget.render(
            "day", __import__("datetime").date(2027, 7, 31)
        )
    assert 'type="date"' in html
    assert 'value="2027-07-31"' in html


# --- ways -------------------------------------------------------------------------------------------


def test_the_pager_keeps_the_query_and_its_buttons_stay_in_place():
    pages = Paginator(range(900), 100)
    html = rendered("{% pager page %}", "?q=a%26b&page=2&state=free", page=pages.page(2))
    assert re.findall(r'rel="(\w+)" href="([^"]+)"', html) == [
        ("prev", "?q=a%26b&amp;page=1&amp;state=free"),
        ("next", "?q=a%26b&amp;page=3&amp;state=free"),
    ]
    assert "Page 2 of 9" in html
    first = rendered("{% pager page %}", page=pages.page(1))
    assert '<span class="button" aria-disabled="true">Previous</span>' in first
    assert rendered("{% pager page %}", page=Paginator(range(3), 100).page(1)).strip() == ""


def test_chips_keep_the_query_and_start_at_the_first_page():
    html = rendered(
        '{% chips "state" choices "State" %}',
        "?q=x&state=free&page=4",
        choices=[("", "All", 12), ("free", "Free", 3), ("ended", "Ended")],
    )
    assert re.findall(r'href="([^"]+)"( aria-current="true")?>(\w+)', html) == [
        ("?q=x", "", "All"),
        ("?q=x&amp;state=free", ' aria-current="true"', "Free"),
        ("?q=x&amp;state=ended", "", "Ended"),
    ]
    assert html.count("chip__count") == 2


def test_without_a_filter_the_first_chip_is_chosen_and_leads_to_the_bare_page():
    html = rendered('{% chips "state" choices "State" %}', choices=[("", "All"), ("free", "Free")])
    assert '<a class="chip" href="/list/" aria-current="true">All</a>' in html


def test_tabs_know_where_the_reader_is():
    html = rendered('{% tabs items "Order" %}', items=[("/list/", "Seats", 3), ("/other/", "People")])
    assert re.findall(r'href="([^"]+)"( aria-current="page")?', html) == [
        ("/list/", ' aria-current="page"'),
        ("/other/", ""),
    ]


def test_steps_done_link_back_and_steps_to_come_do_not():
    html = rendered(
        "{% steps items 2 %}", items=[("Cart", "/cart/"), ("People", "/people/"), ("Review", "/r/")]
    )
    assert re.findall(r"step--(\w+)", html) == ["done", "current", "next"]
    assert re.findall(r'href="([^"]+)"', html) == ["/cart/"]
    assert html.count('aria-current="step"') == 1
    assert "Step 2 of 3" in html


@pytest.mark.parametrize(
    ("done", "total", "percent"), [(0, 120, 0), (34, 120, 28), (119, 120, 99), (120, 120, 100), (0, 0, 100)]
)
def test_progress_is_true_and_says_100_only_at_the_end(done, total, percent):
    html = rendered("{% progress done total 'Giving seats' %}", done=done, total=total)
    assert f"{done} / {total} · {percent}%" in html
    assert f'<progress max="{total}" value="{done}" aria-label="Giving seats">' in html


# --- words ------------------------------------------------------------------------------------------


def test_a_notice_has_its_kind_and_its_role():
    html = rendered('{% notice "waits" role="status" %}<p>{{ text }}</p>{% endnotice %}', text="<3 seats")
    assert html == (
        '<div class="notice notice--waits" role="status"><div class="notice__text">'
        "<p>&lt;3 seats</p></div></div>"
    )


def test_an_unknown_kind_of_notice_is_a_mistake():
    with pytest.raises(TemplateSyntaxError, match="purple"):
        rendered('{% notice "purple" %}x{% endnotice %}')


def test_messages_become_notices_that_are_read_out():
    class Message(str):
        __slots__ = ()
        level_tag = "warning"

    html = Template('{% include "components/messages.html" %}').render(
        Context({"messages": [Message("<Wait>")]})
    )
    assert (
        '<div class="notice notice--waits" role="alert"><div class="notice__text">&lt;Wait&gt;</div></div>'
        in html
    )


def test_undo_is_one_button_that_posts():
    html = rendered('{% undo "Taken back." "/undo/" seat=seat %}', seat="A&B", csrf_token="token")
    assert '<form class="undo" action="/undo/" method="post">' in html
    assert '<input type="hidden" name="seat" value="A&amp;B">' in html
    assert 'name="csrfmiddlewaretoken" value="token"' in html
    assert '<span role="status">Taken back.</span>' in html
