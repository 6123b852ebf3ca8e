"""Teachers change the pages of their courses."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from common.audit import OPERATOR
from common.models import AuditEntry
from courses.models import Page, PageDone
from courses.services import PageChangedMeanwhile, delete_page, move_page, save_page
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_enrolment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def course():
    return make_course("SPOC-1", pages=3)


@pytest.fixture(params=["editingteacher", "courseowner"])
def editor(course, request):
    return browser(make_enrolment(course, role=request.param).person)


def titles(course) -> list[str]:
    return list(course.pages.values_list("title", flat=True))


def url(name, course, *args) -> str:
    return reverse(f"portal:{name}", args=[course.shortname, *args])


@pytest.mark.parametrize("role", ["student", "teacher", "customer"])
def test_others_of_the_course_read_but_may_not_change_it(course, role):
    client = browser(make_enrolment(course, role=role).person)
    page = course.pages.first()
    for name, args in [
        ("pages", ()),
        ("new_page", ()),
        ("edit_page", (page.pk,)),
        ("delete_page", (page.pk,)),
    ]:
        assert client.get(url(name, course, *args)).status_code == 403
    for name, args in [
        ("new_page", ()),
        ("edit_page", (page.pk,)),
        ("move_page", (page.pk,)),
        ("delete_page", (page.pk,)),
    ]:
        assert client.post(url(name, course, *args), {"title": "x", "direction": "down"}).status_code == 403
    assert titles(course) == ["Page 1", "Page 2", "Page 3"]
    assert "Edit" not in client.get(url("course", course)).content.decode()
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("fields", [{"status": "suspended"}, {"role": "student"}])
def test_an_editor_whose_enrolment_no_longer_holds_changes_nothing(course, fields):
    enrolment = make_enrolment(course, role="editingteacher")
    type(enrolment).objects.filter(pk=enrolment.pk).update(**fields)
    response = browser(enrolment.person).post(url("new_page", course), {"title": "x"})
    assert response.status_code == 403
    assert len(titles(course)) == 3


def test_an_editor_gets_into_a_course_that_is_not_shown_yet(course, editor):
    type(course).objects.filter(pk=course.pk).update(visible=False)
    assert editor.get(url("pages", course)).status_code == 200
    assert "not shown to participants yet" in editor.get(url("course", course)).content.decode()


def test_a_page_is_added_at_the_end_and_changed(course, editor):
    response = editor.post(url("new_page", course), {"title": "Last", "body": "**Bold**"})
    page = Page.objects.get(title="Last")
    assert response.url == url("page", course, page.pk)
    assert titles(course) == ["Page 1", "Page 2", "Page 3", "Last"]
    assert "<strong>Bold</strong>" in editor.get(response.url).content.decode()
    form = editor.get(url("edit_page", course, page.pk)).context["form"]
    editor.post(
        url("edit_page", course, page.pk), {"title": "Final", "body": "x", "seen": form["seen"].value()}
    )
    assert titles(course) == ["Page 1", "Page 2", "Page 3", "Final"]
    assert AuditEntry.objects.filter(verb="page.save", object=f"page:{page.pk}").count() == 2


def test_a_preview_saves_nothing_and_loses_nothing(course, editor):
    response = editor.post(url("new_page", course), {"title": "Draft", "body": "# Big", "preview": "1"})
    html = response.content.decode()
    assert "<h2>Big</h2>" in html
    assert 'value="Draft"' in html
    assert len(titles(course)) == 3


def test_a_page_without_a_title_comes_back_with_its_text(course, editor):
    response = editor.post(url("new_page", course), {"title": " ", "body": "Long work"})
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {"title"}
    assert "Long work" in response.content.decode()
    assert len(titles(course)) == 3


def test_nobody_overwrites_a_colleague(course, editor):
    page = course.pages.first()
    seen = editor.get(url("edit_page", course, page.pk)).context["form"]["seen"].value()
    save_page(course_id=course.pk, page_id=page.pk, title="Theirs", body="", actor=OPERATOR)
    response = editor.post(
        url("edit_page", course, page.pk), {"title": "Mine", "body": "My work", "seen": seen}
    )
    assert "Somebody else has saved this page meanwhile." in response.content.decode()
    assert "My work" in response.content.decode()
    assert titles(course)[0] == "Theirs"


def test_pages_are_moved_and_the_ends_stay(course, editor):
    first, second, third = course.pages.all()
    for page, direction, expected in [
        (third, "up", ["Page 1", "Page 3", "Page 2"]),
        (first, "up", ["Page 1", "Page 3", "Page 2"]),
        (first, "down", ["Page 3", "Page 1", "Page 2"]),
        (second, "down", ["Page 3", "Page 1", "Page 2"]),
    ]:
        response = editor.post(url("move_page", course, page.pk), {"direction": direction})
        assert response.url == url("pages", course)
        assert titles(course) == expected


def test_equal_positions_do_not_hinder_moving(course):
    course.pages.update(position=1)
    assert move_page(course_id=course.pk, page_id=course.pages.last().pk, direction="up", actor=OPERATOR)
    assert titles(course) == ["Page 1", "Page 3", "Page 2"]


def test_a_page_is_deleted_after_one_has_seen_which(course, editor):
    page = course.pages.first()
    PageDone.objects.create(page=page, person=make_enrolment(course).person)
    assert (
        "1 person has marked it as read." in editor.get(url("delete_page", course, page.pk)).content.decode()
    )
    assert len(titles(course)) == 3
    assert editor.post(url("delete_page", course, page.pk)).url == url("pages", course)
    assert titles(course) == ["Page 2", "Page 3"]
    assert PageDone.objects.count() == 0
    assert editor.post(url("delete_page", course, page.pk)).status_code == 404


def test_services_refuse_pages_of_other_courses(course):
    page = make_course(pages=1).pages.get()
    with pytest.raises(PageChangedMeanwhile):
        save_page(course_id=course.pk, page_id=page.pk, title="x", body="", actor=OPERATOR)
    with pytest.raises(PageChangedMeanwhile):
        move_page(course_id=course.pk, page_id=page.pk, direction="up", actor=OPERATOR)
    with pytest.raises(PageChangedMeanwhile):
        delete_page(course_id=course.pk, page_id=page.pk, actor=OPERATOR)
    page.refresh_from_db()
    assert page.title == "Page 1"
    assert AuditEntry.objects.count() == 0


# --- images ----------------------------------------------------------------------------------------------


def picture(kind="PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, kind)
    return out.getvalue()


def upload(content, name="photo.png", **fields):
    data = {
        "title": "T",
        "body": "Text",
        "image_text": "A [teal] square",
        "image": SimpleUploadedFile(name, content),
    }
    return data | fields


def test_an_image_is_re_encoded_under_a_random_name_and_shown(course, editor):
    editor.post(url("new_page", course), upload(picture() + b"<script>"))
    page = Page.objects.get(title="T")
    text, reference = page.body.split("\n\n")
    assert text == "Text"
    alt, address = reference.strip().removeprefix("![").removesuffix(")").split("](")
    assert alt == "A (teal) square"
    assert address.startswith("/media/courses/")
    assert "photo" not in address
    with default_storage.open(address.removeprefix("/media/")) as stored:
        content = stored.read()
    assert b"<script>" not in content
    assert Image.open(BytesIO(content)).format == "WEBP"
    html = editor.get(url("page", course, page.pk)).content.decode()
    assert f'<img src="{address}" alt="A (teal) square">' in html


def test_an_image_survives_a_preview(course, editor):
    response = editor.post(url("new_page", course), upload(picture(), preview="1"))
    body = response.context["form"]["body"].value()
    assert '<img src="/media/courses/' in response.content.decode()
    editor.post(url("new_page", course), {"title": "T", "body": body})
    assert Page.objects.get(title="T").body.count("![") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"GIF89a<script>",
        b"",
        picture()[:40],
        picture("BMP"),
    ],
)
def test_what_is_not_a_picture_is_refused_and_nothing_is_kept(course, editor, content, tmp_path):
    response = editor.post(url("new_page", course), upload(content))
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {"image"}
    assert len(titles(course)) == 3
    assert list(tmp_path.rglob("*.webp")) == []


def test_an_image_must_be_said_in_words(course, editor, tmp_path):
    response = editor.post(url("new_page", course), upload(picture(), image_text=" "))
    assert response.context["form"].errors.keys() == {"image_text"}
    assert list(tmp_path.rglob("*.webp")) == []
