"""People of a course space on a remote platform: wished on a page, told by a job, confirmed or said why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import Invitation, Person, Role
from common import jobs
from common.models import AuditEntry, Job
from courses.models import CourseSpace, Enrolment, PlatformLogin, SpaceChangePerson
from courses.platform import Refusal
from courses.selectors import space_line
from courses.wording import refusal_words
from delegation.models import Delegation
from tests.accounts.factories import make_member, make_person
from tests.accounts.helpers import browser, letter
from tests.courses.factories import make_course, make_enrolment, make_space
from tests.portal.elsewhere import Elsewhere, address_of, install_elsewhere
from tests.portal.test_space_people import add, answered, inside, known, mails, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Elsewhere:
    return install_elsewhere(monkeypatch, settings)


@pytest.fixture
def space(platform: Elsewhere) -> CourseSpace:
    owner = make_member(Role.OWNER)
    owner.account.name = "Ateliers Réunis"
    owner.account.save()
    course = make_course("MINE", is_space=True, fullname="Our own course")
    return make_space(course, account=owner.account, owner=owner.person, max_participants=3)


@pytest.fixture
def owner(space: CourseSpace) -> Client:
    return browser(space.owner)


def go_on() -> int:
    """Let what waits be done, whenever it is due."""
    Job.objects.filter(state=Job.State.QUEUED).update(not_before=timezone.now())
    return jobs.run_due()


def page_of(client: Client, space: CourseSpace) -> str:
    return text_of(client.get(reverse("portal:space", args=[space.reference])))


def post(client: Client, space: CourseSpace, name: str, person: Person, *, follow: bool = False) -> Any:
    return client.post(reverse(f"portal:{name}", args=[space.reference, person.pk]), follow=follow)


def ways() -> list[tuple[str, str, str]]:
    rows = SpaceChangePerson.objects.order_by("email", "pk")
    return list(rows.values_list("email", "state", "code"))


# --- who was enrolled there by others --------------------------------------------------------------------


def test_more_learners_than_places_are_told_calmly_and_only_while_the_space_is_open(
    space: CourseSpace, owner: Client, settings: Any
) -> None:
    said = (
        "At the last count 5 people were learning in this course, which has 3 places: some were enrolled on the course "
        "platform itself, and nobody is taken out."
    )
    for found in (None, 3):
        CourseSpace.objects.update(learners_found=found)
        assert "At the last count" not in page_of(owner, space)
    CourseSpace.objects.update(learners_found=5)
    assert said in page_of(owner, space)
    CourseSpace.objects.update(max_participants=1)
    assert "5 people were learning in this course, which has 1 place: some" in page_of(owner, space)
    far, settings.COURSE_PLATFORM = settings.COURSE_PLATFORM, "builtin"
    assert "At the last count" not in page_of(owner, space)
    settings.COURSE_PLATFORM = far
    CourseSpace.objects.update(withdrawn_at=timezone.now())
    assert "At the last count" not in page_of(owner, space)


# --- putting people in -----------------------------------------------------------------------------------


def test_a_list_is_on_its_way_until_the_platform_has_confirmed_it(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    response = add(owner, space, "Léa Martin <lea@example.org>", follow=True)
    page = text_of(response)
    assert "1 person is on the way into the course, and receives a mail once it is done." in page
    assert "Léa Martin" in page
    assert "is being put into the course" in page
    assert platform.calls == []
    assert (inside(space), mails(), answered(space)) == ({}, [], [])
    assert space_line(space).places_left == 2
    assert go_on() == 1
    assert inside(space) == {"lea@example.org": ("student", "active")}
    assert mails() == [("space_invitation", "lea@example.org")]
    delegation = Delegation.objects.get()
    assert (delegation.first_name, delegation.last_name, delegation.created_login) == ("Léa", "Martin", True)
    assert space_line(space).places_left == 2
    assert "on the way" not in page_of(owner, space)
    entry = AuditEntry.objects.get(verb="space.people")
    assert (entry.actor, entry.counts) == (f"person:{space.owner_id}", {"put": 1, "already": 0, "refused": 0})
    assert "Your user name for the courses: lea@example.org" in letter("lea@example.org")


def test_the_part_of_the_page_that_asks_again_reads_the_page_anew_when_something_has_come_of_it(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    add(owner, space, "a@example.org b@example.org")
    address = reverse("portal:space_way", args=[space.reference])
    assert f'hx-get="{address}?left=2"' in page_of(owner, space)
    part = owner.get(address, {"left": "2"})
    assert (part.status_code, "HX-Refresh" in part) == (200, False)
    assert "2 people are on the way" in text_of(part)
    go_on()
    assert owner.get(address, {"left": "2"})["HX-Refresh"] == "true"
    assert browser(make_person()).get(address).status_code == 404


def test_whoever_somebody_else_had_enrolled_keeps_everything_and_is_named(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    there = make_enrolment(space.course, make_person(email="there@example.org"), role="editingteacher")
    before = Enrolment.objects.values().get(pk=there.pk)
    add(owner, space, "there@example.org new@example.org")
    go_on()
    assert Enrolment.objects.values().get(pk=there.pk) == before
    assert ways() == [("new@example.org", "done", ""), ("there@example.org", "already", "")]
    assert answered(space) == ["new@example.org"]
    assert mails() == [("space_invitation", "new@example.org")]
    page = page_of(owner, space)
    assert "In the course already, enrolled by somebody else: they keep what they have there." in page


def test_who_is_refused_is_named_with_the_reason_and_holds_no_place(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    platform.refuses = {"bad@example.org": "bad_address"}
    add(owner, space, "bad@example.org good@example.org")
    assert space_line(space).places_left == 1
    go_on()
    assert ways() == [("bad@example.org", "refused", "bad_address"), ("good@example.org", "done", "")]
    assert space_line(space).places_left == 2
    assert answered(space) == ["good@example.org"]
    assert mails() == [("space_invitation", "good@example.org")]
    page = page_of(owner, space)
    assert "Not done, and nothing was changed for them:" in page
    assert "bad@example.org · the course platform does not take this address" in page
    # He is told apart no longer once it has been tried again.
    platform.refuses = {}
    add(owner, space, "bad@example.org")
    assert "Not done" not in page_of(owner, space)


@pytest.mark.parametrize("code", [*Refusal, "over"])
def test_the_reason_is_said_in_words_and_never_as_the_code_it_has(
    platform: Elsewhere, space: CourseSpace, owner: Client, code: str
) -> None:
    platform.refuses = {"bad@example.org": str(code)}
    add(owner, space, "bad@example.org")
    go_on()
    page = page_of(owner, space)
    with override("en"):
        said = "the time of the course space was over" if code == "over" else refusal_words(code)
    assert said != code
    assert f"bad@example.org · {said}" in page


def test_places_are_held_from_the_moment_of_the_wish(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    add(owner, space, "a@example.org b@example.org")
    before = (ways(), Person.objects.count(), Job.objects.count())
    page = text_of(add(owner, space, "c@example.org d@example.org"))
    assert "There is only 1 place left: nobody was put into the course." in page
    assert (ways(), Person.objects.count(), Job.objects.count()) == before


def test_the_same_list_twice_is_one_wish(platform: Elsewhere, space: CourseSpace, owner: Client) -> None:
    add(owner, space, "a@example.org")
    page = text_of(add(owner, space, "A@Example.org", follow=True))
    assert "1 person was there or on the way already." in page
    assert ways() == [("a@example.org", "waiting", "")]
    go_on()
    assert mails() == [("space_invitation", "a@example.org")]


def test_the_organisations_own_people_are_marked_from_what_we_know(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    ann, ben = known(space, "ann@example.org"), known(space, "ben@example.org")
    make_enrolment(space.course, ben)
    response = add(owner, space, known="1", person=[str(ann.pk)], follow=True)
    assert "1 person is on the way" in text_of(response)
    page = text_of(owner.get(reverse("portal:space_add", args=[space.reference])))
    assert "in the course already" in page
    assert "· on the way" in page
    assert platform.calls == []


def test_whoever_had_a_login_there_gets_the_news_and_nobody_is_said_to_have_made_it(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    platform.known = {"old@example.org"}
    add(owner, space, "old@example.org")
    go_on()
    assert mails() == [("space_enrolled", "old@example.org")]
    assert Invitation.objects.count() == 0
    assert Delegation.objects.get().created_login is False
    text = letter("old@example.org")
    assert address_of(space.course) in text
    assert f"Your user name for the courses: old-{Person.objects.get(email_key='old@example.org').pk}" in text


# --- taking out, letting in ------------------------------------------------------------------------------


def test_somebody_is_taken_out_and_let_in_again_as_he_was(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    ends = timezone.now() + timedelta(days=9)
    row = make_enrolment(space.course, make_person(email="lea@example.org"), role="teacher", ends_at=ends)
    before = Enrolment.objects.values().get(pk=row.pk)
    page = text_of(post(owner, space, "space_out", row.person, follow=True))
    assert "The course platform is being told: this person is taken out of the course." in page
    assert "is being taken out of the course" in page
    assert "Take out" not in page
    assert inside(space) == {"lea@example.org": ("teacher", "active")}
    assert platform.calls == []
    go_on()
    assert inside(space) == {"lea@example.org": ("teacher", "suspended")}
    post(owner, space, "space_in", row.person)
    assert "is being let in again" in page_of(owner, space)
    go_on()
    assert Enrolment.objects.values().get(pk=row.pk) == before
    verbs = AuditEntry.objects.filter(object=f"person:{row.person_id}").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["space.take_out", "space.let_in"]


def test_the_owner_stays(platform: Elsewhere, space: CourseSpace, owner: Client) -> None:
    page = text_of(post(owner, space, "space_out", space.owner, follow=True))
    assert "The owner of the course cannot be taken out of it." in page
    assert ways() == []


@pytest.mark.parametrize("name", ["space_out", "space_in", "space_add"])
def test_while_somebody_is_on_his_way_he_is_left_alone(
    platform: Elsewhere, space: CourseSpace, owner: Client, name: str
) -> None:
    row = make_enrolment(space.course, make_person(email="lea@example.org"))
    post(owner, space, "space_out", row.person)
    if name == "space_in":
        Enrolment.objects.filter(pk=row.pk).update(status="suspended")
    before = (ways(), Job.objects.count())
    if name == "space_add":
        page = text_of(add(owner, space, "lea@example.org", follow=True))
    else:
        page = text_of(post(owner, space, name, row.person, follow=True))
    assert "The course platform is still being told about this person." in page
    assert (ways(), Job.objects.count()) == before


def test_nobody_is_let_in_without_a_place(platform: Elsewhere, space: CourseSpace, owner: Client) -> None:
    row = make_enrolment(space.course, status="suspended")
    add(owner, space, "a@example.org b@example.org c@example.org")
    page = text_of(post(owner, space, "space_in", row.person, follow=True))
    assert "The course is full" in page
    assert SpaceChangePerson.objects.filter(person=row.person).count() == 0


# --- a platform that is away, silent, or a process that dies ---------------------------------------------


def test_hours_of_absence_end_right_without_help(
    platform: Elsewhere, space: CourseSpace, owner: Client, time_machine: Any
) -> None:
    add(owner, space, "a@example.org")
    platform.is_away = True
    for _attempt in range(30):
        assert go_on() == 0
        time_machine.move_to(timezone.now() + timedelta(minutes=6))
    page = page_of(owner, space)
    assert "The course platform does not answer at the moment." in page
    assert (inside(space), mails()) == ({}, [])
    platform.is_away = False
    assert go_on() == 1
    assert inside(space) == {"a@example.org": ("student", "active")}
    assert mails() == [("space_invitation", "a@example.org")]


def test_an_answer_that_never_came_is_asked_for_again_and_mailed_once(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    add(owner, space, "a@example.org b@example.org")
    silent = Person.objects.get(email_key="a@example.org")
    platform.silent_about = {silent.pk}
    assert go_on() == 0
    assert ways() == [("a@example.org", "waiting", ""), ("b@example.org", "done", "")]
    assert mails() == [("space_invitation", "b@example.org")]
    platform.silent_about = set()
    assert go_on() == 1
    # He is in the course by our own doing: that is no enrolment of somebody else.
    assert ways() == [("a@example.org", "done", ""), ("b@example.org", "done", "")]
    assert mails() == [("space_invitation", "a@example.org"), ("space_invitation", "b@example.org")]


def test_whom_an_overtaken_worker_has_just_enrolled_was_there_by_nobody_elses_doing(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    add(owner, space, "a@example.org")
    one = SpaceChangePerson.objects.get()

    def somebody_slow_goes_on(name: str) -> None:
        if name == "active_enrolments" and not one.was_outside:
            one.was_outside = True
            one.save()
            make_enrolment(space.course, one.person, opened_at=None)

    platform.before = somebody_slow_goes_on
    assert go_on() == 0
    assert ways() == [("a@example.org", "waiting", "")]
    assert go_on() == 1
    assert ways() == [("a@example.org", "done", "")]
    assert mails() == [("space_invitation", "a@example.org")]


def test_a_space_that_ends_before_the_platform_is_told_takes_nobody(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    add(owner, space, "a@example.org")
    CourseSpace.objects.update(ends_at=timezone.now())
    go_on()
    assert ways() == [("a@example.org", "refused", "over")]
    assert (inside(space), mails(), answered(space)) == ({}, [], [])
    assert "the time of the course space was over" in page_of(owner, space)


def test_the_page_costs_as_many_statements_for_many_on_their_way(
    platform: Elsewhere, space: CourseSpace, owner: Client
) -> None:
    CourseSpace.objects.update(max_participants=None)
    address = reverse("portal:space", args=[space.reference])

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            owner.get(address)
        return len(queries)

    add(owner, space, "x@example.org")
    owner.get(address)
    few = cost()
    add(owner, space, " ".join(f"p{number}@example.org" for number in range(40)))
    assert cost() == few
    assert PlatformLogin.objects.count() == 0
