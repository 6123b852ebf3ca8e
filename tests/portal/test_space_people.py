"""Putting people into a course space: the list, the organisation's own people, places, mails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Person, Role
from common.audit import OPERATOR, SYSTEM
from common.listing import read_list
from common.models import AuditEntry, OutboxMail
from courses.models import CourseSpace, Enrolment
from courses.services import withdraw_space
from delegation.models import Delegation
from delegation.refusals import Refused
from delegation.services import Delegated, delegate
from portal.services.spaces import put_into_space
from tests.accounts.factories import make_account, make_member, make_person
from tests.accounts.helpers import browser, letter, link, use
from tests.courses.factories import make_course, make_enrolment, make_space

pytestmark = pytest.mark.django_db
EMPTY_ROWS = {"people-TOTAL_FORMS": "0", "people-INITIAL_FORMS": "0"}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def space() -> CourseSpace:
    account = make_account(name="Ateliers Réunis")
    owner = make_member(Role.OWNER, account=account).person
    course = make_course("MINE", pages=2, is_space=True, fullname="Our own course")
    return make_space(course, account=account, owner=owner, max_participants=3)


@pytest.fixture
def owner(space: CourseSpace) -> Client:
    return browser(space.owner)


def add(client: Client, space: CourseSpace, paste: str = "", *, follow: bool = False, **more: Any) -> Any:
    address = reverse("portal:space_add", args=[space.reference])
    return client.post(address, {"paste": paste, **EMPTY_ROWS, **more}, follow=follow)


def inside(space: CourseSpace) -> dict[str, tuple[str, str]]:
    rows = Enrolment.objects.filter(course=space.course_id).exclude(person=space.owner_id)
    return {
        email: (role, status) for email, role, status in rows.values_list("person__email", "role", "status")
    }


def mails() -> list[tuple[str, str]]:
    return sorted(OutboxMail.objects.values_list("kind", "to"))


def answered(space: CourseSpace) -> list[str]:
    return sorted(Delegation.objects.filter(account=space.account_id).values_list("email", flat=True))


# --- "y injecter des utilisateurs pour mener une action d'enseignement" --------------------------------


def test_the_owner_puts_new_and_known_people_into_his_course(space: CourseSpace, owner: Client) -> None:
    possessed = make_person(email="known@example.org", possessed_at=timezone.now())
    response = add(owner, space, "Léa Martin <Lea@Example.org>\nknown@example.org", follow=True)
    assert "2 people are in the course now, and receive a mail." in text_of(response)
    assert inside(space) == {
        "Lea@Example.org": ("student", "active"),
        "known@example.org": ("student", "active"),
    }
    assert mails() == [("space_enrolled", "known@example.org"), ("space_invitation", "Lea@Example.org")]
    new, old = Delegation.objects.order_by("-created_login")
    assert (new.email, new.first_name, new.created_login) == ("Lea@Example.org", "Léa", True)
    assert (old.person_id, old.created_login) == (possessed.pk, False)
    row = Enrolment.objects.get(person=possessed)
    assert row.ends_at is None


def test_people_come_as_a_file_or_typed_too_and_a_tutor_is_a_tutor(space: CourseSpace, owner: Client) -> None:
    file = SimpleUploadedFile("list.csv", b"courriel;role\na@example.org;tuteur\n")
    typed: dict[str, Any] = {
        "people-TOTAL_FORMS": "1",
        "people-INITIAL_FORMS": "0",
        "people-0-email": "b@example.org",
        "people-0-firstname": "Bo",
        "people-0-role": "learner",
    }
    assert add(owner, space, file=file, **typed).status_code == 302
    assert inside(space) == {"a@example.org": ("teacher", "active"), "b@example.org": ("student", "active")}


def test_a_manager_does_it_in_the_name_of_the_organisation(space: CourseSpace) -> None:
    manager = make_member(Role.MANAGER, account=space.account).person
    assert add(browser(manager), space, "a@example.org").status_code == 302
    entry = AuditEntry.objects.get(verb="space.people")
    assert (entry.actor, entry.scope, entry.counts) == (
        f"person:{manager.pk}",
        f"account:{space.account_id}",
        {"put": 1, "already": 0},
    )


def test_whoever_is_in_the_course_keeps_everything_he_has_there(space: CourseSpace, owner: Client) -> None:
    teacher = make_enrolment(space.course, role="editingteacher")
    before = Enrolment.objects.values().get(pk=teacher.pk)
    response = add(owner, space, f"{teacher.person.email}\n{space.owner.email}", follow=True)
    assert "2 people were in the course already: nothing was changed." in text_of(response)
    assert Enrolment.objects.values().get(pk=teacher.pk) == before
    assert mails() == []
    assert answered(space) == []


def test_the_same_list_twice_changes_nothing_the_second_time(space: CourseSpace, owner: Client) -> None:
    add(owner, space, "a@example.org b@example.org")
    before = (inside(space), mails(), answered(space), Person.objects.count())
    add(owner, space, "A@EXAMPLE.ORG\nb@example.org\na@example.org")
    assert (inside(space), mails(), answered(space), Person.objects.count()) == before


# --- their mails -------------------------------------------------------------------------------------


def test_a_newcomer_chooses_a_password_and_is_in_the_course(space: CourseSpace, owner: Client) -> None:
    add(owner, space, "lea@example.org")
    text = letter("lea@example.org")
    assert "Ateliers Réunis" in text
    assert "Our own course" in text
    assert "until" in text
    address = link(text, "/invitation/")
    client = browser()
    token = address.split("/invitation/")[1].split("/")[0]
    assert use(token, client).status_code == 302
    assert address.endswith("?next=%2Flearn%2FMINE%2F")
    assert client.get("/learn/MINE/").status_code == 200
    assert Delegation.objects.get().accepted_at is not None


def test_somebody_who_signs_in_already_reads_the_news(space: CourseSpace, owner: Client) -> None:
    make_person(email="known@example.org", possessed_at=timezone.now())
    add(owner, space, "known@example.org")
    text = letter("known@example.org")
    assert "You sign in as usual, as known@example.org." in text
    assert "/invitation/" not in text


@pytest.mark.parametrize("change", ["taken out", "withdrawn", "over"])
def test_no_mail_leaves_for_a_place_that_is_gone(space: CourseSpace, owner: Client, change: str) -> None:
    add(owner, space, "lea@example.org")
    if change == "taken out":
        person = Person.objects.get(email_key="lea@example.org")
        owner.post(reverse("portal:space_out", args=[space.reference, person.pk]))
    elif change == "withdrawn":
        withdraw_space(reference=space.reference, actor=OPERATOR)
    else:
        CourseSpace.objects.filter(pk=space.pk).update(ends_at=timezone.now())
    with pytest.raises(AssertionError):
        letter("lea@example.org")
    assert list(OutboxMail.objects.values_list("state", flat=True)) == ["cancelled"]


# --- the organisation's own people -------------------------------------------------------------------


def known(space: CourseSpace, email: str) -> Person:
    person = make_person(email=email)
    entry = Delegated(person.pk, False, email, "Typed", email.partition("@")[0])
    delegate(account_id=space.account_id, entries=[entry])
    return person


def choose(client: Client, space: CourseSpace, *people: Person, follow: bool = False) -> Any:
    return add(client, space, known="1", person=[str(person.pk) for person in people], follow=follow)


def test_the_people_he_answers_for_are_offered_and_put_in(space: CourseSpace, owner: Client) -> None:
    first, second = known(space, "ann@example.org"), known(space, "ben@example.org")
    make_enrolment(space.course, second)
    page = text_of(owner.get(reverse("portal:space_add", args=[space.reference])))
    assert "Typed ann" in page
    assert "in the course already" in page
    assert choose(owner, space, first, second).status_code == 302
    assert inside(space).keys() == {"ann@example.org", "ben@example.org"}
    assert mails() == [("space_invitation", "ann@example.org")]


def test_people_are_searched_by_name_and_address(space: CourseSpace, owner: Client) -> None:
    known(space, "ann@example.org")
    known(space, "ben@example.org")
    address = reverse("portal:space_add", args=[space.reference])
    page = text_of(owner.get(address, {"q": "ben"}))
    assert ("ben@example.org" in page, "ann@example.org" in page) == (True, False)
    assert "Nobody matches" in text_of(owner.get(address, {"q": "zoe"}))


def test_nobody_is_put_in_whom_the_organisation_does_not_answer_for(
    space: CourseSpace, owner: Client
) -> None:
    stranger, former = make_person(), known(space, "former@example.org")
    Delegation.objects.filter(person=former).update(ended_at=timezone.now())
    choose(owner, space, stranger, former)
    assert inside(space) == {}
    assert mails() == []


def test_choosing_nobody_says_so(space: CourseSpace, owner: Client) -> None:
    known(space, "ann@example.org")
    response = choose(owner, space)
    assert "Nobody is chosen yet" in text_of(response)


def test_a_buyer_who_owns_the_course_enters_addresses_and_sees_no_people_of_the_organisation() -> None:
    buyer = make_member(Role.BUYER)
    space = make_space(account=buyer.account, owner=buyer.person)
    person = known(space, "ann@example.org")
    client = browser(buyer.person)
    assert "ann@example.org" not in text_of(client.get(reverse("portal:space_add", args=[space.reference])))
    assert choose(client, space, person).status_code == 403
    assert inside(space) == {}
    assert add(client, space, "ann@example.org").status_code == 302
    assert inside(space).keys() == {"ann@example.org"}


# --- "Il est possible de limiter le nombre d'inscrits autorisés dans le cours" --------------------------


def test_when_there_are_fewer_places_than_people_nobody_comes_in_and_no_login_is_made(
    space: CourseSpace, owner: Client
) -> None:
    make_enrolment(space.course)
    before = Person.objects.count()
    response = add(owner, space, "a@example.org b@example.org c@example.org")
    assert "There are only 2 places left: nobody was put into the course." in text_of(response)
    assert "a@example.org b@example.org c@example.org" in text_of(response)
    assert len(inside(space)) == 1
    assert (Person.objects.count(), mails(), answered(space)) == (before, [], [])
    # A tutor takes no place, and whoever is in already needs none.
    file = SimpleUploadedFile("l.csv", b"email,role\na@example.org,\nb@example.org,\nt@example.org,tutor\n")
    assert add(owner, space, file=file).status_code == 302
    assert len(inside(space)) == 4
    response = add(owner, space, "z@example.org")
    assert "The course is full" in text_of(response)


def test_of_two_who_are_let_in_again_only_as_many_come_as_there_are_places(
    space: CourseSpace, owner: Client
) -> None:
    add(owner, space, "a@example.org b@example.org c@example.org")
    out = Person.objects.get(email_key="a@example.org")
    owner.post(reverse("portal:space_out", args=[space.reference, out.pk]))
    assert inside(space)["a@example.org"] == ("student", "suspended")
    add(owner, space, "d@example.org")
    response = owner.post(reverse("portal:space_in", args=[space.reference, out.pk]), follow=True)
    assert "The course is full" in text_of(response)
    assert inside(space)["a@example.org"] == ("student", "suspended")


# --- taking out --------------------------------------------------------------------------------------


def test_taken_out_is_suspended_and_let_in_again_as_before(space: CourseSpace, owner: Client) -> None:
    row = make_enrolment(space.course, role="teacher")
    before = Enrolment.objects.values().get(pk=row.pk)
    for _again in range(2):
        owner.post(reverse("portal:space_out", args=[space.reference, row.person_id]))
        assert Enrolment.objects.values().get(pk=row.pk) == before | {"status": "suspended"}
    assert browser(row.person).get("/learn/MINE/").status_code == 403
    for _again in range(2):
        owner.post(reverse("portal:space_in", args=[space.reference, row.person_id]))
        assert Enrolment.objects.values().get(pk=row.pk) == before
    assert AuditEntry.objects.filter(verb__in=["space.take_out", "space.let_in"]).count() == 2


def test_the_owner_of_the_course_stays_in_it(space: CourseSpace) -> None:
    manager = browser(make_member(Role.MANAGER, account=space.account).person)
    response = manager.post(reverse("portal:space_out", args=[space.reference, space.owner_id]), follow=True)
    assert "cannot be taken out" in text_of(response)
    assert Enrolment.objects.get(person=space.owner).status == "active"


# --- what cannot be ----------------------------------------------------------------------------------


def test_a_list_with_mistakes_comes_back_whole_and_nobody_comes_in(space: CourseSpace, owner: Client) -> None:
    response = add(owner, space, "good@example.org\nbad@@example.org")
    page = text_of(response)
    assert "Person 2 (bad@@example.org):" in page
    assert "good@example.org" in page
    assert inside(space) == {}
    assert not Person.objects.filter(email_key="good@example.org").exists()


@pytest.mark.parametrize("paste", ["", "   ", "nobody here"])
def test_an_empty_list_says_so(space: CourseSpace, owner: Client, paste: str) -> None:
    response = add(owner, space, paste)
    assert response.status_code == 200
    assert inside(space) == {}


def test_too_many_lists_in_an_hour_are_put_off(
    space: CourseSpace, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.views.space_people.LISTS_PER_HOUR", 1)
    add(owner, space, "a@example.org")
    assert "go on a little later" in text_of(add(owner, space, "b@example.org"))
    assert inside(space).keys() == {"a@example.org"}


def test_staff_come_in_and_are_neither_delegated_nor_invited(space: CourseSpace, owner: Client) -> None:
    make_person(email="staff@example.org", is_staff=True)
    add(owner, space, "staff@example.org")
    assert inside(space).keys() == {"staff@example.org"}
    assert mails() == [("space_enrolled", "staff@example.org")]
    assert answered(space) == []


@pytest.mark.parametrize("over", ["ended", "withdrawn", "closed"])
def test_into_a_space_that_is_not_open_nobody_is_put(space: CourseSpace, over: str) -> None:
    now = timezone.now()
    changes: dict[str, Any] = {
        "ended": {"ends_at": now, "starts_at": now - timedelta(days=1)},
        "withdrawn": {"withdrawn_at": now},
        "closed": {"closed_at": now},
    }[over]
    CourseSpace.objects.filter(pk=space.pk).update(**changes)
    with pytest.raises(Refused) as refusal:
        put_into_space(
            space_id=space.pk, entries=read_list("a@example.org").rows, actor=SYSTEM, language="en"
        )
    assert refusal.value.code == "over"
    assert inside(space) == {}


def statements(space: CourseSpace, count: int) -> int:
    people = read_list("\n".join(f"p{number}@example{count}.org" for number in range(count)))
    with CaptureQueriesContext(connection) as captured:
        put = put_into_space(space_id=space.pk, entries=people.rows, actor=SYSTEM, language="en")
    assert put.put == count
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


def test_two_hundred_people_take_as_many_statements_as_two(space: CourseSpace) -> None:
    CourseSpace.objects.filter(pk=space.pk).update(max_participants=1000)
    few, many = statements(space, 2), statements(space, 200)
    # SQLite takes at most 999 parameters in one INSERT.
    more = 0 if connection.vendor == "postgresql" else 20
    assert few <= many <= few + more <= 55
