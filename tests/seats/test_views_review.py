"""The review of a list: what will happen is read, and corrected, before anything does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from catalog.models import CatalogItem, SeatMode
from catalog.selectors import get_shop
from common.listing import from_rows, read_list
from courses.models import Course
from seats.models import Assignment, AssignmentBatch
from tests.accounts.factories import make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import give, make_pool, plan_list
from tests.seats.pages import House, everything, words

pytestmark = pytest.mark.django_db

State = AssignmentBatch.State


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def course(house: House) -> Course:
    make_pool(house.account, 12, bill_number="CMD-1", access_seconds=90 * 86400)
    return make_course("EXCEL1", fullname="Excel")


def mixed(house: House, course: Course) -> AssignmentBatch:
    """Twelve rows: nine of them use a seat; one is enrolled, one is there twice, one has no valid address."""
    make_enrolment(course, make_person(email="enrolled@x.org"), ends_at=timezone.now() + timedelta(days=30))
    addresses = [f"p{number}@x.org" for number in range(1, 10)]
    return plan_list(house.account, course, *addresses, "enrolled@x.org", "P4@X.ORG", "bad@@x.org")


def shown(page: Any) -> dict[str, str]:
    return {row.row.email: row.row.planned_verdict for row in page.context["rows"]}


def test_the_review_says_what_will_happen_before_anything_does(house, course):
    batch = mixed(house, course)
    before = everything()
    page = house.browser().get(f"/seats/lists/{batch.pk}/")
    said = words(page)
    assert "12 rows, 9 seats used, 3 left." in said
    assert "Nothing has been given and nobody has been written to yet." in said
    assert "Give 9 seats" in said
    assert "P1 Doe p1@x.org Will be invited 1 seat" in said
    assert "Already enrolled Already enrolled in this course until" in said
    assert "P4@X.ORG Twice in the list The same address is on row 4: it counts once. no seat" in said
    assert "There is more than one @ here: give one address per person." in said
    assert "9 seats of “Seats for any course”, order CMD-1" in said
    assert "12 bought · 0 in use · 0 invited · 12 free" in said
    assert "12 bought · 0 in use · 9 invited · 3 free" in said
    assert everything() == before
    assert page.content.decode().count("button--primary") == 1


def test_rows_are_filtered_by_verdict_and_paged(house):
    course = make_course()
    make_pool(house.account, 200)
    listed = from_rows({"email": f"p{number}@x.org" if number else "nobody"} for number in range(120))
    batch = plan_list(house.account, course, listed=listed)
    client = house.browser()
    page = client.get(f"/seats/lists/{batch.pk}/?page=3")
    assert (page.context["page"].number, len(page.context["rows"])) == (3, 20)
    assert page.context["chips"] == [
        ("", "All", 120), ("will_be_invited", "Will be invited", 119), ("invalid", "To correct", 1),
    ]  # fmt: skip
    page = client.get(f"/seats/lists/{batch.pk}/?verdict=invalid")
    assert shown(page) == {"nobody": "invalid"}


def test_a_review_takes_the_same_number_of_queries_for_ten_and_ten_thousand_rows(house):
    course = make_course()
    make_pool(house.account, 10_000)
    client = house.browser(Role.OWNER)
    counts = []
    for number in (10, 10_000):
        listed = from_rows({"email": f"p{n}@x.org"} for n in range(number))
        batch = plan_list(house.account, course, listed=listed)
        client.get(f"/seats/lists/{batch.pk}/")
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/seats/lists/{batch.pk}/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_missing_seats_are_said_with_a_link_that_buys_exactly_as_many(house, course):
    item = CatalogItem.objects.create(
        shop=get_shop(), code="SEATS", name_en="Seat", name_fr="Siège", price=1000, handler="generateseats",
        seat_mode=SeatMode.NONE,
    )  # fmt: skip
    batch = plan_list(house.account, course, *(f"p{number}@x.org" for number in range(14)))
    page = house.browser(Role.OWNER).get(f"/seats/lists/{batch.pk}/")
    assert "2 people wait: 2 seats are missing." in words(page)
    assert f'href="/buy/{item.code}?quantity=2"' in page.content.decode()
    assert "Give 12 seats" in words(page)
    # Packs are not split; the article that costs least is chosen when the one of the seats is not on sale.
    item.code, item.params = "PACK", "packsize=10"
    item.save()
    page = house.browser(Role.OWNER).get(f"/seats/lists/{batch.pk}/")
    assert 'href="/buy/PACK?quantity=1"' in page.content.decode()
    assert "Buy 1 × “Seat”: 10 seats" in words(page)
    # Whoever may not buy is told who can, and has a link to send them.
    page = house.browser().get(f"/seats/lists/{batch.pk}/")
    assert 'href="/buy/' not in page.content.decode()
    assert "can buy seats for your organisation." in words(page)
    assert 'data-copy="http://testserver/buy/PACK?quantity=1"' in page.content.decode()


def test_seats_that_were_bought_meanwhile_are_in_the_review_at_once(house, course):
    batch = plan_list(house.account, course, *(f"p{number}@x.org" for number in range(14)))
    client = house.browser()
    assert "14 rows, 12 seats used, 0 left." in words(client.get(f"/seats/lists/{batch.pk}/"))
    make_pool(house.account, 5)
    assert "14 rows, 14 seats used, 3 left." in words(client.get(f"/seats/lists/{batch.pk}/"))


def test_seats_that_were_given_meanwhile_are_not_promised(house, course):
    batch = plan_list(house.account, course, *(f"p{number}@x.org" for number in range(10)))
    for number in range(5):
        give(house.account, make_course(), f"other{number}@x.org")
    said = words(house.browser().get(f"/seats/lists/{batch.pk}/"))
    assert "10 rows, 7 seats used, 0 left." in said
    assert "3 people wait: 3 seats are missing." in said


def test_a_course_that_is_not_covered_is_said_with_the_courses_that_are(house):
    make_pool(house.account, 5, courselist="RGPD")
    make_course("RGPD", fullname="Privacy")
    batch = plan_list(house.account, make_course("EXCEL1", fullname="Excel"), "ann@x.org")
    page = house.browser().get(f"/seats/lists/{batch.pk}/")
    said = words(page)
    assert "Your free seats are not for “Excel”. They can be given in these courses: Privacy" in said
    assert "1 row, 0 seats used, 0 left." in said
    assert f"/seats/lists/{batch.pk}/apply/" not in page.content.decode()


def test_the_pool_is_named_and_can_be_changed(house, course):
    pack = make_pool(house.account, 3, courselist="EXCEL*", item_name="Pack", bill_number="CMD-2")
    batch = plan_list(house.account, course, "ann@x.org", "bob@x.org", "cid@x.org", "dot@x.org")
    client = house.browser()
    said = words(client.get(f"/seats/lists/{batch.pk}/"))
    assert "3 seats of “Pack”, order CMD-2" in said
    assert "1 seat of “Seats for any course”, order CMD-1" in said
    assert client.post(f"/seats/lists/{batch.pk}/pool/", {"pool": str(pack.pk)}).status_code == 302
    said = words(client.get(f"/seats/lists/{batch.pk}/"))
    assert "4 rows, 3 seats used" in said
    assert "1 person waits: 1 seat is missing." in said
    assert "3 bought · 0 in use · 3 invited · 0 free" in said
    client.post(f"/seats/lists/{batch.pk}/pool/", {"pool": ""})
    assert "4 rows, 4 seats used" in words(client.get(f"/seats/lists/{batch.pk}/"))


def test_a_forged_pool_of_a_list_changes_nothing_and_says_so(house, course):
    batch = plan_list(house.account, course, "ann@x.org")
    elsewhere, uncovering = make_pool(None, 3), make_pool(house.account, 3, courselist="RGPD")
    client = house.browser()
    for pool in (elsewhere.pk, uncovering.pk, "x", "99999999999999999999"):
        before = everything()
        answer = client.post(f"/seats/lists/{batch.pk}/pool/", {"pool": str(pool)}, follow=True)
        assert "These seats do not cover the course. Nothing was changed." in words(answer)
        assert everything() == before


def test_columns_and_sheets_that_were_not_used_are_said(house, course):
    listed = read_list("email;service;ville\nann@x.org;Paie;Paris\nbob@x.org;RH;Lyon\n", filename="x.csv")
    batch = plan_list(house.account, course, listed=listed)
    AssignmentBatch.objects.filter(pk=batch.pk).update(ignored_sheets=["Old"])
    said = words(house.browser().get(f"/seats/lists/{batch.pk}/"))
    assert "These columns of the list were not used: service and ville." in said
    assert "Only the first sheet with addresses was read. Another one has some too: Old." in said


def test_nothing_on_the_page_tells_markup_in_names_from_text(house, course):
    listed = from_rows([{"email": "ann@x.org", "firstname": "<b>Ann</b>", "lastname": "&"}])
    batch = plan_list(house.account, course, listed=listed)
    source = house.browser().get(f"/seats/lists/{batch.pk}/").content.decode()
    assert "&lt;b&gt;Ann&lt;/b&gt; &amp;" in source
    assert "<b>Ann" not in source


# --- corrections where they stand -------------------------------------------------------------------------


def test_a_wrong_address_is_corrected_where_it_stands_and_the_list_checked_anew(house, course):
    batch = mixed(house, course)
    client = house.browser()
    source = client.get(f"/seats/lists/{batch.pk}/").content.decode()
    assert 'name="email-12" type="email" value="bad@@x.org" aria-invalid="true"' in source
    answer = client.post(f"/seats/lists/{batch.pk}/correct/", {"email-12": " good@x.org "})
    new = AssignmentBatch.objects.get(state=State.PLANNED)
    assert answer["Location"] == f"/seats/lists/{new.pk}/"
    assert new.rows.get(position=12).email == "good@x.org"
    assert new.rows.count() == 12
    assert "12 rows, 10 seats used, 2 left." in words(client.get(answer["Location"]))
    batch.refresh_from_db()
    assert batch.state == State.DISCARDED


def test_giving_checks_corrections_first_and_gives_nothing_yet(
    house, course, django_capture_on_commit_callbacks
):
    batch = mixed(house, course)
    client = house.browser()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/seats/lists/{batch.pk}/apply/", {"email-12": "good@x.org"}, follow=True)
    assert "Your corrections were checked first. Nothing has been given yet: read the list again." in words(
        answer
    )
    assert not Assignment.objects.exists()
    assert "Give 10 seats" in words(answer)


def test_a_field_that_was_not_touched_is_no_correction(house, course, django_capture_on_commit_callbacks):
    batch = mixed(house, course)
    with django_capture_on_commit_callbacks(execute=True):
        house.browser().post(f"/seats/lists/{batch.pk}/apply/", {"email-12": "bad@@x.org"})
    batch.refresh_from_db()
    assert batch.state == State.APPLIED


def test_a_likely_slip_in_an_address_is_asked_about_and_corrected_by_one_button(house, course):
    batch = plan_list(house.account, course, "leo@gmial.com", "ann@x.org")
    client = house.browser()
    page = client.get(f"/seats/lists/{batch.pk}/")
    assert "Did you mean leo@gmail.com?" in words(page)
    assert words(page).count("Did you mean") == 1
    client.post(f"/seats/lists/{batch.pk}/correct/", {"meant": "1"})
    new = AssignmentBatch.objects.get(state=State.PLANNED)
    assert new.rows.get(position=1).email == "leo@gmail.com"
    assert (new.rows.get(position=1).first_name, new.rows.get(position=1).role) == ("Leo", "learner")


def test_roles_and_names_are_corrected_too_and_what_was_left_stays_wrong(house, course):
    listed = read_list(
        "email;prénom;nom;rôle\nann@x.org;Ann;Lee;chef\nbob@x.org;Bob;" + "x" * 151 + ";\ncid@@x.org;;;\n"
    )
    batch = plan_list(house.account, course, listed=listed)
    client = house.browser()
    source = client.get(f"/seats/lists/{batch.pk}/").content.decode()
    assert 'id="role-1"' in source
    assert 'id="lastname-2"' in source
    client.post(
        f"/seats/lists/{batch.pk}/correct/",
        {"role-1": "tutor", "lastname-2": "x" * 150, "email-3": "cid@@x.org"},
    )
    new = AssignmentBatch.objects.get(state=State.PLANNED)
    assert list(new.rows.values_list("email", "role", "planned_verdict")) == [
        ("ann@x.org", "tutor", "new_account"),
        # The 151 characters were cut to what the column holds, so the name as shown is not a change.
        ("bob@x.org", "learner", "invalid"),
        ("cid@@x.org", "learner", "invalid"),
    ]


def test_corrections_of_rows_that_are_not_there_change_nothing(house, course):
    batch = mixed(house, course)
    before = everything()
    client = house.browser()
    for data in ({"email-99": "a@x.org"}, {"meant": "99"}, {"meant": "x"}, {"email-x": "a@x.org"}, {}):
        assert client.post(f"/seats/lists/{batch.pk}/correct/", data).status_code == 302
    assert everything() == before


def test_an_emptied_row_stays_and_says_that_its_address_is_missing(house, course):
    batch = plan_list(
        house.account, course, listed=from_rows([{"email": "bad@@x.org"}, {"email": "a@x.org"}])
    )
    house.browser().post(f"/seats/lists/{batch.pk}/correct/", {"email-1": " "})
    new = AssignmentBatch.objects.get(state=State.PLANNED)
    assert new.rows.get(position=1).problems == [{"field": "email", "code": "missing"}]
