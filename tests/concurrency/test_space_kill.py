"""The delivery of course spaces, killed after every statement and every commit, ends as if nothing had happened.

On PostgreSQL and on SQLite alike.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from billing.models import Bill, ProductionRun
from billing.production import produce
from billing.services import OrderLine, record_payment
from billing.sweeper import sweep
from catalog.models import CatalogItem
from common import wake
from common.audit import OPERATOR
from common.models import AuditEntry, OutboxMail
from courses.models import Course, CourseSpace, Enrolment, Page, ProductEvent
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.concurrency.killing import count_steps, run_killed
from tests.courses.factories import make_category, make_template

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PARTS = 2  # so that several processes can share the walk
_numbers = count(1)


@pytest.fixture(autouse=True)
def _nothing_runs_by_itself(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> Any:
    """As with a broker that is away: the test says who runs what. Mails go to files, and are not looked at here."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    monkeypatch.setitem(wake._broker, "away_until", float("inf"))
    current_app.conf.update(task_always_eager=False)
    yield
    current_app.conf.update(task_always_eager=True)


@pytest.fixture
def item() -> CatalogItem:
    make_template(pages=3)
    category = make_category("Spaces").pk
    return plain_item(
        "SPACE",
        handler="buycourse",
        params=f"coursecategory={category}&template=MODEL&maxparticipants=9",
        renewable=True,
    )


class Bought:
    """An order of three spaces, two of which want the same short name: paid, opened, not yet delivered."""

    def __init__(self, item: CatalogItem) -> None:
        self.name = f"walk{next(_numbers)}"
        self.customer = Customer(
            make_account(slug=self.name),
            make_person(email=f"owner@{self.name}.example"),
            make_person(email=f"buyer@{self.name}.example"),
        )
        wishes = [("First", self.name), ("Second", self.name), ("Third", f"{self.name}-x")]
        data = tuple({"fullname": title, "idnumber": name} for title, name in wishes)
        self.bill = self.customer.place(OrderLine(item, 3, customer_data=data))
        record_payment(number=self.bill.number, reference=self.name, actor=OPERATOR)

    def deliver(self) -> None:
        produce(numbers=[self.bill.number], actor=OPERATOR)

    def resume(self) -> None:
        """Whoever died is not heard of again; when his lease has ended the sweeper comes round."""
        self.deliver()
        sweep(now=timezone.now() + timedelta(hours=1))

    def end_state(self) -> dict[str, Any]:
        account = self.customer.account
        spaces = CourseSpace.objects.filter(account=account).select_related("course").order_by("ordinal")
        courses = Course.objects.filter(shortname__startswith=self.name)
        runs = ProductionRun.objects.filter(line__bill=self.bill).order_by("id")
        people = Enrolment.objects.filter(course__in=courses)
        mails = OutboxMail.objects.filter(to__endswith=f"@{self.name}.example")
        assert Bill.objects.get(pk=self.bill.pk).opened_at == spaces[0].starts_at if spaces else True
        return {
            "runs": [(run.phase, run.state, run.error, run.delivered) for run in runs],
            "spaces": [
                (space.ordinal, space.course.shortname.replace(self.name, "N"), space.course.fullname)
                for space in spaces
            ],
            "lasting": {(space.ends_at - space.starts_at).days for space in spaces},
            "courses": courses.count(),
            "all are spaces": courses.filter(is_space=False).count() == 0,
            "pages": Page.objects.filter(course__in=courses).count(),
            "people": sorted(people.values_list("person__email_key", "role", "ends_at")),
            "events": sorted(
                ProductEvent.objects.filter(reference__in=[space.reference for space in spaces]).values_list(
                    "verb", flat=True
                )
            ),
            "outbox": sorted((mail.kind, mail.to.partition("@")[0]) for mail in mails),
            "audit": sorted(
                AuditEntry.objects.filter(scope=f"account:{account.pk}").values_list("verb", flat=True)
            ),
        }


def test_the_story_ends_as_it_should(item: CatalogItem) -> None:
    whole = Bought(item)
    whole.deliver()
    state = whole.end_state()
    assert state["spaces"] == [(1, "N", "First"), (2, "N-2", "Second"), (3, "N-x", "Third")]
    assert state["runs"][-1] == (
        "deliver",
        "done",
        "",
        {"seats": 0, "enrolments": 3, "spaces": 3, "accounts_created": 0},
    )
    assert (state["courses"], state["pages"], state["lasting"]) == (3, 9, {365})
    assert state["people"] == [(f"buyer@{whole.name}.example", "courseowner", None)] * 3
    assert state["events"] == ["bought"] * 3
    assert state["outbox"].count(("delivered", "buyer")) == 1
    whole.resume()
    assert whole.end_state() == state


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_and_resumed_the_end_is_the_same(item: CatalogItem, part: int) -> None:
    whole = Bought(item)
    total = count_steps(whole.deliver)
    expected = named(whole.end_state(), whole)
    assert total > 30
    for step in range(1 + part, total + 1, PARTS):
        killed = Bought(item)
        assert run_killed(killed.deliver, after=step), step
        assert half_made(killed) == [], f"killed after step {step} of {total}"
        killed.resume()
        assert named(killed.end_state(), killed) == expected, f"killed after step {step} of {total}"


def half_made(bought: Bought) -> list[str]:
    """Courses without their space, and spaces without their owner: at no moment is there one."""
    courses = Course.objects.filter(shortname__startswith=bought.name)
    stray = list(courses.filter(space=None).values_list("shortname", flat=True))
    owned = Enrolment.objects.filter(course__in=courses, role="courseowner").count()
    return stray or ([] if owned == courses.count() else ["owner"])


def named(state: dict[str, Any], bought: Bought) -> dict[str, Any]:
    people = [(email.replace(bought.name, "N"), *rest) for email, *rest in state["people"]]
    return state | {"people": people}
