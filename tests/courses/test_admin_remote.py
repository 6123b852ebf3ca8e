"""The back office with a remote platform: courses are read, our own marks are set, and it is asked again at once."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from common.models import Job
from courses.models import Course, CourseCategory, CourseSpace
from courses.services.syncing import SYNC_JOB
from tests.accounts.factories import make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_space
from tests.seats.remote import install

pytestmark = pytest.mark.django_db
LIST = "admin:courses_course_changelist"
SYNCHRONISE = "admin:courses_course_synchronise"


@pytest.fixture
def admin():
    return browser(make_person(is_staff=True, is_superuser=True))


@pytest.fixture(autouse=True)
def far(monkeypatch, settings):
    return install(monkeypatch, settings)


@pytest.fixture
def course() -> Course:
    category = CourseCategory.objects.create(name="Trainings", remote_id=33)
    return Course.objects.create(
        shortname="A", fullname="Alpha", category=category, remote_id=7, groups_found=2
    )


def marks(course: Course) -> tuple[bool, bool, bool]:
    course.refresh_from_db()
    return course.not_for_seats, course.is_template, course.is_support


def test_only_our_marks_are_changed(admin, course):
    change = reverse("admin:courses_course_change", args=[course.pk])
    form = admin.get(change).context["adminform"].form
    assert sorted(form.fields) == ["is_support", "is_template", "not_for_seats"]
    data = {"not_for_seats": "on", "is_support": "on", "shortname": "B", "fullname": "Beta", "visible": ""}
    assert admin.post(change, data).status_code == 302
    assert marks(course) == (True, False, True)
    assert (course.shortname, course.fullname, course.visible) == ("A", "Alpha", True)
    assert Job.objects.count() == 0


def test_of_a_new_template_it_is_asked_whether_it_has_groups(admin, course):
    change = reverse("admin:courses_course_change", args=[course.pk])
    admin.post(change, {"is_template": "on"})
    assert marks(course) == (False, True, False)
    assert Job.objects.get().kind == SYNC_JOB


def test_nothing_is_made_or_deleted_here(admin, course):
    assert admin.get(reverse("admin:courses_course_add")).status_code == 403
    assert (
        admin.post(reverse("admin:courses_course_delete", args=[course.pk]), {"post": "yes"}).status_code
        == 403
    )
    listed = {"action": "delete_selected", "_selected_action": [course.pk], "post": "yes"}
    admin.post(reverse(LIST), listed)
    admin.post(reverse(LIST), {"action": "back_up", "_selected_action": [course.pk]})
    assert (Course.objects.count(), course.backups.count()) == (1, 0)


def test_categories_show_the_numbers_of_the_platform_and_are_not_edited(admin, course):
    CourseCategory.objects.create(name="Gone", remote_id=34, missing_since=timezone.now())
    html = admin.get(reverse("admin:courses_coursecategory_changelist")).content.decode()
    assert ('<td class="field-number">33</td>' in html or ">33</a>" in html, "form-0-position" in html) == (
        True,
        False,
    )
    change = reverse("admin:courses_coursecategory_change", args=[course.category_id])
    assert admin.post(change, {"name": "Other", "position": 3}).status_code == 403
    data = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": course.category_id,
        "form-0-position": "9",
        "_save": "Save",
    }
    admin.post(reverse("admin:courses_coursecategory_changelist"), data)
    course.category.refresh_from_db()
    assert (course.category.name, course.category.position) == ("Trainings", 0)
    assert admin.get(reverse("admin:courses_coursecategory_add")).status_code == 403


def test_synchronise_now_is_a_job(admin, course, far):
    assert reverse(SYNCHRONISE) in admin.get(reverse(LIST)).content.decode()
    assert admin.get(reverse(SYNCHRONISE)).status_code == 405
    for _again in range(2):
        assert admin.post(reverse(SYNCHRONISE)).status_code == 302
    assert (Job.objects.get().kind, Job.objects.get().state) == (SYNC_JOB, "queued")
    assert far.calls == []


def test_who_may_only_look_cannot_ask_for_it(course):
    viewer = make_person(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_course"))
    reader = browser(viewer)
    assert reverse(SYNCHRONISE) not in reader.get(reverse(LIST)).content.decode()
    assert reader.post(reverse(SYNCHRONISE)).status_code == 403
    assert Job.objects.count() == 0


def test_on_the_built_in_platform_there_is_nothing_to_fetch(admin, course, settings):
    settings.COURSE_PLATFORM = "builtin"
    assert reverse(SYNCHRONISE) not in admin.get(reverse(LIST)).content.decode()
    assert admin.post(reverse(SYNCHRONISE)).status_code == 302
    assert Job.objects.count() == 0


def test_how_many_learn_in_a_space_is_shown_beside_what_was_sold(admin, course):
    space = make_space(course, max_participants=2)
    CourseSpace.objects.filter(pk=space.pk).update(learners_found=3)
    assert "3 / 2" in admin.get(reverse("admin:courses_coursespace_changelist")).content.decode()
