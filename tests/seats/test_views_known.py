"""Matching an address tells a customer nothing: the same words for known and unknown ones on every page."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from accounts.models import Role
from common.models import OutboxMail
from common.outbox import deliver_due
from seats.models import Assignment
from tests.accounts.factories import make_person
from tests.courses.factories import make_course, make_enrolment
from tests.seats.factories import apply, give, make_pool, plan_list
from tests.seats.pages import House, plain

pytestmark = pytest.mark.django_db

KINDS = ["known", "known elsewhere", "waiting", "staff", "closed"]
DELEGATED = [kind for kind in KINDS if kind != "staff"]  # staff logins are never delegated


def meet(kind: str, email: str) -> None:
    """Make somebody of this kind known under the address."""
    if kind == "known":
        make_person(
            email=email, password="x", first_name="Own", last_name="Name", possessed_at=timezone.now()
        )
    elif kind == "known elsewhere":
        person = make_person(email=email, first_name="Own", last_name="Name", possessed_at=timezone.now())
        make_enrolment(make_course(), person)
    elif kind == "waiting":
        other = House()
        make_pool(other.account, 1)
        give(other.account, make_course(), email)
    elif kind == "closed":
        make_person(email=email, is_active=False, first_name="Own", last_name="Name")
    else:
        make_person(
            email=email, is_staff=True, first_name="Own", last_name="Name", possessed_at=timezone.now()
        )


def told(source: str, email: str) -> str:
    """What a page says, with what differs from person to person put the same."""
    text = plain(source) if "<html" in source else source
    text = text.replace(email, "ADDRESS")
    text = re.sub(r"\b[A-Z0-9]{4}(-[A-Z0-9]{4}){3}\b", "REFERENCE", text)
    return re.sub(r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?|\b([Uu]n)?[Kk]nown\b|Lovelace \d+", "", text)


@pytest.mark.parametrize("kind", KINDS)
def test_review_result_lists_and_seat_say_the_same_of_a_known_and_an_unknown_address(kind):
    course = make_course("EXCEL1", fullname="Excel")
    house = House()
    make_pool(house.account, 4, bill_number="CMD-1")
    meet(kind, "known@x.org")
    pages: dict[str, list[str]] = {}
    for email in ("known@x.org", "unknown@x.org"):
        client = house.browser()
        batch = plan_list(house.account, course, email)
        pages.setdefault("review", []).append(
            told(client.get(f"/seats/lists/{batch.pk}/").content.decode(), email)
        )
        apply(batch)
        result = client.get(f"/seats/lists/{batch.pk}/").content.decode()
        pages.setdefault("result", []).append(told(result, email))
        deliver_due()
        result = client.get(f"/seats/lists/{batch.pk}/").content.decode()
        pages.setdefault("result after the mail", []).append(told(result, email))
        given = Assignment.objects.select_related("seat").get(row__batch=batch)
        seat = client.get(f"/seats/{given.seat.reference}/").content.decode()
        pages.setdefault("seat", []).append(told(seat, email))
        found = client.get("/seats/all/", {"q": email}).content.decode()
        pages.setdefault("list", []).append(told(found, email))
        saved = client.get("/seats/all.csv", {"q": email}).content.decode()
        pages.setdefault("csv", []).append(told(saved, email))
        refused = client.get(f"/seats/lists/{batch.pk}/refused.csv").content.decode()
        pages.setdefault("refused", []).append(told(refused, email))
        replaced = client.post(f"/seats/{given.seat.reference}/resend/").content.decode()
        pages.setdefault("resent", []).append(told(replaced, email))
        # Back to where we were, so that the numbers of both are the same.
        client.post(f"/seats/{given.seat.reference}/release/")
        client.get("/seats/all/")
        free = client.get(f"/seats/{given.seat.reference}/").content.decode()
        pages.setdefault("freed", []).append(told(free, email).partition("What happened")[0])
        Assignment.objects.filter(pk=given.pk).delete()
    for name, (known, unknown) in pages.items():
        left_out = name == "refused" and known == unknown
        assert known == unknown, name
        assert known or left_out, name
    assert "Own Name" not in str(pages)
    assert "sent" in pages["result after the mail"][0]
    assert {"invitation", "enrolled"} >= set(OutboxMail.objects.values_list("kind", flat=True))


@pytest.mark.parametrize("kind", KINDS)
def test_replacing_and_correcting_say_the_same_of_a_known_and_an_unknown_address(kind):
    meet(kind, "known@x.org")
    said: dict[str, list[str]] = {}
    for email in ("known@x.org", "unknown@x.org"):
        for action in ("replace", "correct"):
            house = House()
            make_pool(house.account, 4, bill_number="CMD-1")
            given = give(house.account, make_course(fullname="Excel"), "first@x.org")
            page = house.browser().post(
                f"/seats/{given.seat.reference}/{action}/", {f"{action}-email": email}, follow=True
            )
            said.setdefault(action, []).append(told(page.content.decode(), email))
    for action, (known, unknown) in said.items():
        assert known == unknown, action


@pytest.mark.parametrize("kind", DELEGATED)
@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER])
def test_my_people_and_the_persons_page_say_the_same(kind, role):
    course = make_course("EXCEL1")
    house = House()
    make_pool(house.account, 4)
    meet(kind, "known@x.org")
    said: dict[str, list[str]] = {}
    for email in ("known@x.org", "unknown@x.org"):
        given = give(house.account, course, email)
        client = house.browser(role)
        for name, path in {"list": f"/people/?q={email}", "person": f"/people/{given.person_id}/"}.items():
            said.setdefault(name, []).append(told(client.get(path).content.decode(), email))
    for name, (known, unknown) in said.items():
        assert known == unknown, name
    assert "Own Name" not in str(said)
