"""The shop admin's pages on courses."""

from __future__ import annotations

import pytest
from django.urls import reverse

from courses.models import Course, Enrolment
from tests.accounts.factories import make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_category, make_course, make_enrolment

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return browser(make_person(is_staff=True, is_superuser=True))


def test_categories_show_the_number_that_parameters_name(admin):
    category = make_category("Spaces")
    html = admin.get(reverse("admin:courses_coursecategory_changelist")).content.decode()
    assert f'<td class="field-id">{category.pk}</td>' in html


def test_a_course_is_made_with_its_pages(admin):
    data = {
        "shortname": "SPOC-1",
        "fullname": "Reading",
        "category": make_category().pk,
        "groups_mode": "separate",
        "visible": "on",
        "pages-TOTAL_FORMS": "1",
        "pages-INITIAL_FORMS": "0",
        "pages-0-position": "1",
        "pages-0-title": "Welcome",
        "pages-0-body": "Hello",
    }
    assert admin.post(reverse("admin:courses_course_add"), data).status_code == 302
    course = Course.objects.get(shortname="SPOC-1")
    assert [page.title for page in course.pages.all()] == ["Welcome"]
    response = admin.post(reverse("admin:courses_course_add"), data | {"shortname": "A,B"})
    assert response.context["adminform"].form.errors.keys() == {"shortname"}
    assert Course.objects.count() == 1


def test_courses_and_enrolments_are_listed(admin):
    enrolment = make_enrolment(make_course("SPOC-1"), make_person(email="a@example.org"))
    assert "SPOC-1" in admin.get(reverse("admin:courses_course_changelist")).content.decode()
    html = admin.get(reverse("admin:courses_enrolment_changelist")).content.decode()
    assert "a@example.org" in html
    assert admin.get(reverse("admin:courses_enrolment_change", args=[enrolment.pk])).status_code == 200


def test_enrolments_are_read_only(admin):
    enrolment = make_enrolment(make_course())
    change = reverse("admin:courses_enrolment_change", args=[enrolment.pk])
    assert admin.post(change, {"role": "teacher"}).status_code == 403
    delete = reverse("admin:courses_enrolment_delete", args=[enrolment.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    assert Enrolment.objects.get().role == "student"


def test_a_teacher_of_the_shop_is_enrolled_here_and_nobody_is_overwritten(admin):
    course, person = make_course(), make_person()
    data = {
        "course": course.pk,
        "person": person.pk,
        "role": "editingteacher",
        "starts_at_0": "2026-01-01",
        "starts_at_1": "00:00:00",
    }
    add = reverse("admin:courses_enrolment_add")
    assert admin.post(add, data).status_code == 302
    assert [(row.person_id, row.role, row.ends_at) for row in Enrolment.objects.all()] == [
        (person.pk, "editingteacher", None)
    ]
    assert admin.post(add, data | {"role": "student"}).status_code == 200
    assert admin.post(add, data | {"role": "emperor", "person": make_person().pk}).status_code == 200
    assert [row.role for row in Enrolment.objects.all()] == ["editingteacher"]
