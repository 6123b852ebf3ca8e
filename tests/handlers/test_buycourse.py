"""`buycourse`: the promises of the seed "Achat d'un espace de cours", quoted above each test that proves one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from common.audit import OPERATOR
from courses.models import Course, CourseSpace, Enrolment, Page, PlatformLogin, ProductEvent
from courses.platforms import get_platform
from courses.selectors import matching_courses
from courses.services import make_backup
from handlers.contract import Delivered, Purchase
from handlers.registry import get_handler, say
from tests.accounts.factories import make_account, make_person
from tests.courses.factories import make_category, make_template
from tests.handlers.factories import PURCHASED, make_course, make_purchase
from tests.portal.elsewhere import install_elsewhere

pytestmark = pytest.mark.django_db
HANDLER = get_handler("buycourse")
SPACES = "Spaces"


def params(*more: str, template: str = "MODEL") -> str:
    parts = [f"coursecategory={make_category(SPACES).pk}", f"template={template}" if template else "", *more]
    return "&".join(part for part in parts if part)


def unit(fullname: str = "My course", idnumber: str = "MINE") -> dict[str, str]:
    return {"fullname": fullname, "idnumber": idnumber}


def purchase(string: str = "", *units: dict[str, str], **fields: Any) -> Purchase:
    wanted = units or (unit(),)
    values = {
        "line_key": uuid4(),
        "buyer_id": fields.get("buyer_id") or make_person().pk,
        "quantity": len(wanted),
        "customer_data": wanted,
        "renewable": True,
    }
    return make_purchase(string or params(), handler="buycourse", **(values | fields))


def spaces() -> list[tuple[str, str]]:
    return list(CourseSpace.objects.order_by("ordinal").values_list("course__shortname", "course__fullname"))


@pytest.fixture
def template() -> Course:
    return make_template()


# --- "Création d'un cours sur restauration d'un cours modèle" ------------------------------------------


def test_a_course_is_made_by_restoring_a_template(template: Course) -> None:
    HANDLER.deliver(purchase())
    course = CourseSpace.objects.get().course
    assert (course.shortname, course.fullname, course.category.name) == ("MINE", "My course", SPACES)
    assert list(course.pages.values_list("title", "body")) == [("Page 1", "Text 1"), ("Page 2", "Text 2")]


# Note 2: "Si un modèle est désigné, celui-ci doit disposer d'une sauvegarde constituée 'sans données utilisateur'
# […]. C'est la sauvegarde la plus récente qui sera prise en compte."
def test_the_newest_backup_without_user_data_counts(template: Course) -> None:
    template.pages.update(title="Newer")
    make_backup(course_id=template.pk, with_users=False, actor=OPERATOR)
    template.pages.update(title="Newest, with people")
    make_backup(course_id=template.pk, with_users=True, actor=OPERATOR)
    template.pages.update(title="Not kept")
    HANDLER.deliver(purchase())
    assert set(CourseSpace.objects.get().course.pages.values_list("title", flat=True)) == {"Newer"}


def test_nobody_of_the_template_comes_along(template: Course) -> None:
    Enrolment.objects.create(course=template, person=make_person(), role="student", starts_at=PURCHASED)
    bought = purchase()
    HANDLER.deliver(bought)
    people = Enrolment.objects.filter(course=CourseSpace.objects.get().course)
    assert list(people.values_list("person", flat=True)) == [bought.buyer_id]


def test_without_a_template_the_course_is_empty() -> None:
    HANDLER.deliver(purchase(params(template="")))
    assert Page.objects.count() == 0
    assert spaces() == [("MINE", "My course")]


# --- "Création et assignation d'un compte d'enseignant éditeur à l'acheteur" ---------------------------
# --- "Assignation d'un rôle de 'propriétaire du cours'" ------------------------------------------------


def test_the_buyer_owns_and_edits_the_course_without_an_end(template: Course) -> None:
    bought = purchase()
    HANDLER.deliver(bought)
    (row,) = Enrolment.objects.filter(course__space__isnull=False)
    assert (row.person_id, row.role, row.status) == (bought.buyer_id, "courseowner", "active")
    assert (row.starts_at, row.ends_at) == (PURCHASED, None)
    roles = {role.name: role for role in get_platform().roles()}
    assert roles["courseowner"].edits
    assert CourseSpace.objects.get().owner_id == bought.buyer_id


def test_without_a_role_of_course_owners_the_buyer_is_an_editing_teacher(
    template: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = [role for role in get_platform().roles() if role.name != "courseowner"]
    monkeypatch.setattr(type(get_platform()), "roles", lambda self: offered)
    HANDLER.deliver(purchase())
    assert list(Enrolment.objects.values_list("role", flat=True)) == ["editingteacher"]


# --- "La mise à disposition est faite pour une durée déterminée. Le produit peut être renouvelé." -----
# The seed: durée de la mise à disposition du cours, en nombre de jours, par défaut 365 jours.


@pytest.mark.parametrize(("more", "days"), [((), 365), (("duration=30",), 30)])
def test_it_lasts_so_many_days_of_24_hours_from_the_purchase(
    template: Course, more: tuple[str, ...], days: int
) -> None:
    HANDLER.deliver(purchase(params(*more)))
    space = CourseSpace.objects.get()
    assert (space.starts_at, space.ends_at) == (PURCHASED, PURCHASED + timedelta(days=days))
    assert space.renewable is True


# --- note 1: "Le nom court du cours reste sous contrôle du gestionnaire afin d'éviter […] doublons" ----


def test_the_short_name_is_kept_free_of_doubles(template: Course) -> None:
    make_course("MINE")
    make_course("MINE-3")
    units = [unit("A"), unit("B"), unit("C", "OTHER"), unit("D", "MINE-2")]
    HANDLER.deliver(purchase("", *units))
    assert spaces() == [("MINE-2", "A"), ("MINE-4", "B"), ("OTHER", "C"), ("MINE-2-2", "D")]


def test_many_courses_of_one_wish_each_get_a_name(template: Course) -> None:
    HANDLER.deliver(purchase("", *[unit()] * 45))
    assert [name for name, _ in spaces()] == ["MINE", *(f"MINE-{number}" for number in range(2, 46))]


def test_a_name_lost_to_somebody_quicker_is_replaced(
    template: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the platform says is free may be taken when the course is made."""
    make_course("MINE")
    platform = type(get_platform())
    seen, told = platform.courses, []

    def courses(self: Any, names: Any) -> Any:
        told.append(list(names))
        return [None] * len(names) if len(told) == 1 else seen(self, names)

    monkeypatch.setattr(platform, "courses", courses)
    HANDLER.deliver(purchase())
    assert spaces() == [("MINE-2", "My course")]
    assert len(told) == 2


@pytest.mark.parametrize("name", ["a,b", "a*b", "a%b", "a/b", ".", "..", "a\u202eb", "a\nb", "x" * 81, " "])
def test_a_short_name_that_cannot_be_is_refused_in_the_form(name: str) -> None:
    form = HANDLER.CustomerData(unit(idnumber=name))  # type: ignore[misc]
    assert list(form.errors) == ["idnumber"]


def test_the_title_is_one_line() -> None:
    form = HANDLER.CustomerData(unit(" My\n course\t1 "))  # type: ignore[misc]
    assert form.is_valid()
    assert form.cleaned_data == {"fullname": "My course 1", "idnumber": "MINE"}


# --- per unit -----------------------------------------------------------------------------------------


def test_each_unit_is_a_space_with_a_reference_of_its_own(template: Course) -> None:
    account = make_account()
    bought = purchase(
        params("maxparticipants=12"),
        unit("A", "A"),
        unit("B", "B"),
        account_id=account.pk,
        item_code="SPACE",
        item_name="Course space",
    )
    delivery = HANDLER.deliver(bought)
    assert delivery.delivered == Delivered(spaces=2, enrolments=2)
    first, second = CourseSpace.objects.order_by("ordinal")
    assert first.reference != second.reference
    assert (first.line_key, first.ordinal, second.ordinal) == (bought.line_key, 1, 2)
    assert {(one.account_id, one.item_code, one.bill_number, one.max_participants) for one in (first, second)} == {
        (account.pk, "SPACE", "CMD-2026-000007", 12)
    }  # fmt: skip
    events = ProductEvent.objects.filter(reference=first.reference)
    assert list(events.values_list("verb", "at", "actor")) == [("bought", PURCHASED, "system")]


def test_no_seat_of_anybody_reaches_a_space(template: Course) -> None:
    make_course("OPEN")
    HANDLER.deliver(purchase())
    for courselist in ("", "*", "MINE"):
        assert "MINE" not in set(matching_courses(courselist).values_list("shortname", flat=True))


def test_delivering_again_changes_nothing(template: Course) -> None:
    bought = purchase("", unit("A", "A"), unit("B", "B"))
    delivery = HANDLER.deliver(bought)

    def state() -> list[Any]:
        return [
            list(Course.objects.order_by("pk").values()),
            list(CourseSpace.objects.order_by("pk").values()),
            list(Enrolment.objects.order_by("pk").values()),
            list(ProductEvent.objects.order_by("pk").values()),
        ]

    before = state()
    # Not even a template that is gone meanwhile matters then.
    Course.objects.filter(pk=template.pk).update(is_template=False)
    before = state()
    assert HANDLER.deliver(bought) == delivery
    assert state() == before


def test_two_lines_are_two_spaces_whatever_they_share(template: Course) -> None:
    HANDLER.deliver(purchase())
    HANDLER.deliver(purchase())
    assert [name for name, _ in spaces()] == ["MINE", "MINE-2"]


# --- "customersupport" -------------------------------------------------------------------------------


def test_the_buyer_is_enrolled_in_the_support_course_when_the_order_is_placed(template: Course) -> None:
    support = make_course("HELP", is_support=True)
    bought = purchase(params("customersupport=HELP"))
    assert HANDLER.prepare(bought).delivered == Delivered(enrolments=1)
    assert list(Enrolment.objects.values_list("course", "person", "role")) == [
        (support.pk, bought.buyer_id, "customer")
    ]
    assert CourseSpace.objects.count() == 0


# --- what it says ------------------------------------------------------------------------------------


def test_feedback_names_the_courses(template: Course) -> None:
    feedback = HANDLER.deliver(purchase()).feedback
    assert say("buycourse", feedback.as_json()["public"]) == "The course space “My course” is ready."
    assert say("buycourse", feedback.as_json()["sales"]) == (
        "1 course space was made for order CMD-2026-000007: MINE."
    )
    two = HANDLER.deliver(purchase("", *[unit(name, name) for name in "ABCD"])).feedback.as_json()
    assert say("buycourse", two["public"]) == "4 course spaces are ready: A, B, C (+1)."
    assert say("buycourse", two["private"]).startswith("Your 4 course spaces are ready: A, B, C (+1).")


def test_where_courses_live_elsewhere_the_mail_says_how_to_get_in(
    template: Course, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    platform = install_elsewhere(monkeypatch, settings)
    feedback = HANDLER.deliver(purchase()).feedback.as_json()
    assert say("buycourse", feedback["private"]) == (
        "Your course space “My course” is ready. Under My courses you open it, and choose your password for the courses "
        "first if you have none; under My products you put your participants into it."
    )
    assert platform.calls == ["copy_courses", "ensure_logins", "ensure_enrolments"]
    assert PlatformLogin.objects.get().needs_password
