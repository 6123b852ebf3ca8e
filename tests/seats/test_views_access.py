"""Fetching is authorising: who gets 404, who gets 403, and that nothing is changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.models import Role
from seats.models import Assignment, AssignmentBatch
from seats.urls import urlpatterns
from tests.accounts.factories import make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course
from tests.seats.factories import apply, give, make_pool, plan_list
from tests.seats.pages import House, everything

pytestmark = pytest.mark.django_db

# Every address of seats/urls.py: how it is asked, and with what.
READ = {
    "my": "/seats/",
    "course": "/seats/?course=EXCEL1",
    "all": "/seats/all/",
    "export": "/seats/all.csv",
    "template_csv": "/seats/give/list.csv",
    "template_xlsx": "/seats/give/list.xlsx",
    "products": "/products/",
    "list": "/seats/lists/{planned}/",
    "list applied": "/seats/lists/{applied}/",
    "changes": "/seats/changes/?told=nothing",
    "seat_change": "/seats/{seat}/change/?told=nothing",
    "list_progress": "/seats/lists/{planned}/progress/",
    "list_refused": "/seats/lists/{applied}/refused.csv",
    "seat": "/seats/{seat}/",
}
WRITE: dict[str, tuple[str, dict[str, str]]] = {
    "give": ("/seats/give/", {"course": "EXCEL1", "paste": "new@x.org"}),
    "list_pool": ("/seats/lists/{planned}/pool/", {"pool": "{pool}"}),
    "list_correct": ("/seats/lists/{planned}/correct/", {"email-2": "good@x.org"}),
    "list_apply": ("/seats/lists/{planned}/apply/", {}),
    "list_discard": ("/seats/lists/{planned}/discard/", {}),
    "seat_release": ("/seats/{seat}/release/", {}),
    "seat_again": ("/seats/{freed}/again/", {}),
    "seat_replace": ("/seats/{seat}/replace/", {"replace-email": "new@x.org"}),
    "seat_correct": ("/seats/{seat}/correct/", {"correct-email": "new@x.org"}),
    "seat_resend": ("/seats/{seat}/resend/", {}),
}
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]
OF_AN_OBJECT = {name for name, path in READ.items() if "{" in path} | {
    name for name, (path, _data) in WRITE.items() if "{" in path
}


class Scene:
    """An organisation with a seat that was given, one that was taken back, a list to read and one that was applied."""

    def __init__(self) -> None:
        self.house, self.other = House(), House()
        course = make_course("EXCEL1")
        account = self.house.account
        pool = make_pool(account, 6)
        given, freed = give(account, course, "ann@x.org"), give(account, course, "bob@x.org")
        applied = AssignmentBatch.objects.get(rows__assignment=given)
        Assignment.objects.filter(pk=freed.pk).update(
            state="ended", ended_at=freed.created_at, end_reason="taken_back"
        )
        planned = plan_list(account, course, "cid@x.org", "bad@@x.org")
        # The other organisation has the same, so that only ownership can make a difference.
        make_pool(self.other.account, 6)
        apply(plan_list(self.other.account, course, "dot@x.org"))
        self.names = {
            "pool": pool.pk,
            "planned": planned.pk,
            "applied": applied.pk,
            "seat": given.seat.reference,
            "freed": freed.seat.reference,
        }

    def fill(self, text: str) -> str:
        return text.format(**self.names)

    def visitors(self) -> dict[str, Client]:
        """Everybody who is not somebody of this organisation."""
        return {
            "a stranger": browser(make_person(password="x")),
            "an owner of another organisation": self.other.browser(Role.OWNER),
            "a manager of another organisation": self.other.browser(Role.MANAGER),
        }


@pytest.fixture
def scene() -> Scene:
    return Scene()


def ask(client: Client, scene: Scene, name: str, method: str) -> Any:
    if name in READ:
        return client.generic(method, scene.fill(READ[name]))
    path, data = WRITE[name]
    if method == "POST":
        return client.post(scene.fill(path), {key: scene.fill(value) for key, value in data.items()})
    return client.generic(method, scene.fill(path))


def test_the_tables_above_know_every_address():
    names = {pattern.name for pattern in urlpatterns}
    assert names == {name.partition(" ")[0] for name in READ} - {"course"} | set(WRITE)
    assert get_resolver().namespace_dict["seats"]


@pytest.mark.parametrize("method", METHODS)
def test_an_anonymous_visitor_is_asked_to_sign_in(scene, method):
    before = everything()
    for name in [*READ, *WRITE]:
        answer = ask(browser(), scene, name, method)
        assert answer.status_code == 302, name
        assert answer["Location"].startswith("/sign/login/?next="), name
    assert everything() == before


@pytest.mark.parametrize("method", METHODS)
def test_what_belongs_to_another_organisation_is_not_found(scene, method):
    visitors = scene.visitors()
    before = everything()
    for who, client in visitors.items():
        for name in sorted(OF_AN_OBJECT):
            wrong_method = (method not in {"GET", "HEAD"}) if name in READ else method != "POST"
            answer = ask(client, scene, name, method)
            assert answer.status_code == (405 if wrong_method else 404), (who, name)
    assert everything() == before


def test_a_person_without_any_organisation_finds_nothing(scene):
    client = browser(make_person(password="x"))
    before = everything()
    for name in [*READ, *WRITE]:
        assert ask(client, scene, name, "GET" if name in READ else "POST").status_code == 404, name
    assert everything() == before


@pytest.mark.parametrize("role", list(Role))
def test_owner_manager_and_viewer_read_and_a_buyer_does_not(scene, role):
    before = everything()
    for name in READ:
        answer = ask(scene.house.browser(role), scene, name, "GET")
        assert answer.status_code == (403 if role is Role.BUYER else 200), name
    assert everything() == before


def test_what_is_read_cannot_be_posted_to(scene):
    before = everything()
    for name in READ:
        assert ask(scene.house.browser(Role.OWNER), scene, name, "POST").status_code == 405, name
    assert everything() == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BUYER])
def test_a_viewer_and_a_buyer_may_not_write(scene, role):
    before = everything()
    for name in WRITE:
        assert ask(scene.house.browser(role), scene, name, "POST").status_code == 403, name
    assert everything() == before


@pytest.mark.parametrize("name", WRITE)
@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_an_owner_and_a_manager_write(scene, name, role):
    """The same requests as above do change something when the right person makes them."""
    before = everything()
    answer = ask(scene.house.browser(role), scene, name, "POST")
    assert answer.status_code == (409 if name == "seat_resend" else 302), answer.content.decode()[:2000]
    assert (everything() == before) == (name == "seat_resend")


def test_nothing_is_changed_by_looking(scene):
    before = everything()
    for name in set(WRITE) - {"give"}:
        assert ask(scene.house.browser(Role.OWNER), scene, name, "GET").status_code == 405, name
    assert everything() == before


def test_the_entry_screen_is_not_for_those_who_only_read(scene):
    for role in (Role.VIEWER, Role.BUYER):
        assert scene.house.browser(role).get("/seats/give/").status_code == 403


def test_pages_are_not_posted_to_from_elsewhere(scene):
    """Every form carries its token: a request forged on another site is turned away."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(scene.house.members[Role.OWNER].person)
    before = everything()
    for name in WRITE:
        assert ask(client, scene, name, "POST").status_code == 403, name
    assert everything() == before


def test_numbers_beyond_the_database_are_not_found(scene):
    client = scene.house.browser(Role.OWNER)
    for path in ("/seats/lists/99999999999999999999999/", "/seats/lists/99999999999999999999999/progress/"):
        assert client.get(path).status_code == 404
