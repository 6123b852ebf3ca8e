"""Backups on the page of a course space, and on those of teachers."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from common.audit import OPERATOR
from common.models import AuditEntry
from courses.models import Backup, CourseSpace, Enrolment, Page
from courses.services import expire_spaces, make_backup, withdraw_space
from tests.accounts.factories import make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_enrolment
from tests.portal.test_space_pages import make_own_space, put, state, text_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def space() -> CourseSpace:
    return make_own_space()


@pytest.fixture
def owner(space: CourseSpace) -> Client:
    return browser(space.owner)


@pytest.mark.parametrize("with_users", [False, True])
def test_the_owner_makes_and_downloads_a_backup(space: CourseSpace, owner: Client, with_users: bool) -> None:
    put(space)
    asked = {"with_users": "on"} if with_users else {}
    assert owner.post(url(space, "space_backups"), asked).status_code == 302
    backup = Backup.objects.get()
    assert (backup.with_users, backup.created_by) == (with_users, f"person:{space.owner_id}")
    response = owner.get(url(space, "space_backup", backup.pk))
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="MINE-')
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response.headers["Cache-Control"]
    assert ("people" in json.loads(response.content)) is with_users
    assert url(space, "space_backup", backup.pk) in text_of(owner.get(url(space)))


def test_a_backup_of_another_course_is_not_here(space: CourseSpace, owner: Client) -> None:
    other = make_backup(course_id=make_course(pages=1).pk, with_users=False, actor=OPERATOR)
    before = state()
    for name in ("space_backup", "space_restore", "space_delete_backup"):
        assert owner.get(url(space, name, other.pk)).status_code == 404
        assert owner.post(url(space, name, other.pk)).status_code in {404, 405}
    assert state() == before


def test_restoring_is_explained_first_and_can_be_undone(space: CourseSpace, owner: Client) -> None:
    backup = make_backup(course_id=space.course_id, with_users=False, actor=OPERATOR)
    Page.objects.filter(course=space.course).update(title="Written since")
    page = owner.get(url(space, "space_restore", backup.pk))
    assert "kept as a new backup" in text_of(page)
    assert set(space.course.pages.values_list("title", flat=True)) == {"Written since"}
    assert owner.post(url(space, "space_restore", backup.pk)).status_code == 302
    assert set(space.course.pages.values_list("title", flat=True)) == {"Page 1", "Page 2"}
    newest = Backup.objects.exclude(pk=backup.pk).get()
    owner.post(url(space, "space_restore", newest.pk))
    assert set(space.course.pages.values_list("title", flat=True)) == {"Written since"}


def test_restoring_never_brings_people_along_unless_asked(space: CourseSpace, owner: Client) -> None:
    row = put(space)
    stranger = make_enrolment(space.course, make_person(email="gone@example.org"))
    backup = make_backup(course_id=space.course_id, with_users=True, actor=OPERATOR)
    Enrolment.objects.filter(pk__in=[row.pk, stranger.pk]).delete()
    owner.post(url(space, "space_restore", backup.pk))
    assert list(space.course.enrolments.values_list("person", flat=True)) == [space.owner_id]
    owner.post(url(space, "space_restore", backup.pk), {"with_users": "on"})
    # Only those the organisation answers for.
    assert set(space.course.enrolments.values_list("person", flat=True)) == {space.owner_id, row.person_id}


def test_a_backup_whose_file_is_gone_says_so_and_changes_nothing(space: CourseSpace, owner: Client) -> None:
    backup = make_backup(course_id=space.course_id, with_users=False, actor=OPERATOR)
    backup.file.storage.delete(backup.file.name or "")
    Page.objects.filter(course=space.course).update(title="Now")
    response = owner.post(url(space, "space_restore", backup.pk), follow=True)
    assert "cannot be read any more" in text_of(response)
    assert set(space.course.pages.values_list("title", flat=True)) == {"Now"}
    assert owner.get(url(space, "space_backup", backup.pk)).status_code == 404


def test_a_backup_is_deleted_after_showing_which(space: CourseSpace, owner: Client) -> None:
    backup = make_backup(course_id=space.course_id, with_users=True, actor=OPERATOR)
    assert owner.get(url(space, "space_delete_backup", backup.pk)).status_code == 200
    assert Backup.objects.count() == 1
    assert owner.post(url(space, "space_delete_backup", backup.pk)).status_code == 302
    assert Backup.objects.count() == 0
    assert AuditEntry.objects.filter(verb="course.backup.delete").count() == 1


def test_after_the_end_what_was_written_can_still_be_fetched_and_nothing_changed(
    space: CourseSpace, owner: Client
) -> None:
    backup = make_backup(course_id=space.course_id, with_users=False, actor=OPERATOR)
    expire_spaces(now=space.ends_at)
    assert owner.get(url(space, "space_backup", backup.pk)).status_code == 200
    before = state()
    for name, more in (("space_backups", ()), ("space_restore", (backup.pk,)), ("space_add", ())):
        assert owner.post(url(space, name, *more)).status_code == 403
    assert state() == before
    withdraw_space(reference=space.reference, actor=OPERATOR)
    assert owner.get(url(space, "space_backup", backup.pk)).status_code == 403


def test_too_many_backups_in_an_hour_are_put_off(
    space: CourseSpace, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.views.backups.BACKUPS_PER_HOUR", 2)
    for _again in range(3):
        owner.post(url(space, "space_backups"))
    assert Backup.objects.count() == 2


# --- teachers of other courses ------------------------------------------------------------------------


def test_a_teacher_makes_backups_of_his_course_and_downloads_those_without_people() -> None:
    course = make_course("SPOC", pages=2)
    teacher = browser(make_enrolment(course, role="editingteacher").person)
    address = reverse("portal:backups", args=["SPOC"])
    assert address in text_of(teacher.get(reverse("portal:pages", args=["SPOC"])))
    for asked in ({}, {"with_users": "on"}):
        assert teacher.post(address, asked).status_code == 302
    with_users, without = Backup.objects.all()
    assert (with_users.with_users, without.with_users) == (True, False)
    assert teacher.get(reverse("portal:backup", args=["SPOC", without.pk])).status_code == 200
    # The people of a course may be those of several customers.
    assert teacher.get(reverse("portal:backup", args=["SPOC", with_users.pk])).status_code == 403
    page = text_of(teacher.get(address))
    assert reverse("portal:backup", args=["SPOC", without.pk]) in page
    assert reverse("portal:backup", args=["SPOC", with_users.pk]) not in page


@pytest.mark.parametrize(("role", "status"), [("student", 403), ("teacher", 403), ("", 404)])
def test_nobody_else_makes_backups_of_a_course(role: str, status: int) -> None:
    course = make_course("SPOC", pages=2)
    backup = make_backup(course_id=course.pk, with_users=False, actor=OPERATOR)
    person = make_enrolment(course, role=role).person if role else make_person()
    for method, address in (
        ("get", reverse("portal:backups", args=["SPOC"])),
        ("post", reverse("portal:backups", args=["SPOC"])),
        ("get", reverse("portal:backup", args=["SPOC", backup.pk])),
    ):
        assert getattr(browser(person), method)(address).status_code == status
    assert Backup.objects.count() == 1


def test_backups_of_a_space_are_on_its_own_page(space: CourseSpace, owner: Client) -> None:
    address = reverse("portal:backups", args=["MINE"])
    assert owner.get(address).status_code == 404
    assert address not in text_of(owner.get(reverse("portal:pages", args=["MINE"])))
