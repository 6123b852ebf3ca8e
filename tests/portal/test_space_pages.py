"""The page of a course space: who gets there, what it shows, backups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from common.audit import OPERATOR
from common.zone import format_until
from courses.models import Backup, Course, CourseSpace, Enrolment, Page
from courses.services import expire_spaces, extend_space, make_backup, withdraw_space
from delegation.services import Delegated, delegate
from tests.accounts.factories import make_account, make_member, make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_enrolment, make_space

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def url(space: CourseSpace, name: str = "space", *more: Any) -> str:
    return reverse(f"portal:{name}", args=[space.reference, *more])


def make_own_space() -> CourseSpace:
    """A space of an organisation, owned by its buyer."""
    account = make_account(name="Ateliers Réunis")
    owner = make_member(Role.BUYER, account=account).person
    course = make_course("MINE", pages=2, is_space=True, fullname="Our own course")
    return make_space(course, account=account, owner=owner, max_participants=3)


@pytest.fixture
def space() -> CourseSpace:
    return make_own_space()


@pytest.fixture
def owner(space: CourseSpace) -> Client:
    return browser(space.owner)


def manager(space: CourseSpace, role: Role = Role.MANAGER) -> Client:
    return browser(make_member(role, account=space.account).person)


def put(space: CourseSpace, email: str = "lea@example.org", **fields: Any) -> Enrolment:
    """Somebody the organisation has put into the course."""
    person = make_person(email=email, first_name="Own", last_name="Name")
    entry = Delegated(person.pk, True, email, "Typed", "Name")
    delegate(account_id=space.account_id, entries=[entry])
    return make_enrolment(space.course, person, **({"opened_at": None} | fields))


# --- who gets there ----------------------------------------------------------------------------------


def addresses(space: CourseSpace) -> list[tuple[str, str]]:
    backup = space.course.backups.first() or make_backup(
        course_id=space.course_id, with_users=True, actor=OPERATOR
    )
    person = space.course.enrolments.exclude(person=space.owner).values_list("person", flat=True).first() or 0
    return [
        ("get", url(space)),
        ("get", url(space, "space_add")),
        ("post", url(space, "space_add")),
        ("post", url(space, "space_out", person)),
        ("post", url(space, "space_in", person)),
        ("post", url(space, "space_backups")),
        ("get", url(space, "space_backup", backup.pk)),
        ("get", url(space, "space_restore", backup.pk)),
        ("post", url(space, "space_restore", backup.pk)),
        ("get", url(space, "space_delete_backup", backup.pk)),
        ("post", url(space, "space_delete_backup", backup.pk)),
    ]


def state() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Enrolment, Page, Backup, CourseSpace, Course)
    ]


def answers(client: Client, space: CourseSpace) -> set[int]:
    return {getattr(client, method)(address).status_code for method, address in addresses(space)}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BUYER])
def test_a_member_without_the_right_gets_403_everywhere_and_nothing_is_changed(
    space: CourseSpace, role: Role
) -> None:
    put(space)
    addresses(space)
    before = state()
    assert answers(manager(space, role), space) == {403}
    assert state() == before


@pytest.mark.parametrize("kind", ["stranger", "owner of another", "participant", "teacher", "staff"])
def test_a_stranger_to_the_organisation_gets_404_everywhere_and_nothing_is_changed(
    space: CourseSpace, kind: str
) -> None:
    put(space)
    if kind == "owner of another":
        person = make_space(owner=make_member().person).owner
    elif kind == "staff":
        person = make_person(is_staff=True, is_superuser=True)
    else:
        person = make_person()
        if kind != "stranger":
            role = "student" if kind == "participant" else "editingteacher"
            make_enrolment(space.course, person, role=role)
    addresses(space)
    before = state()
    assert answers(browser(person), space) == {404}
    assert state() == before


def test_who_is_not_signed_in_is_asked_who_he_is(space: CourseSpace) -> None:
    assert answers(browser(), space) == {302}


def test_an_owner_of_the_course_who_left_the_organisation_no_longer_acts_for_it(
    space: CourseSpace, owner: Client
) -> None:
    space.owner.memberships.all().delete()
    assert answers(owner, space) == {404}


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_owners_and_managers_of_the_organisation_get_there(space: CourseSpace, role: Role) -> None:
    assert manager(space, role).get(url(space)).status_code == 200


@pytest.mark.parametrize("typed", ["lower", "no dashes"])
def test_a_reference_is_found_however_it_is_typed(space: CourseSpace, owner: Client, typed: str) -> None:
    reference = space.reference.lower() if typed == "lower" else space.reference.replace("-", "")
    assert owner.get(f"/spaces/{reference}/").status_code == 200


# --- what it shows -----------------------------------------------------------------------------------


def test_it_says_until_when_and_what_it_is(space: CourseSpace, owner: Client) -> None:
    page = text_of(owner.get(url(space)))
    for words in (
        "Our own course",
        space.reference,
        "MINE",
        space.owner.email,
        "CMD-2027-000001",
        "3 places left of 3.",
        "open",
    ):
        assert words in page
    assert reverse("portal:pages", args=["MINE"]) in page


def test_a_manager_who_does_not_teach_is_offered_no_editing(space: CourseSpace) -> None:
    page = text_of(manager(space).get(url(space)))
    assert reverse("portal:pages", args=["MINE"]) not in page
    assert url(space, "space_add") in page


def test_its_end_and_its_withdrawal_are_said_and_nothing_is_offered(
    space: CourseSpace, owner: Client
) -> None:
    CourseSpace.objects.filter(pk=space.pk).update(starts_at=timezone.now() - 9 * DAY, ends_at=timezone.now())
    expire_spaces(now=timezone.now())
    page = text_of(owner.get(url(space)))
    assert "The time of this space was over on" in page
    for name in ("space_add", "space_backups"):
        assert f'"{url(space, name)}"' not in page
    assert reverse("portal:pages", args=["MINE"]) not in page
    extend_space(reference=space.reference, until=timezone.now() + DAY, actor=OPERATOR)
    assert url(space, "space_add") in text_of(owner.get(url(space)))
    withdraw_space(reference=space.reference, actor=OPERATOR, why="a word among ourselves")
    page = text_of(owner.get(url(space)))
    assert "This space was withdrawn" in page
    assert "a word among ourselves" not in page


def test_what_happened_is_told_in_words(space: CourseSpace, owner: Client) -> None:
    until = timezone.now().replace(year=2028, month=8, day=1, hour=0, minute=0, second=0, microsecond=0)
    extend_space(reference=space.reference, until=until, actor=OPERATOR)
    assert "Extended until" in text_of(owner.get(url(space)))
    assert "the shop" in text_of(owner.get(url(space)))


def test_people_are_named_as_the_organisation_typed_them_until_they_come(
    space: CourseSpace, owner: Client
) -> None:
    put(space)
    page = text_of(owner.get(url(space)))
    assert "Typed Name" in page
    assert "Own Name" not in page
    assert "has not come yet" in page


def test_once_somebody_has_opened_the_course_his_own_name_shows(space: CourseSpace, owner: Client) -> None:
    row = put(space)
    assert browser(row.person).get("/learn/MINE/").status_code == 200
    page = text_of(owner.get(url(space)))
    assert "Own Name" in page
    assert "opened on" in page


def test_whom_the_organisation_does_not_answer_for_is_not_named_before_he_comes(
    space: CourseSpace, owner: Client
) -> None:
    person = make_person(email="secret@example.org", first_name="Secret", last_name="Person")
    row = make_enrolment(space.course, person, opened_at=None)
    page = text_of(owner.get(url(space)))
    assert "secret@example.org" not in page
    assert "Secret Person" not in page
    assert "Somebody who has not come yet" in page
    Enrolment.objects.filter(pk=row.pk).update(opened_at=timezone.now())
    page = text_of(owner.get(url(space)))
    assert "Secret Person" in page
    assert "secret@example.org" not in page


def test_places_are_counted_by_learners(space: CourseSpace, owner: Client) -> None:
    put(space)
    put(space, "tutor@example.org", role="teacher")
    put(space, "out@example.org", status="suspended")
    assert "2 places left of 3." in text_of(owner.get(url(space)))
    put(space, "b@example.org")
    put(space, "c@example.org")
    page = text_of(owner.get(url(space)))
    assert "All 3 places are taken." in page
    assert f'class="button button--primary" href="{url(space, "space_add")}"' not in page


def queries(space: CourseSpace, client: Client) -> int:
    client.get(url(space))
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url(space)).status_code == 200
    return len(captured)


def test_the_page_takes_as_many_queries_for_forty_people_as_for_one(
    space: CourseSpace, owner: Client
) -> None:
    CourseSpace.objects.filter(pk=space.pk).update(max_participants=200)
    put(space)
    few = queries(space, owner)
    for number in range(40):
        put(space, f"p{number}@example.org")
        make_backup(course_id=space.course_id, with_users=False, actor=OPERATOR)
    assert queries(space, owner) == few


# --- the ways to it ----------------------------------------------------------------------------------


def test_the_owner_finds_it_from_his_course_and_others_do_not(space: CourseSpace, owner: Client) -> None:
    row = put(space)
    assert url(space) in text_of(owner.get("/learn/MINE/"))
    assert url(space) not in text_of(browser(row.person).get("/learn/MINE/"))


def test_when_it_is_over_the_course_says_so_and_leads_the_owner_to_it(
    space: CourseSpace, owner: Client
) -> None:
    row = put(space)
    expire_spaces(now=space.ends_at)
    closed = owner.get("/learn/MINE/")
    assert (closed.status_code, url(space) in text_of(closed)) == (403, True)
    closed = browser(row.person).get("/learn/MINE/")
    assert (closed.status_code, url(space) in text_of(closed)) == (403, False)
    assert "Ateliers Réunis gave you this place" in text_of(closed)


def test_everybody_in_the_course_reads_until_when_it_is_open(space: CourseSpace, owner: Client) -> None:
    row = put(space, ends_at=None)
    until = format_until(space.ends_at, "en")
    for client in (owner, browser(row.person)):
        assert f"Open to you {until}" in text_of(client.get("/learn/MINE/"))
        assert f"U{until[1:]}" in text_of(client.get("/learn/"))
    sooner = timezone.now() + DAY
    Enrolment.objects.filter(pk=row.pk).update(ends_at=sooner)
    page = text_of(browser(row.person).get("/learn/MINE/"))
    assert f"Open to you {format_until(sooner, 'en')}" in page
