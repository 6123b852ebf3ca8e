"""What staff does from the back office and from the command line: the same services, always with a reason."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import CustomerAccount, Person, Role
from billing.models import Bill
from common import jobs
from common.models import AuditEntry, Job, OutboxMail
from courses.models import Course, Enrolment, ProductEvent
from seats.models import Assignment, Seat, SeatPool
from tests.accounts.factories import make_account, make_member, make_person
from tests.billing.factories import seats_item
from tests.courses.factories import make_course, make_space
from tests.seats.factories import give, make_pool, references, states
from tests.seats.life import DAY, session_of, verbs
from tests.seats.remote import install

pytestmark = pytest.mark.django_db

NOW = timezone.now()
PAGES = {
    "seat": "/admin/seats/seat/",
    "session": "/admin/seats/session/",
    "space": "/admin/courses/coursespace/",
}


@pytest.fixture
def account() -> CustomerAccount:
    account = make_account(slug="demo")
    make_member(Role.OWNER, account=account)
    return account


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture
def staff() -> Person:
    return make_person(is_staff=True, is_superuser=True)


@pytest.fixture
def office(staff) -> Client:
    """The back office, in English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff)
    return client


def act(office: Client, page: str, action: str, *pks: int, **typed: str) -> Any:
    """Choose rows and an action; with something typed the page that asks is filled in and sent."""
    data: dict[str, Any] = {"action": action, "_selected_action": list(pks)}
    return office.post(page, data | ({"done": "1"} | typed if typed else {}), follow=bool(typed))


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- products -------------------------------------------------------------------------------------------


def test_the_reason_is_asked_before_anything_is_done(office, account, course):
    make_pool(account, 1)
    ada = give(account, course, "ada@example.org")
    page = act(office, PAGES["seat"], "withdraw_products", ada.seat_id)
    assert page.status_code == 200
    assert ada.seat.reference in page.content.decode()
    assert states(account) == {"assigned": 1}
    missing = act(office, PAGES["seat"], "withdraw_products", ada.seat_id, why="")
    assert missing.context["form"].errors["why"]
    assert states(account) == {"assigned": 1}


def test_staff_withdraws_and_gives_back(office, staff, account, course):
    make_pool(account, 1)
    ada = give(account, course, "ada@example.org")
    done = act(office, PAGES["seat"], "withdraw_products", ada.seat_id, why="reversed payment")
    assert said(done) == ["1 product was changed."]
    assert states(account) == {"withdrawn": 1}
    entry = AuditEntry.objects.get(verb="products.withdrawn")
    assert (entry.actor, entry.why) == (f"person:{staff.pk}", "reversed payment")
    assert OutboxMail.objects.filter(kind="product_changed").count() == 1
    act(office, PAGES["seat"], "restore_products", ada.seat_id, why="it came after all")
    assert states(account) == {"assigned": 1}
    trail = office.get(f"{PAGES['seat']}{ada.seat_id}/change/").content.decode()
    assert "reversed payment" in trail
    assert "it came after all" in trail


def test_staff_extends_to_a_day_that_is_included(office, staff, account, course):
    with time_machine.travel("2027-05-03T08:00:00+02:00"):
        office.force_login(staff)
        session = session_of(account, course, "ada@example.org", "bob@example.org")
        page = PAGES["session"]
        act(office, page, "extend_to_a_day", session.pk, why="ill trainer", last_day="2027-07-31")
    session.refresh_from_db()
    assert session.ends_at == datetime.fromisoformat("2027-08-01T00:00:00+02:00")
    assert {one.ends_at for one in Assignment.objects.all()} == {session.ends_at}


def test_what_is_refused_is_said_with_its_reason(office, account, course):
    free, taken = make_pool(account, 2).seats.order_by("ordinal")
    typed = {"why": "goodwill", "last_day": "2099-01-01"}
    done = act(office, PAGES["seat"], "extend_to_a_day", free.pk, taken.pk, **typed)
    assert said(done)[0] == "0 products were changed."
    assert "Nobody has this seat" in said(done)[1]


def test_spaces_have_the_same_actions(office, account):
    space = make_space(account=account)
    act(office, PAGES["space"], "withdraw_products", space.pk, why="breach of terms")
    assert Course.objects.get(space=space).closed_at is not None
    act(office, PAGES["space"], "restore_products", space.pk, why="settled")
    assert Course.objects.get(space=space).closed_at is None
    last = (space.ends_at + 10 * DAY).date().isoformat()
    act(office, PAGES["space"], "extend_to_a_day", space.pk, why="goodwill", last_day=last)
    assert verbs(space.reference)[-1] == "extended"


def test_a_remote_platform_is_told_of_spaces_and_seats_by_jobs(
    office, account, course, monkeypatch, settings
):
    space = make_space(account=account)
    make_pool(account, 1)
    ada = give(account, course, "ada@example.org")
    far = install(monkeypatch, settings)
    act(office, PAGES["space"], "withdraw_products", space.pk, why="breach of terms")
    act(office, PAGES["seat"], "withdraw_products", ada.seat_id, why="breach of terms")
    assert (verbs(space.reference), verbs(ada.seat.reference), far.calls) == (
        ["withdrawn"],
        ["withdrawn"],
        [],
    )
    assert Course.objects.get(space=space).closed_at is None
    kinds = ["courses.hold_space", "seats.hold"]
    assert sorted(Job.objects.filter(kind__in=kinds).values_list("kind", flat=True)) == kinds
    for job in Job.objects.filter(kind__in=kinds):
        assert jobs.run(job.pk)
    assert Course.objects.get(space=space).closed_at is not None
    assert Enrolment.objects.get(person=ada.person).status == "suspended"


def test_free_seats_become_good_for_other_courses(office, account):
    make_course("WORD1")
    pool = make_pool(account, 2, courselist="EXCEL*")
    page = "/admin/seats/seatpool/"
    wrong = act(office, page, "change_courses", pool.pk, courselist="NOTHING", why="asked for")
    assert "No open course matches" in wrong.content.decode()
    done = act(office, page, "change_courses", pool.pk, courselist="WORD1", why="asked for")
    assert said(done) == ["2 free seats are concerned."]
    assert SeatPool.objects.get().courselist == "WORD1"


def test_one_pool_at_a_time(office, account):
    make_course("WORD1")
    pools = [make_pool(account, 1), make_pool(account, 1)]
    typed = {"courselist": "WORD1", "why": "x"}
    done = act(office, "/admin/seats/seatpool/", "change_courses", *(pool.pk for pool in pools), **typed)
    assert said(done) == ["Choose one row."]
    assert not ProductEvent.objects.exists()


def test_whoever_may_only_look_does_nothing(account, course):
    looker = make_person(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_seat"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(looker)
    make_pool(account, 1)
    ada = give(account, course, "ada@example.org")
    page = act(client, PAGES["seat"], "withdraw_products", ada.seat_id, why="x")
    assert "withdraw_products" not in page.content.decode()
    assert states(account) == {"assigned": 1}


# --- gifts ----------------------------------------------------------------------------------------------


def test_staff_gives_extra_seats(office, staff, account):
    item = seats_item(params="packsize=5")
    asked = office.get("/admin/billing/bill/gift/?account=demo")
    assert asked.context["form"]["account"].value() == "demo"
    typed = {"account": "demo", "item": item.pk, "quantity": 2, "why": "goodwill", "key": "k1"}
    assert "Give seats away" in office.get("/admin/billing/bill/").content.decode()
    done = office.post("/admin/billing/bill/gift/", typed, follow=True)
    bill = Bill.objects.get()
    assert said(done) == [f"Order {bill.number} gives the seats."]
    assert (bill.gross, bill.account, bill.is_gift) == (0, account, True)
    assert AuditEntry.objects.get(verb="order.gift").actor == f"person:{staff.pk}"
    office.post("/admin/billing/bill/gift/", typed)
    assert Bill.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"account": "nobody"}, {"why": ""}, {"quantity": 0}, {"item": 0}])
def test_a_gift_that_cannot_be_says_which_field(office, account, wrong):
    item = seats_item()
    typed = {"account": "demo", "item": item.pk, "quantity": 1, "why": "goodwill", "key": "k1"} | wrong
    page = office.post("/admin/billing/bill/gift/", typed)
    assert list(page.context["form"].errors) == list(wrong)
    assert not Bill.objects.exists()


def test_whoever_may_not_change_orders_gives_nothing(account):
    looker = make_person(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_bill"))
    client = Client()
    client.force_login(looker)
    assert client.get("/admin/billing/bill/gift/").status_code == 403
    assert "gift/" not in client.get("/admin/billing/bill/").content.decode()


# --- commands -------------------------------------------------------------------------------------------


def run(capsys: Any, *arguments: str) -> Any:
    call_command(*arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_commands_do_the_same(account, course, capsys):
    make_pool(account, 1, access_seconds=86_400)
    ada = give(account, course, "ada@example.org")
    typed = ada.seat.reference.lower()
    changed = {"changed": [ada.seat.reference], "refused": []}
    assert run(capsys, "withdrawproduct", typed, "--why", "x") == changed
    assert run(capsys, "restoreproduct", typed, "--why", "x") == changed
    assert run(capsys, "extendproduct", typed, "--until", "2099-12-31", "--why", "x") == changed
    ada.refresh_from_db()
    assert ada.ends_at == datetime.fromisoformat("2100-01-01T00:00:00+01:00")
    assert run(capsys, "withdrawproduct", typed, "--why", "x") == changed
    assert verbs(ada.seat.reference) == ["withdrawn", "restored", "extended", "withdrawn"]


def test_a_refusal_is_in_the_document(account, capsys):
    [reference] = references(make_pool(account, 1))
    with pytest.raises(CommandError) as failure:
        call_command("extendproduct", reference, "--until", "2099-12-31", "--why", "x", "--json")
    assert failure.value.returncode == 1
    [refused] = json.loads(capsys.readouterr().out)["refused"]
    assert (refused["reference"], refused["code"]) == (reference, "free")


@pytest.mark.parametrize(
    ("arguments", "key"),
    [(["--until", "tomorrow", "--why", "x"], "until:"), (["--until", "2099-01-01", "--why", " "], "why:")],
)
def test_bad_arguments_change_nothing(account, arguments, key):
    [reference] = references(make_pool(account, 1))
    with pytest.raises(CommandError, match=key) as refused:
        call_command("extendproduct", reference, *arguments)
    assert refused.value.returncode == 2
    assert Seat.objects.get().expired_at is None


def test_setitem_says_what_follows_for_seats_not_given_in_time(capsys):
    seats_item()
    command = ["setitem", "PACK", "--name", "Pack", "--price", "10", "--handler", "generateseats"]
    made = run(capsys, *command, "--params", "validity=30")
    assert made["unassigned_end"] == "extend"
    assert run(capsys, "setitem", "PACK", "--unassigned-end", "credit")["unassigned_end"] == "credit"
    assert run(capsys, "setitem", "PACK", "--price", "12")["unassigned_end"] == "credit"
    with pytest.raises(CommandError):
        call_command("setitem", "PACK", "--unassigned-end", "burn")


def test_what_follows_is_frozen_into_the_order_and_reaches_the_seats(account, capsys):
    seats_item(params="validity=30", unassigned_end="nothing")
    at = (NOW - 40 * DAY).isoformat()
    command = ["placeorder", "--account", "demo", "--item", "SEATS", "--quantity", "2", "--at", at]
    bill = run(capsys, *command)["bill"]
    run(capsys, "markpaid", bill, "--at", at)
    run(capsys, "setitem", "SEATS", "--unassigned-end", "extend")
    run(capsys, "produce", bill)
    pool = SeatPool.objects.get()
    assert (pool.unassigned_end, pool.validity_seconds) == ("nothing", 30 * 86_400)
    assert states(account) == {"expired": 2}
    assert run(capsys, "expire") == {"seats": 2, "spaces": 0}
