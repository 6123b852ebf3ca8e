"""Backups of courses: made by a person or `backupcourse`, brought back, thrown away."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from common.audit import OPERATOR, Actor
from common.models import AuditEntry
from common.zone import iso
from courses.builtin import content
from courses.models import Backup, Course, Enrolment, Page, PageDone
from courses.services import BackupLost, delete_backup, make_backup, restore_backup
from tests.accounts.factories import make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_enrolment, put_into_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def course() -> Course:
    course = make_course("SPOC", pages=2, fullname="A course", summary="What *for*?")
    mine = make_enrolment(course, make_person(email="Ada@example.org"))
    put_into_group("G", mine)
    PageDone.objects.create(page=course.pages.all()[1], person=mine.person)
    make_enrolment(course, make_person(email="bob@example.org"), status="suspended", opened_at=None)
    return course


def back_up(course: Course, *, with_users: bool = False) -> Backup:
    return make_backup(course_id=course.pk, with_users=with_users, actor=OPERATOR)


def text_of(backup: Backup) -> str:
    with backup.file.open("rb") as stream:
        return str(stream.read(), "utf-8")


def pages(course: Course) -> list[tuple[str, str]]:
    return list(Page.objects.filter(course=course).values_list("title", "body"))


# --- what is kept ------------------------------------------------------------------------------------


def test_a_backup_without_user_data_holds_nobody(course: Course) -> None:
    backup = back_up(course)
    raw = text_of(backup)
    document = json.loads(raw)
    assert "example.org" not in raw
    assert "people" not in document
    assert document["course"] == {
        "shortname": "SPOC",
        "fullname": "A course",
        "summary": "What *for*?",
        "groups": "none",
    }
    assert [(page["title"], page["body"]) for page in document["pages"]] == pages(course)
    assert (backup.pages, backup.people, backup.with_users) == (2, 0, False)


def test_a_backup_with_user_data_holds_people_groups_and_marks(course: Course) -> None:
    backup = back_up(course, with_users=True)
    ada, bob = json.loads(text_of(backup))["people"]
    row = Enrolment.objects.get(person__email_key="ada@example.org")
    assert ada == {
        "email": "Ada@example.org",
        "role": "student",
        "suspended": False,
        "starts": iso(row.starts_at),
        "ends": None,
        "opened": iso(row.opened_at),
        "groups": ["G"],
        "done": [course.pages.all()[1].pk],
    }
    assert (bob["email"], bob["suspended"], bob["opened"], bob["done"]) == ("bob@example.org", True, None, [])
    assert backup.people == 2


def test_the_file_lies_where_no_address_leads_and_only_we_may_read_it(course: Course) -> None:
    backup = back_up(course, with_users=True)
    path = backup.file.path
    assert not path.startswith(str(settings.MEDIA_ROOT))
    assert path.startswith(str(settings.VAR_DIR))
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert browser().get(f"/media/{backup.file.name}").status_code == 404


def test_who_made_it_and_when_is_written(course: Course) -> None:
    person = make_person()
    before = timezone.now()
    backup = make_backup(course_id=course.pk, with_users=True, actor=Actor.person(person.pk))
    assert backup.created_by == f"person:{person.pk}"
    assert before <= backup.created_at <= timezone.now()
    entry = AuditEntry.objects.get(verb="course.backup")
    assert (entry.object, entry.scope, entry.counts) == (
        f"backup:{backup.pk}",
        f"course:{course.pk}",
        {"pages": 2, "people": 2},
    )


# --- bringing back -----------------------------------------------------------------------------------


def test_restoring_brings_back_the_pages_in_their_order(course: Course) -> None:
    backup = back_up(course)
    then = pages(course)
    first, second = course.pages.all()
    first.delete()
    Page.objects.filter(pk=second.pk).update(position=9, title="Changed", body="Changed")
    Page.objects.create(course=course, position=1, title="New", body="New")
    Course.objects.filter(pk=course.pk).update(summary="Changed", fullname="Renamed since")
    restore_backup(backup_id=backup.pk, actor=OPERATOR)
    assert pages(course) == then
    course.refresh_from_db()
    # The names are the customer's business, not the backup's.
    assert (course.summary, course.fullname) == ("What *for*?", "Renamed since")


def test_restoring_never_brings_people_along_unless_asked(course: Course) -> None:
    backup = back_up(course, with_users=True)
    Enrolment.objects.all().delete()
    PageDone.objects.all().delete()
    restore_backup(backup_id=backup.pk, actor=OPERATOR)
    assert Enrolment.objects.count() == 0
    assert PageDone.objects.count() == 0
    restore_backup(backup_id=backup.pk, actor=OPERATOR, with_users=True)
    assert list(Enrolment.objects.values_list("person__email_key", "status")) == [
        ("ada@example.org", "active")
    ]
    assert PageDone.objects.count() == 1


def test_only_people_who_have_a_login_and_whose_time_is_not_over_come_back(course: Course) -> None:
    gone = make_person(email="gone@example.org")
    make_enrolment(course, gone)
    over = make_enrolment(course, make_person(email="over@example.org"))
    Enrolment.objects.filter(pk=over.pk).update(ends_at=timezone.now() + timedelta(microseconds=1))
    backup = back_up(course, with_users=True)
    Enrolment.objects.all().delete()
    gone.delete()
    restore_backup(backup_id=backup.pk, actor=OPERATOR, with_users=True)
    assert list(Enrolment.objects.values_list("person__email_key", flat=True)) == ["ada@example.org"]


def test_what_was_there_before_is_kept_so_that_restoring_can_be_undone(course: Course) -> None:
    backup = back_up(course)
    Page.objects.filter(course=course).update(title="Written since")
    written = pages(course)
    before = restore_backup(backup_id=backup.pk, actor=OPERATOR)
    assert pages(course) != written
    restore_backup(backup_id=before.pk, actor=OPERATOR)
    assert pages(course) == written


def test_the_backup_of_before_never_becomes_what_spaces_are_made_from(course: Course) -> None:
    backup = back_up(course)
    restore_backup(backup_id=backup.pk, actor=OPERATOR)
    assert Backup.objects.filter(with_users=False).get() == backup


@pytest.mark.parametrize("damage", ["gone", "garbage", "other"])
def test_a_lost_or_damaged_file_changes_nothing(course: Course, damage: str) -> None:
    backup = back_up(course)
    storage, name = backup.file.storage, backup.file.name or ""
    storage.delete(name)
    if damage != "gone":
        with storage.open(name, "wb") as stream:
            stream.write(b"\x00\xff" if damage == "garbage" else b'{"format": 99}')
    Page.objects.filter(course=course).update(title="Now")
    now = pages(course)
    with pytest.raises(BackupLost):
        restore_backup(backup_id=backup.pk, actor=OPERATOR)
    assert pages(course) == now
    assert Backup.objects.count() == 1
    with pytest.raises(content.UnreadableBackup):
        content.read(backup)


def test_a_page_that_somebody_edits_meanwhile_is_not_overwritten_by_him_unknowingly(course: Course) -> None:
    backup = back_up(course)
    page = course.pages.all()[0]
    seen = page.updated_at
    restore_backup(backup_id=backup.pk, actor=OPERATOR)
    page.refresh_from_db()
    assert page.updated_at != seen


def test_a_backup_thrown_away_is_gone_with_its_file(
    course: Course, django_capture_on_commit_callbacks: Any
) -> None:
    backup = back_up(course, with_users=True)
    storage, name = backup.file.storage, backup.file.name or ""
    with django_capture_on_commit_callbacks(execute=True):
        delete_backup(backup_id=backup.pk, actor=OPERATOR)
        assert storage.exists(name)
    assert not storage.exists(name)
    assert Backup.objects.count() == 0
    delete_backup(backup_id=backup.pk, actor=OPERATOR)
    assert AuditEntry.objects.filter(verb="course.backup.delete").count() == 1


# --- the command -------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_users", [False, True])
def test_backupcourse_prints_what_the_design_names(course: Course, with_users: bool, capsys: Any) -> None:
    call_command("backupcourse", "SPOC", "--json", *(["--with-users"] if with_users else []))
    backup = Backup.objects.get()
    assert json.loads(capsys.readouterr().out) == {
        "course": "SPOC",
        "created": iso(backup.created_at),
        "with_users": with_users,
    }
    assert (backup.with_users, backup.created_by) == (with_users, "operator")


def test_backupcourse_in_words(course: Course, capsys: Any) -> None:
    call_command("backupcourse", "SPOC")
    assert capsys.readouterr().out.endswith(", 2 pages, without user data\n")


@pytest.mark.parametrize("name", ["spoc", "NOTHING", ""])
def test_backupcourse_refuses_an_unknown_course(course: Course, name: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command("backupcourse", name, "--json")
    assert error.value.returncode == 2
    assert str(error.value).startswith("shortname: ")
    assert Backup.objects.count() == 0


# --- the back office ---------------------------------------------------------------------------------


def test_the_shop_admin_makes_backups_of_templates_without_participants(course: Course) -> None:
    staff = make_person(is_staff=True, is_superuser=True)
    data = {"action": "back_up", "_selected_action": [str(course.pk), str(make_course(pages=1).pk)]}
    response = browser(staff).post(reverse("admin:courses_course_changelist"), data, follow=True)
    assert "2 backups are made." in response.content.decode()
    assert set(Backup.objects.values_list("with_users", "created_by")) == {(False, f"person:{staff.pk}")}
