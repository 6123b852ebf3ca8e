"""`buycourse`: what the shop admin is told, and what keeps a course space from being delivered."""

from __future__ import annotations

from typing import Any

import pytest

from common.audit import OPERATOR
from courses.models import Course, CourseSpace, Enrolment
from courses.platform import UNKNOWN, PlatformAway
from courses.platforms import get_platform
from courses.services import make_backup
from handlers.contract import Delivered, HandlerError, Purchase, SeatMode
from tests.accounts.factories import make_account
from tests.courses.factories import make_template
from tests.handlers.factories import PURCHASED, make_course, make_offer
from tests.handlers.test_buycourse import HANDLER, params, purchase, spaces, unit

pytestmark = pytest.mark.django_db


def found(string: str, **fields: Any) -> list[tuple[str, str, str, str]]:
    findings = HANDLER.check(make_offer(string, **fields), at=PURCHASED)
    return [(finding.level, finding.code, finding.message, finding.key) for finding in findings]


@pytest.fixture
def template() -> Course:
    return make_template()


def test_check_finds_nothing_wrong_with_a_sound_item(template: Course) -> None:
    assert found(params("maxparticipants=200"), renewable=True) == []
    assert HANDLER.is_available(make_offer(params()), None)


def test_check_says_that_a_course_without_template_is_empty() -> None:
    assert found(params(template="")) == [
        ("info", "empty_course", "Without a template each space is an empty course.", "template")
    ]


def test_the_category_is_required_and_must_exist(template: Course) -> None:
    assert [(level, code, key) for level, code, _, key in found("template=MODEL")] == [
        ("error", "params", "coursecategory")
    ]
    assert found("coursecategory=999999&template=MODEL") == [
        (
            "error",
            "category_unknown",
            "There is no course category with the number 999999.",
            "coursecategory",
        )
    ]
    assert [(code, key) for _, code, _, key in found("coursecategory=Espaces&template=MODEL")] == [
        ("params", "coursecategory")
    ]


def test_the_template_must_exist_be_marked_and_have_a_backup_without_user_data(template: Course) -> None:
    make_backup(course_id=make_course("PLAIN").pk, with_users=False, actor=OPERATOR)
    bare = make_course("BARE", is_template=True)
    make_backup(course_id=bare.pk, with_users=True, actor=OPERATOR)
    make_course("BOTH")
    lost = make_template("LOST")
    backup = lost.backups.get()
    backup.file.storage.delete(backup.file.name or "")
    reasons = {
        "NOTHING": [("unknown_template", "There is no course with the short name NOTHING.")],
        "PLAIN": [("not_a_template", "PLAIN is not marked as a template.")],
        "BARE": [
            (
                "no_backup",
                "BARE has no backup without user data: make one, course spaces are restored from it.",
            )
        ],
        "BOTH": [
            ("not_a_template", "BOTH is not marked as a template."),
            (
                "no_backup",
                "BOTH has no backup without user data: make one, course spaces are restored from it.",
            ),
        ],
        "LOST": [
            (
                "lost_backup",
                "The newest backup of LOST cannot be read any more: make another one without user data.",
            )
        ],
    }
    for name, expected in reasons.items():
        string = params(template=name)
        assert found(string) == [("error", code, message, "template") for code, message in expected]
        assert not HANDLER.is_available(make_offer(string), None)


def test_its_items_ask_for_no_people(template: Course) -> None:
    assert found(params(), seat_mode=SeatMode.QUANTITY)[0][1] == "seat_mode"


@pytest.mark.parametrize("key", ["duration=0", "maxparticipants=0", "maxparticipants=-1", "cat=1"])
def test_bad_parameters_are_refused_by_their_key(template: Course, key: str) -> None:
    assert [(level, name) for level, _, _, name in found(params(key))] == [("error", key.partition("=")[0])]


def nothing_was_made() -> bool:
    return not CourseSpace.objects.exists() and not Course.objects.filter(is_space=True).exists()


def test_a_template_that_is_gone_fails_for_good_and_after_the_repair_it_is_delivered(
    template: Course,
) -> None:
    bought = purchase("", unit("A", "A"), unit("B", "B"))
    Course.objects.filter(pk=template.pk).update(shortname="GONE")
    for _attempt in range(2):
        with pytest.raises(HandlerError) as failed:
            HANDLER.deliver(bought)
        assert (failed.value.permanent, failed.value.field) == (True, "template")
        assert nothing_was_made()
        assert Enrolment.objects.count() == 0
    Course.objects.filter(pk=template.pk).update(shortname="MODEL")
    assert HANDLER.deliver(bought).delivered == Delivered(spaces=2, enrolments=2)


def test_a_backup_that_is_gone_or_damaged_fails_for_good(template: Course) -> None:
    backup = template.backups.get()
    with backup.file.storage.open(backup.file.name or "", "wb") as stream:
        stream.write(b"{not ours")
    bought = purchase()
    with pytest.raises(HandlerError) as damaged:
        HANDLER.deliver(bought)
    assert (damaged.value.permanent, damaged.value.field) == (True, "template")
    backup.delete()
    with pytest.raises(HandlerError) as failed:
        HANDLER.deliver(bought)
    assert (failed.value.permanent, failed.value.field) == (True, "template")
    assert nothing_was_made()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"buyer_id": None}, ""),
        ({"customer_data": ()}, "fullname"),
        ({"customer_data": ({"fullname": "A", "idnumber": "a/b"},)}, "idnumber"),
        ({"customer_data": ({"fullname": "", "idnumber": "A"},)}, "fullname"),
    ],
)
def test_an_order_that_cannot_be_delivered_fails_for_good(
    template: Course, changes: dict[str, Any], field: str
) -> None:
    bought = purchase()
    bad = Purchase(**{name: getattr(bought, name) for name in bought.__slots__} | changes)
    with pytest.raises(HandlerError) as failed:
        HANDLER.deliver(bad)
    assert (failed.value.permanent, failed.value.field) == (True, field)
    assert nothing_was_made()


def test_a_line_known_with_another_account_or_fewer_units_fails_for_good(template: Course) -> None:
    bought = purchase("", unit("A", "A"), unit("B", "B"))
    HANDLER.deliver(bought)
    values = {name: getattr(bought, name) for name in bought.__slots__}
    for changes in ({"account_id": make_account().pk}, {"quantity": 1, "customer_data": (unit(),)}):
        with pytest.raises(HandlerError) as failed:
            HANDLER.deliver(Purchase(**values | changes))
        assert failed.value.permanent
    assert CourseSpace.objects.count() == 2


@pytest.mark.parametrize("answer", [PlatformAway("no route"), UNKNOWN])
def test_a_platform_that_does_not_answer_is_tried_again(
    template: Course, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    platform = type(get_platform())
    enrol = platform.ensure_enrolments

    def away(self: Any, rows: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return [answer for _ in rows]

    bought = purchase()
    monkeypatch.setattr(platform, "ensure_enrolments", away)
    with pytest.raises(HandlerError) as failed:
        HANDLER.deliver(bought)
    assert (failed.value.permanent, failed.value.outside) == (False, True)
    assert nothing_was_made()
    monkeypatch.setattr(platform, "ensure_enrolments", enrol)
    HANDLER.deliver(bought)
    assert spaces() == [("MINE", "My course")]
