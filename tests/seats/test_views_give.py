"""The entry screen: three ways in one form, and nothing that was typed is lost."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from accounts.models import Role
from common.listing import read_list
from courses.models import Course
from seats.models import AssignmentBatch, AssignmentRow
from seats.views import give
from tests.courses.factories import make_course
from tests.seats.factories import apply, make_pool, people, plan_list
from tests.seats.pages import House, everything, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def course(house: House) -> Course:
    make_pool(house.account, 10)
    return make_course("EXCEL1", fullname="Excel")


def rows(*typed: tuple[str, ...]) -> dict[str, str]:
    """What ten rows post when these were typed into the first of them."""
    data = {"people-TOTAL_FORMS": "10", "people-INITIAL_FORMS": "0"}
    for number in range(10):
        cells = typed[number] if number < len(typed) else ()
        for name, cell in zip(
            ("email", "firstname", "lastname", "role"), (*cells, "", "", "", "")[:4], strict=True
        ):
            data[f"people-{number}-{name}"] = cell or ("learner" if name == "role" else "")
    return data


def entered(response: Any) -> AssignmentBatch:
    """The list that came of it."""
    assert response.status_code == 302, words(response)
    batch = AssignmentBatch.objects.get()
    assert response["Location"] == f"/seats/lists/{batch.pk}/"
    return batch


def emails(batch: AssignmentBatch) -> list[str]:
    return list(batch.rows.order_by("position").values_list("email", flat=True))


def test_rows_that_were_typed_become_a_list(house, course):
    typed = rows(("ann@x.org", "Ann", "Lee"), ("", "", ""), ("bob@x.org", "", "Roe", "tutor"))
    batch = entered(house.browser().post("/seats/give/", {"course": "EXCEL1", **typed}))
    assert list(batch.rows.values_list("position", "email", "first_name", "last_name", "role")) == [
        (1, "ann@x.org", "Ann", "Lee", "learner"),
        (2, "bob@x.org", "", "Roe", "tutor"),
    ]
    assert batch.source == "form"
    assert batch.state == AssignmentBatch.State.PLANNED
    assert batch.created_by == f"person:{house.members[Role.MANAGER].person_id}"


def test_a_paste_becomes_a_list(house, course):
    paste = "Ann Lee <ann@x.org>; Bob Roe <bob@x.org>"
    batch = entered(house.browser().post("/seats/give/", {"course": "EXCEL1", "paste": paste}))
    assert emails(batch) == ["ann@x.org", "bob@x.org"]
    assert batch.source == "paste"


@pytest.mark.parametrize(
    "name", ["participants-excel-fr.csv", "participants-utf16.txt", "participants-outlook.txt"]
)
def test_a_file_becomes_a_list(house, course, name):
    content = (Path(__file__).parents[1] / "data" / name).read_bytes()
    upload = SimpleUploadedFile(name, content)
    batch = entered(house.browser().post("/seats/give/", {"course": "EXCEL1", "file": upload}))
    assert len(emails(batch)) == len(read_list(content, filename=name).rows)
    assert batch.source == "csv"


def test_rows_paste_and_file_together_are_one_list_counted_through(house, course):
    upload = SimpleUploadedFile("list.csv", b"email;service\ncid@x.org;Paris\nann@x.org;Lyon\n")
    data = {"course": "EXCEL1", "paste": "bob@x.org\nzoe@x.org", "file": upload, **rows(("ann@x.org",))}
    batch = entered(house.browser().post("/seats/give/", data))
    assert emails(batch) == ["ann@x.org", "bob@x.org", "zoe@x.org", "cid@x.org", "ann@x.org"]
    assert list(batch.rows.values_list("position", flat=True)) == [1, 2, 3, 4, 5]
    assert batch.rows.get(position=5).detail == {"row": 1}
    assert batch.ignored_columns == ["service"]


def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(house, course):
    before = everything()
    upload = SimpleUploadedFile("list.csv", b"email\ncid@x.org\n")
    data = {"course": "EXCEL1", "paste": "Nobody has an address here", "file": upload}
    page = house.browser().post("/seats/give/", data | rows(("ann@x.org", "Ann", "Lee", "tutor")))
    assert everything() == before
    form, typed = page.context["form"], page.context["rows"]
    assert form.errors == {
        "paste": ["No e-mail address was found in this list. Each person needs one, in a column of its own."],
        "file": ["Choose the file once more: browsers do not keep it."],
    }
    source = page.content.decode()
    assert "Nobody has an address here</textarea>" in source
    assert 'value="ann@x.org"' in source
    assert typed.forms[0]["role"].value() == "tutor"
    assert 'aria-invalid="true" aria-describedby="id_paste_helptext id_paste_error"' in source
    assert 'id="id_paste_error"' in source
    assert "data-error-summary" in source
    # The typed rows are open, so that they are seen.
    assert '<details class="typed" open>' in source


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This file is not a list of people."),
        (b"", "The list is empty: nobody is in it."),
        (b"a;b\n1;2\n", "No e-mail address was found in this list."),
        (b"a@x.org\n" * 700_000, "This list is too large"),
        (b"a@x.org\n" * 20_001, "This list is too long"),
    ],
)
def test_a_file_that_is_no_list_is_refused_beside_its_field(house, course, content, message):
    before = everything()
    page = house.browser().post(
        "/seats/give/", {"course": "EXCEL1", "file": SimpleUploadedFile("x.csv", content)}
    )
    [error] = page.context["form"].errors["file"]
    assert error.startswith(message)
    assert everything() == before


def test_a_list_without_anybody_says_so(house, course):
    page = house.browser().post("/seats/give/", {"course": "EXCEL1", "paste": " \n ", **rows()})
    assert page.context["form"].errors["paste"] == [
        "Nobody is in the list yet: paste it, choose a file or type the people."
    ]


def test_more_than_twenty_thousand_people_in_all_are_too_many(house, course):
    paste = "\n".join(f"p{number}@x.org" for number in range(20_000))
    page = house.browser().post("/seats/give/", {"course": "EXCEL1", "paste": paste, **rows(("a@x.org",))})
    assert "This list is too long" in words(page)
    assert not AssignmentBatch.objects.exists()


# --- course and pool -------------------------------------------------------------------------------------


def test_the_course_of_the_address_is_chosen_and_its_free_seats_are_said(house, course):
    make_course("RGPD", fullname="Privacy")
    page = house.browser().get("/seats/give/?course=EXCEL1")
    assert '<option value="EXCEL1" selected>Excel</option>' in page.content.decode()
    assert "10 free seats for this course" in words(page)
    assert "10 free seats" not in words(house.browser().get("/seats/give/"))


def test_a_course_that_is_not_covered_is_said_and_not_offered(house, course):
    make_course("SPACE", is_space=True)
    page = house.browser().get("/seats/give/?course=SPACE")
    assert "Your seats are for no course “SPACE”." in words(page)
    assert list(page.context["form"].courses) == ["EXCEL1"]


def test_with_several_pools_for_the_course_one_may_be_chosen(house, course):
    pack = make_pool(house.account, 3, courselist="EXCEL*", item_name="Pack", bill_number="CMD-9")
    make_pool(house.account, 3, courselist="RGPD")
    page = house.browser().get("/seats/give/?course=EXCEL1")
    choices = [label for _value, label in page.context["form"].fields["pool"].choices]
    assert len(choices) == 3
    assert choices[2] == "Pack, order CMD-9 · 3 free · Without an end date"
    data = {"course": "EXCEL1", "pool": str(pack.pk), "paste": "ann@x.org"}
    assert entered(house.browser().post("/seats/give/", data)).pool_id == pack.pk


@pytest.mark.parametrize(
    "kind", ["space", "template", "support", "not_for_seats", "closed", "hidden", "unknown"]
)
def test_a_forged_course_changes_nothing_and_says_so(house, course, kind):
    flags: dict[str, dict[str, Any]] = {
        "space": {"is_space": True},
        "template": {"is_template": True},
        "support": {"is_support": True},
        "not_for_seats": {"not_for_seats": True},
        "closed": {"closed_at": timezone.now()},
        "hidden": {"visible": False},
    }
    if kind in flags:
        make_course("FORGED", **flags[kind])
    before = everything()
    page = house.browser().post("/seats/give/", {"course": "FORGED", "paste": "ann@x.org"})
    assert page.context["form"].errors["course"] == ["Your seats do not cover this course."]
    assert everything() == before


def test_a_forged_pool_changes_nothing_and_says_so(house, course):
    make_pool(house.account, 3)
    elsewhere, uncovering = make_pool(None, 3), make_pool(house.account, 3, courselist="RGPD")
    before = everything()
    for pool in (elsewhere, uncovering):
        data = {"course": "EXCEL1", "pool": str(pool.pk), "paste": "ann@x.org"}
        page = house.browser().post("/seats/give/", data)
        assert page.context["form"].errors["pool"] == ["These seats do not cover the course."]
    assert everything() == before


def test_a_forged_list_is_not_found_and_nothing_is_changed(house, course):
    other = House()
    make_pool(other.account, 3)
    foreign = plan_list(other.account, course, "secret@x.org")
    before = everything()
    client = house.browser()
    for pk in (foreign.pk, 10**18, "abc", "1" * 30):
        assert client.get(f"/seats/give/?list={pk}").status_code == 404
        data = {"course": "EXCEL1", "paste": "ann@x.org", "list": str(pk)}
        assert client.post("/seats/give/", data).status_code == 404
    assert everything() == before


def test_without_a_free_seat_there_is_no_form_but_a_way_to_buy(house):
    make_course("EXCEL1")
    make_pool(house.account, 1, assign_before=timezone.now() - timedelta(days=1))
    page = house.browser(Role.OWNER).get("/seats/give/")
    assert "You have no free seat at the moment" in words(page)
    assert "/items/SEATS/" in page.content.decode()
    before = everything()
    assert house.browser().post("/seats/give/", {"course": "EXCEL1", "paste": "a@x.org"}).status_code == 200
    assert everything() == before


# --- changing a list ---------------------------------------------------------------------------------------


def test_a_list_comes_back_as_it_was_and_takes_the_place_of_the_old_one(house, course):
    pool = make_pool(house.account, 3, courselist="EXCEL1")
    batch = plan_list(house.account, course, listed=read_list("Ann Lee <ann@x.org>; bob@@x.org"), pool=pool)
    client = house.browser()
    page = client.get(f"/seats/give/?list={batch.pk}")
    form = page.context["form"]
    assert form["course"].value() == "EXCEL1"
    assert form["pool"].value() == str(pool.pk)
    assert form["paste"].value() == "e-mail\tfirst name\tlast name\nann@x.org\tAnn\tLee\nbob@@x.org\t\t\n"
    paste = form["paste"].value().replace("@@", "@")
    data = {"course": "EXCEL1", "pool": str(pool.pk), "paste": paste, "list": str(batch.pk)}
    answer = client.post("/seats/give/", data)
    batch.refresh_from_db()
    assert batch.state == AssignmentBatch.State.DISCARDED
    new = AssignmentBatch.objects.exclude(pk=batch.pk).get()
    assert answer["Location"] == f"/seats/lists/{new.pk}/"
    assert list(new.rows.values_list("email", "first_name", "last_name")) == [
        ("ann@x.org", "Ann", "Lee"),
        ("bob@x.org", "", ""),
    ]


def test_a_short_list_of_rows_comes_back_as_rows(house, course):
    batch = plan_list(house.account, course, listed=people("ann@x.org", "bob@@x.org"))
    page = house.browser().get(f"/seats/give/?list={batch.pk}")
    assert page.context["form"]["paste"].value() is None
    assert [form["email"].value() for form in page.context["rows"].forms[:3]] == [
        "ann@x.org",
        "bob@@x.org",
        None,
    ]
    assert '<details class="typed" open>' in page.content.decode()


def test_of_an_applied_list_those_without_a_seat_come_back_and_it_stays(house):
    course = make_course("EXCEL1")
    make_pool(house.account, 1)
    batch = plan_list(house.account, course, listed=read_list("ann@x.org\nbob@x.org\nzoe@@x.org"))
    apply(batch)
    make_pool(house.account, 5)
    client = house.browser()
    page = client.get(f"/seats/give/?list={batch.pk}")
    assert page.context["form"]["paste"].value() == (
        "e-mail\tfirst name\tlast name\nbob@x.org\t\t\nzoe@@x.org\t\t\n"
    )
    data = {"course": "EXCEL1", "paste": "bob@x.org", "list": str(batch.pk)}
    assert client.post("/seats/give/", data).status_code == 302
    batch.refresh_from_db()
    assert batch.state == AssignmentBatch.State.APPLIED
    assert batch.rows.count() == 3


def test_tutors_and_quotes_survive_coming_back(house, course):
    listed = read_list('email;nom;rôle\nann@x.org;"Le ""Grand""; dit";tuteur\nbob@x.org;Roe;apprenant\n')
    batch = plan_list(house.account, course, listed=listed)
    again = read_list(give.as_paste(batch))
    assert [(one.email, one.lastname, one.role) for one in again.rows] == [
        ("ann@x.org", 'Le "Grand"; dit', "tutor"),
        ("bob@x.org", "Roe", "learner"),
    ]


# --- templates, limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_empty_lists_can_be_filled_in_and_read(house, language):
    client = house.browser(Role.VIEWER)
    saved = client.get("/seats/give/list.csv", headers={"accept-language": language}).content
    line = "ann@x.org;Ann;Lee;tuteur" if language == "fr" else "ann@x.org,Ann,Lee,tutor"
    [entry] = read_list(saved + line.encode()).rows
    assert (entry.email, entry.firstname, entry.lastname, entry.role) == ("ann@x.org", "Ann", "Lee", "tutor")
    saved = client.get("/seats/give/list.xlsx", headers={"accept-language": language}).content
    book = load_workbook(io.BytesIO(saved))
    assert isinstance(book, Workbook)
    book.worksheets[0].append(["ann@x.org", "Ann", "Lee", "tuteur" if language == "fr" else "tutor"])
    filled = io.BytesIO()
    book.save(filled)
    [entry] = read_list(filled.getvalue()).rows
    assert (entry.email, entry.firstname, entry.lastname, entry.role) == ("ann@x.org", "Ann", "Lee", "tutor")


def test_an_organisation_enters_so_many_lists_an_hour_and_nothing_is_lost_after_that(
    house, course, monkeypatch
):
    monkeypatch.setattr(give, "LISTS_PER_HOUR", 2)
    client = house.browser()
    data = {"course": "EXCEL1", "paste": "ann@x.org"}
    assert [client.post("/seats/give/", data).status_code for _ in range(3)] == [302, 302, 200]
    page = client.post("/seats/give/", data)
    assert "That was many lists in an hour." in words(page)
    assert "ann@x.org</textarea>" in page.content.decode()
    assert AssignmentBatch.objects.count() == 2


def test_a_row_with_only_a_role_is_nobody(house, course):
    page = house.browser().post("/seats/give/", {"course": "EXCEL1", **rows(("", "", "", "tutor"))})
    assert "Nobody is in the list yet" in words(page)
    assert not AssignmentRow.objects.exists()
