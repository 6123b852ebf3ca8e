"""One seat: its history, and changing one's mind about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from common.audit import OPERATOR, Actor
from common.models import OutboxMail
from courses.models import Course, Enrolment
from seats.models import Assignment, Seat
from seats.services import record_opening, release, replace
from seats.services.resending import PAUSE
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import apply, give, make_pool, plan_list, references
from tests.seats.pages import House, everything, plain, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def course() -> Course:
    return make_course("EXCEL1", fullname="Excel")


@pytest.fixture
def given(house: House, course: Course) -> Assignment:
    make_pool(house.account, 2, bill_number="CMD-1")
    return give(house.account, course, "ann@x.org", Actor.person(house.members[Role.MANAGER].person_id))


def url(given: Assignment, action: str = "") -> str:
    return f"/seats/{given.seat.reference}/{action}"


def opened(given: Assignment) -> None:
    record_opening(person_id=given.holder_id, course_id=given.course_id)


def test_the_page_says_who_sits_there_and_what_happened(house, given):
    said = words(house.browser().get(url(given)))
    manager = house.members[Role.MANAGER].person.name
    assert "The seat of Ann Doe given · has not opened the course yet" in said
    assert f"Reference {given.seat.reference}" in said
    assert "Person Ann Doe ann@x.org Course Excel Participant · group CMD-1" in said
    assert "Access Without an end date Mails leaves soon" in said
    assert "Given to Ann Doe in “Excel” · ann@x.org" in said
    assert f"· {manager} The seat was bought." in said


def test_a_reference_may_be_typed_in_any_way(house, given):
    typed = given.seat.reference.lower()
    assert house.browser().get(f"/seats/{typed}/")["Location"] == url(given)
    assert house.browser().get(f"/seats/{typed.replace('-', '')}/")["Location"] == url(given)
    assert house.browser().get("/seats/XXXX-XXXX-XXXX-XXXX/").status_code == 404


def test_history_tells_every_step_and_who_did_it(house, given):
    manager = Actor.person(house.members[Role.MANAGER].person_id)
    reference = given.seat.reference
    replace(reference=reference, account_id=None, email="bob@x.org", first_name="Bob", actor=manager)
    release(reference=reference, account_id=None, actor=OPERATOR)
    name = house.members[Role.MANAGER].person.name
    said = words(house.browser(Role.VIEWER).get(url(given)))
    story = said.partition("What happened ")[2]
    steps = [
        "Taken back from Bob",
        "Given to Bob",
        "Ann Doe was replaced",
        "Given to Ann Doe",
        "The seat was bought.",
    ]
    places = [story.index(step) for step in steps]
    assert places == sorted(places)
    assert "· the shop" in story
    assert story.count(f"· {name}") == 3


def test_somebody_who_has_left_the_team_is_not_named(house, given):
    member = house.members[Role.MANAGER]
    name = member.person.name
    member.delete()
    said = words(house.browser(Role.OWNER).get(url(given)))
    assert "somebody who has left your team" in said
    assert name not in said


# --- take back, and undo -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_taking_back_is_not_asked_about_twice_and_can_be_undone(house, given):
    client = house.browser()
    page = client.post(url(given, "release/"), follow=True)
    said = words(page)
    assert "The seat of Ann Doe is free again." in said
    assert "Give it to Ann Doe again" in said
    assert not Enrolment.objects.filter(person=given.person, status="active").exists()
    page = client.post(url(given, "again/"), follow=True)
    assert "Ann Doe has a seat again." in words(page)
    again = Assignment.objects.get(ended_at=None)
    assert (again.person_id, again.course_id, again.first_name) == (given.person_id, given.course_id, "Ann")
    assert again.seat.pool_id == given.seat.pool_id
    assert page.redirect_chain[-1][0] == url(again)


@pytest.mark.django_db(transaction=True)
def test_in_the_list_taking_back_leads_back_to_the_list_with_the_undo(house, given):
    client = house.browser()
    here = "/seats/all/?state=assigned"
    source = client.get(here).content.decode()
    assert f'formaction="{url(given, "release/")}"' in source
    answer = client.post(url(given, "release/"), {"next": here})
    assert answer["Location"] == here
    said = words(client.get(here))
    assert "The seat of Ann Doe in “Excel” is free again. Give it to Ann Doe again" in said
    # It is offered once; the page of the seat keeps offering it.
    assert "Give it to Ann Doe again" not in words(client.get(here))
    assert "Give it to Ann Doe again" in words(client.get(url(given)))
    answer = client.post(url(given, "again/"), {"next": here})
    assert answer["Location"] == here
    assert Assignment.objects.filter(ended_at=None, email="ann@x.org").count() == 1


def test_next_never_leads_to_another_site(house, given):
    answer = house.browser().post(url(given, "release/"), {"next": "https://evil.example/"})
    assert answer["Location"] == url(given)


@pytest.mark.django_db(transaction=True)
def test_there_is_nothing_to_undo_when_somebody_else_has_the_seat(house, course, given):
    client = house.browser()
    client.post(url(given, "release/"))
    apply(plan_list(house.account, course, "bob@x.org"))
    before = everything()
    page = client.post(url(given, "again/"), follow=True)
    assert "This seat can no longer be given back. Nothing was changed." in words(page)
    assert everything() == before


@pytest.mark.django_db(transaction=True)
def test_undoing_leads_to_the_list_when_it_can_no_longer_be_done(house, course, given):
    client = house.browser()
    client.post(url(given, "release/"))
    Enrolment.objects.filter(person=given.person).update(status="active", ends_at=None)
    page = client.post(url(given, "again/"), follow=True)
    assert "Already enrolled in this course, with no end date: no seat is used." in words(page)
    assert Seat.objects.filter(assignments__ended_at=None, assignments__isnull=False).count() == 0


# --- when it is too late -----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["release", "resend", "replace", "correct"])
def test_a_started_seat_says_since_when_and_no_action_changes_it(house, given, action):
    opened(given)
    day = timezone.localtime(timezone.now())
    client = house.browser()
    page = client.get(url(given))
    assert "This seat was started on" in words(page)
    assert "it can no longer change hands." in words(page)
    assert "Take back" not in words(page)
    before = everything()
    data = {"replace-email": "bob@x.org", "correct-email": "bob@x.org"}
    refused = client.post(url(given, f"{action}/"), data)
    assert refused.status_code == 409
    assert everything() == before
    assert str(day.year) in plain(refused.content.decode())


def test_a_course_opened_a_moment_ago_is_noticed_when_the_seat_is_taken_back(house, given):
    """The participant opened the course while the manager looked at the page (read again at that moment)."""
    Enrolment.objects.filter(person=given.person).update(opened_at=timezone.now())
    refused = house.browser().post(url(given, "release/"))
    assert refused.status_code == 409
    assert Assignment.objects.get().ended_at is None
    assert "This seat was started on" in plain(refused.content.decode())


@pytest.mark.parametrize("state", ["expired", "withdrawn", "free"])
def test_an_ended_or_free_seat_offers_no_change(house, given, state):
    if state == "free":
        path = f"/seats/{references(given.seat.pool)[1]}/"
    else:
        path = url(given)
        Seat.objects.filter(pk=given.seat_id).update(**{f"{state}_at": timezone.now()})
    client = house.browser()
    assert "Take back" not in words(client.get(path))
    before = everything()
    refused = client.post(f"{path}release/")
    assert refused.status_code == 409
    assert everything() == before


def test_the_reason_stands_beside_the_action(house, given):
    OutboxMail.objects.update(state=OutboxMail.State.SENT)
    page = house.browser().post(url(given, "resend/"))
    assert page.status_code == 409
    item = page.content.decode().partition('<li id="resend">')[2].partition("</li>")[0]
    assert "A mail was sent a few minutes ago. Wait a little before you write again." in plain(item)


def test_from_a_list_the_reason_is_told_there(house, given):
    opened(given)
    page = house.browser().post(url(given, "release/"), {"next": "/seats/all/"}, follow=True)
    assert "Ann Doe: This seat was started on" in words(page)


# --- write again, correct, replace --------------------------------------------------------------------------


def test_writing_again_queues_another_mail(house, given):
    OutboxMail.objects.update(
        state=OutboxMail.State.SENT, created_at=timezone.now() - PAUSE - timedelta(minutes=1)
    )
    page = house.browser().post(url(given, "resend/"), follow=True)
    assert "A mail is on its way to Ann Doe." in words(page)
    assert list(OutboxMail.objects.order_by("id").values_list("state", flat=True)) == ["sent", "queued"]
    assert "Mails leaves soon" in words(page)


def test_the_address_is_corrected(house, given):
    client = house.browser()
    assert 'value="ann@x.org"' in client.get(url(given)).content.decode()
    page = client.post(url(given, "correct/"), {"correct-email": "anne@x.org"}, follow=True)
    assert "The address is now anne@x.org." in words(page)
    now = Assignment.objects.get(ended_at=None)
    assert (now.seat_id, now.email, now.first_name) == (given.seat_id, "anne@x.org", "Ann")
    assert "The address of Ann Doe was corrected" in words(page)


def test_somebody_else_gets_the_seat(house, given):
    data = {"replace-email": "bob@x.org", "replace-first_name": "Bob", "replace-last_name": "Roe"}
    page = house.browser().post(url(given, "replace/"), data, follow=True)
    assert "Bob Roe has the seat in the place of Ann Doe and will be invited." in words(page)
    now = Assignment.objects.get(ended_at=None)
    assert (now.seat_id, now.email, now.last_name) == (given.seat_id, "bob@x.org", "Roe")


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("bob@@x.org", "There is more than one @ here: give one address per person."),
        ("ANN@x.org", "This is the address of the person who has the seat."),
        (
            "enrolled@x.org",
            "This person is already enrolled in the course, with no end date: no seat is needed.",
        ),
        ("", "This field is required."),
    ],
)
@pytest.mark.parametrize("action", ["replace", "correct"])
def test_a_wrong_address_is_said_beside_its_field_and_nothing_is_lost_or_changed(
    house, course, given, action, email, message
):
    enrolment = make_enrolment(course)
    enrolment.person.email = "enrolled@x.org"
    enrolment.person.save()
    before = everything()
    data = {f"{action}-email": email, "replace-first_name": "Bob", "replace-last_name": "Roe"}
    page = house.browser().post(url(given, f"{action}/"), data)
    form = page.context[f"{action}_form"]
    assert form.errors["email"] == [message]
    assert form["email"].value() == email
    source = page.content.decode()
    assert f'<li id="{action}"><details open>' in source
    assert "data-error-summary" in source
    if action == "replace":
        assert 'value="Roe"' in source
    assert everything() == before


def test_a_viewer_sees_the_seat_without_anything_to_change(house, given):
    source = house.browser(Role.VIEWER).get(url(given)).content.decode()
    assert "Ann Doe" in source
    assert "/release/" not in source
    assert "/again/" not in source
