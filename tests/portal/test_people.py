"""My people: whom an organisation answers for, what it gave them; and the participant's own side."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from common.models import AuditEntry, OutboxMail
from courses.models import Enrolment
from delegation.models import Delegation
from delegation.services import accept
from seats.services import record_opening
from tests.accounts.factories import make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course
from tests.seats.factories import apply, give, make_pool, plan_list
from tests.seats.pages import House, everything, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = House()
    make_pool(house.account, 5, bill_number="CMD-1", item_name="Seats")
    return house


def listed(page: Any) -> list[str]:
    return [row.person.email for row in page.context["rows"]]


def test_everybody_is_listed_with_what_this_organisation_gave_and_nothing_else(house):
    excel, privacy = make_course("EXCEL1", fullname="Excel"), make_course("RGPD", fullname="Privacy")
    given = give(house.account, excel, "ann@x.org")
    give(house.account, privacy, "ann@x.org")
    give(house.account, excel, "bob@x.org")
    record_opening(person_id=given.holder_id, course_id=excel.pk)
    other = House()
    make_pool(other.account, 5)
    give(other.account, make_course(fullname="Elsewhere"), "ann@x.org")
    give(other.account, make_course(), "zoe@x.org")
    page = house.browser(Role.VIEWER).get("/people/")
    said = words(page)
    assert listed(page) == ["ann@x.org", "bob@x.org"]
    assert f"{house.account.name} answers for 2 people." in said
    assert "Privacy given Excel started" in said
    assert "Elsewhere" not in said


@pytest.mark.parametrize(
    ("query", "found"), [("ann", ["ann@x.org"]), ("DOE", ["ann@x.org", "bob@x.org"]), ("zzz", [])]
)
def test_search_finds_names_and_addresses_as_typed(house, query, found):
    course = make_course()
    give(house.account, course, "ann@x.org")
    give(house.account, course, "bob@x.org")
    page = house.browser().get("/people/", {"q": query})
    assert listed(page) == found
    if not found:
        assert "Nobody matches “zzz”. Show everybody" in words(page)


def test_the_name_is_as_typed_here_until_the_person_has_come(house):
    """The person's own name shows once he has accepted this account's invitation or opened the course."""
    make_person(email="ann@x.org", first_name="Own", last_name="Name")
    given = give(house.account, make_course(), "ann@x.org")
    client = house.browser()
    said = words(client.get(f"/people/{given.person_id}/"))
    assert "Ann Doe Has not come yet: the name is the one you typed." in said
    assert "Own Name" not in said + words(client.get("/people/"))
    accept(account_id=house.account.pk, person_id=given.holder_id)
    said = words(client.get(f"/people/{given.person_id}/"))
    assert "Own Name Has come and shows their own name." in said
    assert "The name is their own: only this person can change it." in said
    assert "Own Name" in words(client.get("/people/"))


def test_the_page_of_a_person_tells_seats_dates_and_mails(house):
    course = make_course("EXCEL1", fullname="Excel")
    given = give(house.account, course, "ann@x.org")
    OutboxMail.objects.update(state=OutboxMail.State.FAILED)
    client = house.browser()
    said = words(client.get(f"/people/{given.person_id}/"))
    assert f"Excel Participant · Seats {given.seat.reference} given since" in said
    assert "could not be sent" in said
    assert "the mail could not be sent" in words(client.get("/people/"))


def test_the_list_takes_the_same_number_of_queries_for_ten_and_for_a_thousand_people():
    counts = []
    for number in (10, 1000):
        house = House()
        make_pool(house.account, number)
        apply(plan_list(house.account, make_course(), *(f"p{n}@x.org" for n in range(number))))
        client = house.browser(Role.OWNER)
        client.get("/people/")
        with CaptureQueriesContext(connection) as asked:
            page = client.get("/people/")
        assert page.context["page"].paginator.num_pages == max(1, number // 50)
        counts.append(len(asked))
    assert counts == [9, 9]


def test_an_empty_page_teaches(house):
    assert "Nobody yet. Whoever is given a seat appears here" in words(house.browser().get("/people/"))


# --- names ---------------------------------------------------------------------------------------------


def test_a_manager_corrects_the_name_he_typed(house):
    given = give(house.account, make_course(), "ann@x.org")
    data = {"first_name": "Anne", "last_name": "Dough"}
    page = house.browser().post(f"/people/{given.person_id}/name/", data, follow=True)
    assert "The name is saved." in words(page)
    delegation = Delegation.objects.get(account=house.account)
    assert (delegation.first_name, delegation.last_name) == ("Anne", "Dough")


def test_the_name_of_somebody_who_has_come_is_not_touched_and_the_reason_is_said(house):
    given = give(house.account, make_course(), "ann@x.org")
    accept(account_id=house.account.pk, person_id=given.holder_id)
    before = everything()
    page = house.browser().post(f"/people/{given.person_id}/name/", {"first_name": "X", "last_name": "Y"})
    assert page.status_code == 409
    assert everything() == before
    assert "The name is their own: only this person can change it." in page.content.decode()


def test_a_name_that_is_too_long_is_said_beside_its_field(house):
    given = give(house.account, make_course(), "ann@x.org")
    before = everything()
    page = house.browser().post(f"/people/{given.person_id}/name/", {"first_name": "x" * 151})
    assert "first_name" in page.context["form"].errors
    assert everything() == before


# --- no longer one of my people --------------------------------------------------------------------------


def test_somebody_who_has_a_seat_stays_one_of_my_people(house):
    given = give(house.account, make_course(), "ann@x.org")
    before = everything()
    client = house.browser()
    assert "This person has a seat of yours: take it back first" in words(
        client.get(f"/people/{given.person_id}/")
    )
    page = client.post(f"/people/{given.person_id}/end/", follow=True)
    assert "This person still has a seat of yours: take it back first. Nothing was changed." in words(page)
    assert everything() == before


def test_somebody_whose_seat_was_taken_back_is_removed_from_my_people(house):
    given = give(house.account, make_course(), "ann@x.org")
    client = house.browser()
    client.post(f"/seats/{given.seat.reference}/release/")
    assert Delegation.objects.filter(account=house.account, ended_at=None).exists()
    page = client.post(f"/people/{given.person_id}/end/", follow=True)
    assert "Ann Doe is no longer among your people." in words(page)
    assert not Delegation.objects.filter(account=house.account, ended_at=None).exists()
    assert client.get(f"/people/{given.person_id}/").status_code == 404
    assert AuditEntry.objects.filter(verb="delegation.end").count() == 1


# --- who answers for me ------------------------------------------------------------------------------------


def test_a_person_sees_who_answers_for_him_and_ends_it(house):
    """The person sees who answers for him and can end it."""
    given = give(house.account, make_course("EXCEL1"), "ann@x.org")
    other = House()
    make_pool(other.account, 1)
    give(other.account, make_course(), "ann@x.org")
    me = browser(given.person)
    said = words(me.get("/answering/"))
    assert house.account.name in said
    assert other.account.name in said
    page = me.post(f"/answering/{house.account.pk}/end/", follow=True)
    assert f"{house.account.name} no longer answers for you." in words(page)
    assert list(Delegation.objects.filter(ended_at=None).values_list("account", flat=True)) == [
        other.account.pk
    ]
    # The places stay.
    assert Enrolment.objects.filter(person=given.person, status="active").count() == 2
    assert house.browser().get(f"/people/{given.person_id}/").status_code == 404


def test_nobody_ends_what_is_anothers(house):
    given = give(house.account, make_course(), "ann@x.org")
    before_people = make_person(password="x")
    before = everything()
    assert browser(before_people).post(f"/answering/{house.account.pk}/end/").status_code == 404
    assert browser().post(f"/answering/{house.account.pk}/end/").status_code == 302
    assert browser(given.person).get(f"/answering/{house.account.pk}/end/").status_code == 405
    assert browser(given.person).post("/answering/99999999999999999999999/end/").status_code == 404
    assert everything() == before


def test_without_anybody_the_page_says_so(house):
    assert "No organisation answers for you." in words(browser(make_person()).get("/answering/"))


# --- who may ---------------------------------------------------------------------------------------------------


PATHS = {"list": "/people/", "person": "/people/{}/"}
ACTIONS = {"name": "/people/{}/name/", "end": "/people/{}/end/"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_strangers_and_other_organisations_find_nobody(house, method):
    given = give(house.account, make_course(), "ann@x.org")
    other = House()
    clients = [other.browser(Role.OWNER), other.browser(Role.MANAGER), browser(make_person(password="x"))]
    before = everything()
    for client in clients:
        for path in [PATHS["person"], *ACTIONS.values()]:
            wrong = (method not in {"GET", "HEAD"}) if path == PATHS["person"] else method != "POST"
            answer = client.generic(method, path.format(given.person_id))
            # A person without any organisation finds nothing at all.
            assert answer.status_code in ({405, 404} if wrong else {404}), path
    assert everything() == before


@pytest.mark.parametrize("role", list(Role))
def test_roles(house, role):
    given = give(house.account, make_course(), "ann@x.org")
    client = house.browser(role)
    before = everything()
    for path in PATHS.values():
        assert client.get(path.format(given.person_id)).status_code == (403 if role is Role.BUYER else 200)
    if role in (Role.VIEWER, Role.BUYER):
        for path in ACTIONS.values():
            assert client.post(path.format(given.person_id), {"first_name": "X"}).status_code == 403
    assert everything() == before


def test_a_viewer_sees_no_way_to_change(house):
    given = give(house.account, make_course(), "ann@x.org")
    source = house.browser(Role.VIEWER).get(f"/people/{given.person_id}/").content.decode()
    assert "/name/" not in source
    assert "/end/" not in source


def test_numbers_beyond_the_database_are_nobody(house):
    assert house.browser().get("/people/99999999999999999999999/").status_code == 404
