"""The pages of an organisation that has bought a session: its seats, its list of people, its products."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Role
from seats.models import AssignmentBatch, Seat, SeatPool, Session
from seats.selectors import covered_courses, pool_counts
from seats.services import set_up_session
from seats.services.locking import touch_account
from seats.views.overview import covered_names
from tests.accounts.factories import make_account, make_member, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import make_pool
from tests.seats.sessions import ordered

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """A manager of an organisation with a session for three, one of whom was enrolled already."""
    member = make_member(Role.MANAGER)
    course = make_course("SPOC")
    make_enrolment(course, make_person(email="eve@x.org"))
    order = ordered(
        course,
        "ada@x.org",
        "eve@x.org",
        "tom@x.org tutor",
        account=member.account,
        bill_number="CMD-2026-000042",
    )
    set_up_session(order)
    client = Client(headers={"accept-language": "en"})
    client.force_login(member.person)
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return str(response.content.decode())


def test_my_seats_shows_them_and_offers_the_free_one_for_its_course(client):
    text = page(client, "/seats/?course=SPOC")
    assert "ada@x.org" in text
    assert "tom@x.org" in text


def test_the_list_of_its_people_tells_who_needed_no_seat(client):
    text = page(client, f"/seats/lists/{AssignmentBatch.objects.get().pk}/")
    assert "Already enrolled in this course, with no end date: no seat is used." in text


@pytest.mark.parametrize("ordinal", [1, 2])
def test_each_seat_has_its_page(client, ordinal: int):
    reference = Seat.objects.get(ordinal=ordinal).reference
    assert reference in page(client, f"/seats/{reference}/")


def test_my_products_names_the_session(client):
    assert Session.objects.get().reference in page(client, "/products/")


def test_the_list_of_a_session_that_is_being_set_up_can_be_looked_at(client):
    AssignmentBatch.objects.update(state="applying", applied_at=None)
    page(client, f"/seats/lists/{AssignmentBatch.objects.get().pk}/")


def test_seats_of_a_session_are_for_its_course_alone_whatever_its_short_name_means_in_a_list():
    account = make_account()
    starred, other = make_course("AB*", fullname="Starred"), make_course("ABC", fullname="Another")
    pool = make_pool(account, 1, courselist="AB*")
    SeatPool.objects.filter(pk=pool.pk).update(course=starred)
    pools = pool_counts(account.pk)
    assert covered_names(pools, covered_courses(pools)) == {pool.pk: ["Starred"]}
    touch_account(account.pk)
    SeatPool.objects.filter(pk=pool.pk).update(course=None)
    pools = pool_counts(account.pk)
    assert covered_names(pools, covered_courses(pools)) == {pool.pk: [other.fullname, "Starred"]}
