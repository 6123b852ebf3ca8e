"""The operators' page: who sees it, what it says of the platform and of what waits, and its buttons."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import ProductionRun
from billing.selectors.subjects import KINDS
from common import jobs
from common.models import AuditEntry, Job, OutboxMail
from courses.models import PlatformSite, ProductEvent
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import plain_item
from tests.courses.factories import make_course
from tests.seats.factories import plan_list
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db

JOBS, RUNS, MAILS, TRY = (
    reverse(f"billing:{name}")
    for name in ("operations", "operations_deliveries", "operations_mails", "operations_try")
)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


def signed_in(*permissions: str, **fields: Any) -> Client:
    """A member of staff with these permissions, in English."""
    person = make_person(is_staff=True, **fields)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    client.cookies.load({"django_language": "en"})
    return client


@pytest.fixture
def reader(db) -> Client:
    return signed_in("view_job")


@pytest.fixture
def operator(db) -> Client:
    return signed_in("view_job", "change_job")


def words(client: Client, path: str = JOBS, **query: str) -> str:
    """The text of the page, without its frame."""
    page = client.get(path, query).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main)).strip()


# --- who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [JOBS, RUNS, MAILS])
def test_only_staff_with_the_permission_see_it(path, reader):
    stranger, staff = Client(), signed_in()
    assert stranger.get(path).status_code == 302
    stranger.force_login(make_person())
    assert stranger.get(path).status_code == 404
    assert staff.get(path).status_code == 403
    assert reader.get(path).status_code == 200


def test_who_may_only_look_finds_no_buttons_and_changes_nothing(reader, far):
    job = Job.objects.create(kind="k", object_id=1, state="failed")
    assert "Try" not in words(reader)
    assert reader.post(reverse("billing:job_again", args=[job.pk])).status_code == 403
    assert reader.post(TRY).status_code == 403
    job.refresh_from_db()
    assert job.state == "failed"
    assert not AuditEntry.objects.exists()


def test_the_back_office_leads_to_it(reader):
    assert f'href="{JOBS}"' in reader.get(reverse("admin:index")).content.decode()
    assert f'href="{JOBS}"' not in signed_in().get(reverse("admin:index")).content.decode()


# --- the platform ---------------------------------------------------------------------------------


def test_a_platform_of_our_own_has_nothing_to_try(operator):
    page = words(operator)
    assert "It is built in" in page
    assert "Try now" not in page
    assert "Nothing waits, and nothing was given up." in page


def test_a_platform_that_is_away(operator, far):
    Job.objects.create(kind="k", object_id=1, waiting_since=NOON)
    PlatformSite.objects.create(
        platform=far.name,
        failures=5,
        last_error="No route to host.",
        last_error_at=NOON + timedelta(hours=1),
        open_until=NOON + timedelta(hours=2),
        lease_holder="worker-3",
        lease_until=timezone.now() + timedelta(seconds=60),
    )
    page = words(operator)
    assert "It has not answered since 20 November 2026 at 13:00." in page
    assert "Answers no" in page
    assert "Last error No route to host. 20 November 2026 at 14:00" in page
    assert "Not asked again before 20 November 2026 at 15:00" in page
    assert "Writes to it now worker-3" in page
    assert "What waits goes on by itself: nobody is needed." in page


def test_a_platform_that_refuses_us_says_what_to_change(operator, far):
    PlatformSite.objects.create(
        platform=far.name, needs_admin=True, last_error="Make a new token.", last_error_at=NOON
    )
    assert "refuses us until somebody changes something there: Make a new token." in words(operator)


def test_a_platform_that_answers(operator, far):
    PlatformSite.objects.create(
        platform=far.name,
        last_error="No route to host.",
        last_error_at=NOON,
        last_ok_at=NOON + timedelta(hours=1),
        lease_holder="worker-3",
        lease_until=NOON,
    )
    page = words(operator)
    assert "Answers yes Last known to answer 20 November 2026 at 14:00" in page
    assert "has not answered" not in page
    assert "worker-3" not in page


def test_try_now_lets_all_that_waits_go_on(operator, far):
    later = timezone.now() + timedelta(minutes=4)
    Job.objects.create(kind="k", object_id=1, waiting_since=NOON, not_before=later)
    Job.objects.create(kind="k", object_id=2, not_before=later)
    PlatformSite.objects.create(platform=far.name, failures=5, open_until=later)
    response = operator.post(TRY, follow=True)
    assert response.redirect_chain == [(JOBS, 302)]
    assert "1 piece of work that waited for it goes on" in response.content.decode()
    assert [job.not_before < later for job in Job.objects.order_by("object_id")] == [True, False]
    assert PlatformSite.objects.get().open_until is None
    assert far.calls == []
    assert AuditEntry.objects.get().actor.startswith("person:")


# --- what waits -----------------------------------------------------------------------------------


def test_a_list_is_named_with_its_people_its_course_and_its_organisation(operator, far):
    far.is_away = True
    batch = plan_list(make_account(name="Demo"), make_course("SPOC"), "a@x.org", "b@x.org")
    Job.objects.update(
        waiting_since=NOON, not_before=NOON + timedelta(minutes=5), attempt=3, last_error="Gone."
    )
    page = words(operator)
    assert (
        "2 people for SPOC Demo Checking a list of people waits Gone. 20 November 2026 at 13:00 20 November 2026 at 13:05 3"
        in page
    )
    link = reverse("admin:seats_assignmentbatch_change", args=[batch.pk])
    assert link in operator.get(JOBS).content.decode()


def test_a_product_is_named_by_its_reference(operator):
    event = ProductEvent.objects.create(reference="AAAA-BBBB-CCCC-DD12", actor="system", verb="extended")
    Job.objects.create(kind="seats.hold", object_id=event.pk)
    assert "AAAA-BBBB-CCCC-DD12 Telling the platform of a new end or a withdrawal is next" in words(operator)


def test_every_kind_of_work_has_words():
    assert set(jobs._runners) <= set(KINDS)


def test_work_without_words_is_a_number(operator):
    Job.objects.create(kind="other.work", object_id=77)
    assert "no. 77 other.work is next" in words(operator)


def test_what_was_given_up_comes_first_and_can_be_tried_again(operator):
    Job.objects.create(kind="other.work", object_id=1, waiting_since=NOON)
    failed = Job.objects.create(
        kind="other.work", object_id=2, state="failed", attempt=jobs.MAX_ATTEMPTS, last_error="ValueError"
    )
    Job.objects.create(kind="other.work", object_id=3, state="done")
    page = words(operator)
    assert page.index("no. 2") < page.index("no. 1")
    assert "no. 3" not in page
    assert "1 piece of work was given up and needs somebody." in page
    again = reverse("billing:job_again", args=[failed.pk])
    assert "It is tried again." in operator.post(again, follow=True).content.decode()
    failed.refresh_from_db()
    assert (failed.state, failed.tries, failed.last_error) == ("queued", 0, "")
    assert "Nothing was done" in operator.post(again, follow=True).content.decode()
    assert AuditEntry.objects.count() == 1


def test_only_one_kind_is_shown_when_it_is_chosen(operator):
    Job.objects.create(kind="one", object_id=1)
    Job.objects.create(kind="two", object_id=2)
    page = words(operator, kind="two")
    assert "All 2 one 1 two 1" in page
    assert ("no. 1" in page, "no. 2" in page) == (False, True)


def test_deliveries_lead_to_their_orders(operator, scripted, customer):
    bill = customer.order(plain_item(handler="scripted"))
    ProductionRun.objects.update(state="failed", last_error="no such course", error_field="coursename")
    run = ProductionRun.objects.get()
    page = words(operator, RUNS)
    assert (
        f"{bill.number} {bill.account.name} BOOK · before payment given up coursename: no such course" in page
    )
    assert reverse("admin:billing_bill_change", args=[bill.pk]) in operator.get(RUNS).content.decode()
    operator.post(reverse("billing:delivery_again", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "queued"
    ProductionRun.objects.update(state="failed", abandoned_at=NOON, abandoned_why="enough")
    assert bill.number not in words(operator, RUNS)


def test_a_held_delivery_has_no_next_attempt(operator, scripted, customer):
    customer.order(plain_item(handler="scripted"))
    ProductionRun.objects.update(held_at=NOON)
    assert re.search(r"queued, held – .* – 0", words(operator, RUNS))


def test_mails_that_have_not_left(operator):
    mail = OutboxMail.objects.create(
        kind="invitation", to="a@x.org", event_key="1", state="failed", attempt=8, last_error="SMTPError"
    )
    OutboxMail.objects.create(kind="invitation", to="b@x.org", event_key="2", state="sent")
    page = words(operator, MAILS)
    assert "a@x.org invitation given up SMTPError" in page
    assert "b@x.org" not in page
    operator.post(reverse("billing:mail_again", args=[mail.pk]))
    mail.refresh_from_db()
    assert mail.state == "queued"


# --- size -----------------------------------------------------------------------------------------


def fill(number: int) -> None:
    """So many of everything, of all kinds with words."""
    account, course = make_account(), make_course()
    for _ in range(2):
        batch = plan_list(account, course, "a@x.org")
    events = ProductEvent.objects.bulk_create(
        ProductEvent(reference=f"R{n:018}", actor="system", verb="x") for n in range(number)
    )
    Job.objects.all().delete()
    Job.objects.bulk_create(
        Job(kind="seats.hold", object_id=event.pk, waiting_since=NOON) for event in events
    )
    Job.objects.bulk_create(
        Job(kind=kind, object_id=batch.pk, state="failed") for kind in ("seats.plan", "seats.apply")
    )
    OutboxMail.objects.bulk_create(
        OutboxMail(kind="k", to=f"{n}@x.org", event_key=f"many:{n}") for n in range(number)
    )


@pytest.mark.parametrize("number", [10, 1000])
def test_a_page_costs_the_same_however_much_waits(operator, far, django_assert_num_queries, number):
    fill(number)
    operator.get(JOBS)
    for path, queries in ((JOBS, 24), (RUNS, 17), (MAILS, 18)):
        with django_assert_num_queries(queries):
            page = operator.get(path).content.decode()
        assert page.count("<tr>") <= 51
    assert ("Page 2 of 21" in words(operator, page="2")) is (number > 50)
