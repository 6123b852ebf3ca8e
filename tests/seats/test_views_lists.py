"""A list that was said yes to: its progress, what came of it, and dropping one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from common.audit import OPERATOR
from common.listing import from_rows, read_list
from common.models import Job, OutboxMail
from courses.models import Course
from seats.models import Assignment, AssignmentBatch, AssignmentRow
from seats.services import start_apply
from tests.accounts.factories import make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import apply, make_pool, people, plan_list, references
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


# --- applying -------------------------------------------------------------------------------------------------


def test_giving_shows_the_result_with_outcomes_mails_and_seats(
    house, course, django_capture_on_commit_callbacks
):
    batch = mixed(house, course)
    client = house.browser()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/seats/lists/{batch.pk}/apply/")
    assert answer["Location"] == f"/seats/lists/{batch.pk}/"
    page = client.get(answer["Location"])
    said = words(page)
    assert "9 seats given" in said
    assert "Each of these people gets a private mail." in said
    assert "1 person was enrolled already, 1 row stood twice in the list, 1 row has no seat." in said
    assert "12 bought · 0 in use · 9 invited · 3 free" in said
    first = Assignment.objects.get(email="p1@x.org")
    assert f"P1 Doe p1@x.org Seat given sent {first.seat.reference}" in said
    assert "P4@X.ORG Twice in the list The same address is on row 4: it counts once." in said
    assert page.context["chips"] == [
        ("", "All", 12), ("assigned", "Seat given", 9), ("unchanged", "Nothing to do", 2), ("refused", "No seat given", 1),
    ]  # fmt: skip
    # The outcome is kept.
    assert words(client.get(answer["Location"])) == said


def test_mail_delivery_is_a_column_of_its_own(house, course):
    batch = plan_list(house.account, course, "ann@x.org", "bob@x.org", "cid@x.org")
    apply(batch)
    OutboxMail.objects.filter(to="ann@x.org").update(state=OutboxMail.State.FAILED)
    OutboxMail.objects.filter(to="bob@x.org").update(state=OutboxMail.State.SENT)
    said = words(house.browser().get(f"/seats/lists/{batch.pk}/"))
    assert "Ann Doe ann@x.org Seat given could not be sent" in said
    assert "Bob Doe bob@x.org Seat given sent" in said
    assert "Cid Doe cid@x.org Seat given leaves soon" in said


def test_submitting_twice_is_one_job(house, course, django_capture_on_commit_callbacks):
    batch = mixed(house, course)
    client = house.browser()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/seats/lists/{batch.pk}/apply/")
        client.post(f"/seats/lists/{batch.pk}/apply/")
    after = everything()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/seats/lists/{batch.pk}/apply/").status_code == 302
    assert everything() == after
    assert Job.objects.count() == 1
    assert Assignment.objects.count() == 9


def test_where_it_came_differently_from_the_review_the_page_says_so(house, course):
    batch = plan_list(house.account, course, "ann@x.org", "bob@x.org")
    make_enrolment(course, make_person(email="ann@x.org"))
    apply(batch)
    said = words(house.browser().get(f"/seats/lists/{batch.pk}/"))
    assert "For 1 person it came differently from what the review said" in said
    assert (
        "Already enrolled in this course, with no end date: no seat is used. The review said: Will be invited"
        in said
    )
    assert said.count("The review said:") == 1


def test_somebody_who_became_known_meanwhile_is_no_difference(house, course):
    batch = plan_list(house.account, course, "ann@x.org")
    make_person(email="ann@x.org")
    apply(batch)
    assert AssignmentRow.objects.get().verdict == "existing_account"
    assert "The review said" not in words(house.browser().get(f"/seats/lists/{batch.pk}/"))


def test_the_rows_without_a_seat_are_saved_with_the_reason_and_read_again_as_they_are(house):
    course = make_course()
    make_pool(house.account, 1)
    listed = from_rows(
        [
            {"email": "ann@x.org", "firstname": "Ann"},
            {"email": "bob@x.org", "firstname": "=cmd()", "lastname": "Roe", "role": "tutor"},
            {"email": "cid@@x.org", "lastname": "Élan"},
        ]
    )
    batch = plan_list(house.account, course, listed=listed)
    apply(batch)
    for language in ("fr", "en"):
        saved = house.browser(Role.VIEWER).get(
            f"/seats/lists/{batch.pk}/refused.csv", headers={"accept-language": language}
        )
        assert saved["Content-Type"] == "text/csv; charset=utf-8"
        assert saved.content.startswith(b"\xef\xbb\xbf")
        assert "'=cmd()" in saved.content.decode()
        again = read_list(saved.content)
        assert [(row.email, row.firstname, row.lastname, row.role) for row in again.rows] == [
            ("bob@x.org", "=cmd()", "Roe", "tutor"),
            ("cid@@x.org", "", "Élan", "learner"),
        ]
        assert len(again.ignored_columns) == 1
    text = saved.content.decode("utf-8-sig").splitlines()
    assert text[0] == "e-mail,first name,last name,role,reason"
    assert text[1] == "bob@x.org,'=cmd(),Roe,tutor,There is no free seat left for this person."
    assert text[2] == "cid@@x.org,,Élan,learner,There is more than one @ here: give one address per person."


# --- progress -------------------------------------------------------------------------------------------------


def test_while_it_is_applied_the_page_shows_true_progress_and_may_be_left(house, course):
    batch = plan_list(house.account, course, "ann@x.org", "bob@x.org")
    job = start_apply(batch_id=batch.pk, actor=OPERATOR)
    Job.objects.filter(pk=job.pk).update(done=1)
    client = house.browser(Role.VIEWER)
    page = client.get(f"/seats/lists/{batch.pk}/")
    said = words(page)
    assert "Seats are being given" in said
    assert "1 / 2 · 50%" in said
    assert "You may leave this page" in said
    assert f'hx-get="/seats/lists/{batch.pk}/progress/?told=2" hx-trigger="every 2s"' in page.content.decode()
    assert 'role="status"' in page.content.decode()
    part = client.get(f"/seats/lists/{batch.pk}/progress/?told=2")
    assert "<html" not in part.content.decode()
    assert 'value="1"' in part.content.decode()
    # Told again only when another quarter is done.
    assert "hx-swap-oob" not in part.content.decode()
    assert "hx-swap-oob" in client.get(f"/seats/lists/{batch.pk}/progress/?told=0").content.decode()


def test_when_it_is_done_the_page_loads_anew(house, course):
    batch = plan_list(house.account, course, "ann@x.org")
    apply(batch)
    part = house.browser().get(f"/seats/lists/{batch.pk}/progress/")
    assert part["HX-Refresh"] == "true"


def test_work_that_has_stopped_says_so(house, course):
    batch = plan_list(house.account, course, "ann@x.org")
    job = start_apply(batch_id=batch.pk, actor=OPERATOR)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED)
    page = house.browser().get(f"/seats/lists/{batch.pk}/")
    assert "The work has stopped after 0 of 1 people. What was given stays given." in words(page)
    assert "hx-get" not in page.content.decode()


def test_a_list_that_is_being_checked_shows_it(house, course):
    batch = plan_list(house.account, course, "ann@x.org")
    AssignmentBatch.objects.filter(pk=batch.pk).update(state=State.PLANNING)
    said = words(house.browser().get(f"/seats/lists/{batch.pk}/"))
    assert "The list is being checked" in said
    assert "The work is about to begin." in said
    answer = house.browser().post(f"/seats/lists/{batch.pk}/apply/", follow=True)
    assert "This list is still being checked." in answer.content.decode()


# --- dropping -------------------------------------------------------------------------------------------------


def test_a_list_is_dropped_with_its_addresses(house, course):
    batch = mixed(house, course)
    client = house.browser()
    answer = client.post(f"/seats/lists/{batch.pk}/discard/", follow=True)
    assert "The list is dropped. No seat was given." in words(answer)
    assert not AssignmentRow.objects.exists()
    said = words(client.get(f"/seats/lists/{batch.pk}/"))
    assert "This list is dropped" in said
    assert "Enter another list" in said


def test_an_applied_list_is_not_dropped(house, course):
    batch = plan_list(house.account, course, "ann@x.org")
    apply(batch)
    before = everything()
    client = house.browser()
    answer = client.post(f"/seats/lists/{batch.pk}/discard/", follow=True)
    assert "This list has been applied: take back its seats one by one." in words(answer)
    for action in ("pool", "correct"):
        client.post(f"/seats/lists/{batch.pk}/{action}/", {"pool": "", "email-1": "b@x.org"})
    assert everything() == before


def test_a_viewer_reads_the_review_without_any_way_to_change_it(house, course):
    batch = mixed(house, course)
    page = house.browser(Role.VIEWER).get(f"/seats/lists/{batch.pk}/")
    assert "A manager or an owner of your organisation says yes to it." in words(page)
    source = page.content.decode()
    assert "apply/" not in source
    assert 'name="email-12"' not in source
    assert "There is more than one @ here: give one address per person." in words(page)


def test_a_list_of_another_of_ones_organisations_is_shown_with_its_owner(house, course):
    other = House()
    pool = make_pool(other.account, 2)
    batch = plan_list(other.account, course, listed=people("ann@x.org"))
    both = house.members[Role.MANAGER]
    both.pk, both.account, both.role = None, other.account, Role.VIEWER
    both.save()
    page = house.browser().get(f"/seats/lists/{batch.pk}/")
    said = words(page)
    assert f"This belongs to {other.account.name}; you are working for {house.account.name}." in said
    # The role there counts, not the one here.
    assert "Give 1 seat" not in said
    assert house.browser().post(f"/seats/lists/{batch.pk}/apply/").status_code == 403
    assert references(pool)
