"""The one password through a Moodle: chosen by the invitation, refused, lost on the way; and people of a course space."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Invitation, Person, Role
from common import jobs
from common.audit import OPERATOR
from common.listing import read_list
from common.models import Job
from courses.models import Course, CourseCategory, CourseSpace, Enrolment, PlatformLogin, SpaceChangePerson
from courses.moodle.platform import MoodlePlatform
from courses.platform import PlatformAway
from courses.services import restore_space, withdraw_space
from delegation.models import Delegation
from handlers.contract import HandlerError
from handlers.registry import get_handler
from portal.services.space_openings import run_note_space_openings
from portal.services.spaces import let_in_again, put_into_space, take_out
from tests.accounts.factories import OWN, make_account, make_invited, make_member, make_person
from tests.accounts.helpers import browser, use, who
from tests.courses.factories import make_space
from tests.handlers.factories import make_purchase
from tests.moodle.peer import MoodlePeer
from tests.moodle.site import mirror, peer_course, peer_user, use_peer
from tests.portal.test_space_people import inside, mails

UPDATE = "core_user_update_users"
ENROL = "enrol_manual_enrol_users"
GOOD = f"{OWN}-Aa1"


@pytest.fixture
def platform(settings: Any, moodle_peer: MoodlePeer, db: None) -> MoodlePlatform:
    return use_peer(settings, moodle_peer, timeout=2)


@pytest.fixture
def course(platform: MoodlePlatform, moodle_peer: MoodlePeer) -> Course:
    site = moodle_peer.site
    return mirror(site.add_course("EXCEL1", "Excel", site.add_category("Office")))


def invited(platform: MoodlePlatform, **fields: Any) -> tuple[Invitation, str]:
    person = make_person(email="lea@example.org", first_name="Typed", last_name="Wrongly", **fields)
    assert platform.ensure_logins([person.pk])[0].ok
    return make_invited(person=person, account=make_account())


def go_on() -> int:
    Job.objects.filter(state=Job.State.QUEUED).update(not_before=timezone.now())
    return jobs.run_due()


# --- the password -----------------------------------------------------------------------------------------


def test_the_password_of_the_invitation_is_the_one_of_moodle(
    platform: MoodlePlatform, moodle_peer: MoodlePeer, course: Course
) -> None:
    invitation, token = invited(platform)
    moodle_peer.forget_calls()
    client = browser()
    response = use(token, client, password=GOOD, next="/learn/EXCEL1/")
    assert response.status_code == 302
    user = peer_user(moodle_peer, invitation.person_id)
    assert (user.password, user.firstname, user.lastname) == (GOOD, "Ben", "Own")
    assert [call.function for call in moodle_peer.calls] == [UPDATE]
    assert moodle_peer.site.mails == []
    assert who(client) == invitation.person_id
    assert not Person.objects.get(pk=invitation.person_id).has_usable_password()
    assert not PlatformLogin.objects.get(person=invitation.person_id).needs_password


@pytest.mark.parametrize(
    ("kind", "is_set"),
    [
        ("refuse_connection", False),
        ("maintenance", False),
        ("bad_gateway_before", False),
        ("bad_gateway_after", True),
        ("garbage_after", True),
        ("reset_after", True),
        ("type_error", False),
    ],
)
def test_whatever_happens_on_the_way_the_link_works_and_the_page_says_so(
    platform: MoodlePlatform, moodle_peer: MoodlePeer, kind: Any, is_set: bool
) -> None:
    invitation, token = invited(platform)
    user = peer_user(moodle_peer, invitation.person_id)
    secret = user.password
    before = Invitation.objects.values().get()
    moodle_peer.faults.add(UPDATE, kind)
    client = browser()
    response = use(token, client, password=GOOD)
    assert response.status_code == 200
    assert "does not answer just now. Nothing was changed" in " ".join(response.content.decode().split())
    assert Invitation.objects.values().get() == before
    assert who(client) is None
    assert Person.objects.get(pk=invitation.person_id).possessed_at is None
    assert (user.password == GOOD, user.password == secret) == (is_set, not is_set)
    assert use(token, client, password=f"{GOOD}-again").status_code == 302
    assert user.password == f"{GOOD}-again"


def test_a_password_that_moodle_refuses_is_said_at_its_field(
    platform: MoodlePlatform, moodle_peer: MoodlePeer
) -> None:
    invitation, token = invited(platform)
    secret = peer_user(moodle_peer, invitation.person_id).password
    response = use(token, password="only small letters here")
    assert list(response.context["form"].errors) == ["password"]
    assert peer_user(moodle_peer, invitation.person_id).password == secret
    assert PlatformLogin.objects.get().password_set_at is None


def test_a_login_that_was_there_before_is_left_alone(
    platform: MoodlePlatform, moodle_peer: MoodlePeer
) -> None:
    there = moodle_peer.site.add_user("lea", "Lea@Example.org", firstname="Léa", lastname="Durand")
    _invitation, token = invited(platform)
    before = vars(there).copy()
    moodle_peer.forget_calls()
    client = browser()
    assert 'type="password"' not in client.get(f"/invitation/{token}/").content.decode()
    response = client.post(f"/invitation/{token}/", {"first_name": "Ben", "last_name": "Own"}, follow=True)
    assert "<strong>lea</strong>" in response.content.decode()
    assert vars(there) == before
    assert moodle_peer.calls == []


# --- a course space ---------------------------------------------------------------------------------------


@pytest.fixture
def space(platform: MoodlePlatform, course: Course) -> CourseSpace:
    owner = make_member(Role.OWNER)
    Course.objects.filter(pk=course.pk).update(is_space=True)
    course.refresh_from_db()
    space = make_space(course, account=owner.account, owner=owner.person, max_participants=4)
    Enrolment.objects.all().delete()
    platform.ensure_logins([owner.person_id])
    return space


def put(space: CourseSpace, text: str) -> None:
    put_into_space(space_id=space.pk, entries=read_list(text).rows, actor=OPERATOR, language="en")


def states() -> list[tuple[str, str, str]]:
    return list(SpaceChangePerson.objects.order_by("email", "pk").values_list("email", "state", "code"))


def suspended(peer: MoodlePeer, space: CourseSpace) -> dict[str, bool]:
    """Who is enrolled there, and whether he is suspended."""
    there = peer_course(peer, space.course)
    rows = peer.site.enrolments.values()
    return {peer.site.users[one.user_id].email: one.suspended for one in rows if one.course_id == there.id}


def test_people_are_put_into_a_space_taken_out_and_let_in_again(
    platform: MoodlePlatform, moodle_peer: MoodlePeer, space: CourseSpace
) -> None:
    site = moodle_peer.site
    teacher = site.add_user("zoe", "zoe@example.org")
    site.enrol(teacher, peer_course(moodle_peer, space.course), 5)
    moodle_peer.forget_calls()
    put(space, "new@example.org\nzoe@example.org")
    assert moodle_peer.calls == []
    assert go_on() == 1
    assert states() == [("new@example.org", "done", ""), ("zoe@example.org", "already", "")]
    assert inside(space) == {"new@example.org": ("student", "active")}
    assert mails() == [("space_invitation", "new@example.org")]
    person = Person.objects.get(email_key="new@example.org")
    assert take_out(space_id=space.pk, person_id=person.pk, actor=OPERATOR)
    assert go_on() == 1
    assert suspended(moodle_peer, space) == {"new@example.org": True, "zoe@example.org": False}
    assert let_in_again(space_id=space.pk, person_id=person.pk, actor=OPERATOR)
    assert go_on() == 1
    assert suspended(moodle_peer, space) == {"new@example.org": False, "zoe@example.org": False}


@pytest.mark.parametrize("kind", ["bad_gateway_before", "bad_gateway_after", "garbage_after", "reset_after"])
@pytest.mark.parametrize("function", [ENROL, "core_user_create_users", "core_enrol_get_enrolled_users"])
def test_whatever_happens_on_the_way_everybody_is_in_once(
    platform: MoodlePlatform, moodle_peer: MoodlePeer, space: CourseSpace, function: str, kind: Any
) -> None:
    moodle_peer.faults.add(function, kind)
    put(space, "a@example.org b@example.org")
    for _attempt in range(5):
        if go_on():
            break
    assert states() == [("a@example.org", "done", ""), ("b@example.org", "done", "")]
    assert suspended(moodle_peer, space) == {"a@example.org": False, "b@example.org": False}
    assert mails() == [("space_invitation", "a@example.org"), ("space_invitation", "b@example.org")]
    assert [user.email for user in moodle_peer.site.living_users()].count("a@example.org") == 1


def test_who_has_come_is_seen_on_the_page_of_the_space(
    platform: MoodlePlatform, moodle_peer: MoodlePeer, space: CourseSpace
) -> None:
    put(space, "a@example.org b@example.org")
    go_on()
    person = Person.objects.get(email_key="a@example.org")
    assert run_note_space_openings(now=timezone.now()) == 0
    moodle_peer.site.visit(peer_user(moodle_peer, person), peer_course(moodle_peer, space.course))
    with moodle_peer.away(), pytest.raises(PlatformAway):
        run_note_space_openings(now=timezone.now())
    assert run_note_space_openings(now=timezone.now()) == 1
    row = Enrolment.objects.get(person=person)
    assert row.was_opened
    accepted = Delegation.objects.filter(accepted_at__isnull=False)
    assert [one.person_id for one in accepted] == [person.pk]
    moodle_peer.forget_calls()
    assert run_note_space_openings(now=timezone.now()) == 0
    assert len(moodle_peer.calls) == 1


def test_withdrawn_and_given_back_by_jobs(
    platform: MoodlePlatform, moodle_peer: MoodlePeer, space: CourseSpace
) -> None:
    put(space, "a@example.org")
    go_on()
    withdraw_space(reference=space.reference, actor=OPERATOR)
    with moodle_peer.away():
        assert go_on() == 0
    assert go_on() == 1
    assert not peer_course(moodle_peer, space.course).visible
    assert suspended(moodle_peer, space) == {"a@example.org": True}
    restore_space(reference=space.reference, actor=OPERATOR)
    assert go_on() == 1
    assert peer_course(moodle_peer, space.course).visible
    assert suspended(moodle_peer, space) == {"a@example.org": False}


def test_a_course_space_is_bought(
    platform: MoodlePlatform, moodle_peer: MoodlePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courses.moodle.copying.SETTLING", timedelta(0))
    site = moodle_peer.site
    template = mirror(
        site.add_course("MODEL", "Model", site.add_category("Templates"), visible=False), is_template=True
    )
    number = site.add_category("Spaces").id
    CourseCategory.objects.create(name="Spaces", remote_id=number)
    buyer = make_member(Role.BUYER)
    typed = f"coursecategory={number}&template={template.shortname}"
    bought = make_purchase(
        typed,
        handler="buycourse",
        account_id=buyer.account_id,
        buyer_id=buyer.person_id,
        customer_data=({"fullname": "Our course", "idnumber": "OURS"},),
        purchased_at=timezone.now(),
        renewable=True,
    )
    handler = get_handler("buycourse")
    moodle_peer.faults.add("core_course_duplicate_course", "bad_gateway_after")
    with pytest.raises(HandlerError) as away:
        handler.deliver(bought)
    assert away.value.outside
    assert CourseSpace.objects.count() == 0
    handler.deliver(bought)
    space = CourseSpace.objects.get()
    there = peer_course(moodle_peer, space.course)
    assert (there.shortname, there.fullname, there.visible) == ("OURS", "Our course", True)
    assert [one.shortname for one in site.courses.values() if "Our course" in one.fullname] == ["OURS"]
    assert site.roles_of(peer_user(moodle_peer, buyer.person), there) == {"courseowner"}
    handler.deliver(bought)
    assert CourseSpace.objects.count() == 1
    # The buyer signs in to the shop as ever, and chooses the password for his course.
    page = browser(buyer.person).get("/learn/OURS/", follow=True)
    assert page.redirect_chain == [("/courses/password/?next=%2Flearn%2FOURS%2F", 302)]
