"""Things that customers do with a Moodle behind the shop, each in a world of its own, and how they end.

A story's people, courses and organisation carry its mark, so that many stories share one database and one site.
`end_state` tells everything that came of it, on both sides, without ids, marks and instants: two stories that ended
alike are equal.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import Person
from billing.models import Bill, ProductionRun
from billing.services import OrderLine, record_payment
from catalog.models import CatalogItem
from common.audit import OPERATOR
from common.listing import from_rows
from courses.models import CourseCategory, CourseSpace, PlatformLogin
from handlers.contract import ParticipantEntry
from seats.models import Assignment, AssignmentBatch
from seats.services import start_apply
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.moodle.endings import Ending
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.records import Course as PeerCourse
from tests.moodle.peer.records import User
from tests.moodle.site import mirror
from tests.seats.factories import make_pool, plan_list

LONG_AGO = 1_600_000_000
FAR_AHEAD = 4_000_000_000
ACCESS = timedelta(days=180)
SESSION_DAYS = 30
_numbers = count(1)


class Story(Ending):
    """What somebody does, and what production has to make of it."""

    def __init__(self, peer: MoodlePeer) -> None:
        self.peer = peer
        self.mark = f"mark{next(_numbers)}"
        self.begin()

    def begin(self) -> None:
        """Write what is there before the platform is asked anything."""
        raise NotImplementedError

    def act(self) -> None:
        """What the customer does next, as soon as the page lets him."""

    def is_done(self) -> bool:
        raise NotImplementedError

    # --- people and courses -----------------------------------------------------------------------

    def address(self, name: str) -> str:
        return f"{name}@{self.mark}.example"

    def remote_course(self, name: str = "course", **fields: Any) -> PeerCourse:
        return self.site.add_course(f"{self.mark}-{name}", f"The {name} of {self.mark}", **fields)

    def remote_user(self, name: str, *, email: str = "") -> User:
        """Somebody whom the site knows, under a user name that is not his address."""
        return self.site.add_user(f"{name.lower()}-{self.mark}", email or self.address(name))

    def linked(self, name: str, **fields: Any) -> tuple[Person, User]:
        """Somebody whom both sides know, and know to be the same."""
        person, user = (
            make_person(email=self.address(name), last_name="Known", **fields),
            self.remote_user(name),
        )
        PlatformLogin.objects.create(
            person=person, platform="moodle", username=user.username, remote_id=user.id, is_ours=False
        )
        return person, user

    def named_people(self, *names: str) -> list[str]:
        """Addresses of people of all these sorts: the letters of a name say which, its digits tell them apart.

        new: nobody knows him. known: both sides know him. ours: only we know him. unlinked: both know him, and we do
        not know that. inside: known, and a teacher has enrolled him. stranger: only the site knows him. enrolled: a
        stranger whom a teacher has enrolled. case: a stranger whose address the site keeps in capitals. caught: both.
        """
        for name in names:
            sort = name.rstrip("0123456789")
            if sort in {"known", "inside"}:
                _person, user = self.linked(name)
            elif sort in {"unlinked", "ours"}:
                make_person(email=self.address(name), last_name="Known", possessed_at=timezone.now())
            if sort in {"unlinked", "stranger", "enrolled"}:
                user = self.remote_user(name)
            elif sort in {"case", "caught"}:
                user = self.remote_user(name, email=self.address(name).upper())
            if sort in {"inside", "enrolled", "caught"}:
                self.site.enrol(user, self.there, timestart=LONG_AGO, timeend=FAR_AHEAD)
        return [self.address(name) for name in names]

    there: PeerCourse
    """The course on the site that people are to be put into."""


class ListedPeople(Story):
    """A manager gives seats to a list of people: entered, planned, looked at, said yes to, done."""

    names: tuple[str, ...] = (
        *("new1", "known1", "ours1", "unlinked1", "inside1", "stranger1", "enrolled1", "new2"),
    )
    spare = 3

    def begin(self) -> None:
        self.there = self.remote_course()
        self.course = mirror(self.there)
        self.account = make_account(slug=self.mark)
        make_pool(
            self.account,
            len(self.names) + self.spare,
            access_seconds=int(ACCESS.total_seconds()),
            bill_number=f"CMD-{self.mark}",
        )
        self.batch = plan_list(self.account, self.course, listed=from_rows(self.rows()))

    def rows(self) -> list[dict[str, str]]:
        """The list: everybody once, one of them again in capitals, one who is no address, and a tutor."""
        typed = [*self.named_people(*self.names), self.address(self.names[0]).upper(), "nobody"]
        rows = [{"email": email, "firstname": self.name(email).title(), "lastname": "Doe"} for email in typed]
        return [
            *rows,
            {"email": self.address("tutor"), "firstname": "Tim", "lastname": "Tutor", "role": "tutor"},
        ]

    def act(self) -> None:
        if AssignmentBatch.objects.get(pk=self.batch.pk).state == AssignmentBatch.State.PLANNED:
            start_apply(batch_id=self.batch.pk, actor=OPERATOR)

    def is_done(self) -> bool:
        state = AssignmentBatch.objects.select_related("job").get(pk=self.batch.pk)
        return (
            state.state == AssignmentBatch.State.APPLIED
            and state.job is not None
            and state.job.state == "done"
        )

    def details(self) -> dict[str, Any]:
        rows = self.batch.rows.order_by("position")
        return {
            "rows": [
                (self.name(row.email), row.planned_verdict, row.verdict, row.outcome, row.detail.get("ends"))
                for row in rows
            ],
            "list": AssignmentBatch.objects.get(pk=self.batch.pk).state,
        }


class Hundred(ListedPeople):
    """A hundred people of all sorts."""

    names = tuple(
        f"{sort}{number}"
        for sort, size in {
            "new": 48,
            "known": 12,
            "ours": 8,
            "unlinked": 5,
            "inside": 8,
            "stranger": 10,
            "enrolled": 6,
        }.items()
        for number in range(size)
    )
    spare = 10


class OtherCase(ListedPeople):
    """People some of whom the site knows by addresses in capitals: found only when a login is made."""

    names = ("new1", "case1", "caught1", "new2")


class Ordered(Story):
    """Somebody orders, and pays: the rest is production's."""

    item: CatalogItem
    bill: Bill

    def begin(self) -> None:
        self.prepare()
        self.customer = Customer(
            make_account(slug=self.mark),
            make_person(email=self.address("owner"), last_name="Owner"),
            make_person(email=self.address("buyer"), first_name="Bob", last_name="Buyer"),
        )
        self.account = self.customer.account
        self.bill = self.customer.place(self.line())
        record_payment(number=self.bill.number, reference=self.mark, actor=OPERATOR)

    def prepare(self) -> None:
        raise NotImplementedError

    def line(self) -> OrderLine:
        raise NotImplementedError

    def runs(self) -> list[ProductionRun]:
        return list(ProductionRun.objects.filter(line__bill=self.bill).order_by("id"))

    def is_done(self) -> bool:
        return all(run.state in {"done", "failed"} for run in self.runs())

    def plain(self, text: object) -> str:
        bill = getattr(self, "bill", None)
        return super().plain(str(text).replace(bill.number, "BILL") if bill else text)

    def details(self) -> dict[str, Any]:
        runs = self.runs()
        return {"runs": [(run.phase, run.state, run.error, run.delivered) for run in runs]}

    @property
    def opened_at(self) -> datetime:
        opened = Bill.objects.get(pk=self.bill.pk).opened_at
        assert opened is not None
        return opened


def item_of(handler: str, params: str, **fields: Any) -> CatalogItem:
    """The one item of a handler, with other parameters: orders freeze what they were placed with."""
    item = CatalogItem.objects.filter(code=handler[:20]).first()
    item = item or plain_item(handler[:20], handler=handler, params=params, **fields)
    item.params = params
    item.save()
    return item


class SessionBought(Ordered):
    """A session for people of all sorts; the buyer tutors without a seat."""

    names: tuple[str, ...] = (
        *("new1", "known1", "ours1", "unlinked1", "inside1", "stranger1", "enrolled1", "new2"),
    )

    def prepare(self) -> None:
        self.there = self.remote_course()
        mirror(self.there)
        self.item = item_of(
            "setuponecoursesession",
            f"coursename={self.there.shortname}&duration={SESSION_DAYS}&autoenrolsupervisor=1",
            seat_mode="quantity",
        )

    def line(self) -> OrderLine:
        people = [
            ParticipantEntry(email, self.name(email), "Doe") for email in self.named_people(*self.names)
        ]
        tutor = ParticipantEntry(self.address("tutor"), "Tim", "Tutor", role="tutor")
        return OrderLine(self.item, len(people) + 1, participants=[*people, tutor])

    def details(self) -> dict[str, Any]:
        given = Assignment.objects.filter(account=self.account)
        opened = self.opened_at
        return {
            **super().details(),
            "dates": {
                (one.starts_at == opened, one.ends_at == opened + timedelta(days=SESSION_DAYS))
                for one in given
            },
        }


class SpaceBought(Ordered):
    """Two course spaces that want the same short name."""

    wishes = ("Our course", "Our other course")
    wished = ""
    """The short name they want; one of their own if there is none."""

    def prepare(self) -> None:
        category = next(iter(self.site.categories.values()))
        template = self.remote_course("model", pages=["One", "Two"], visible=False)
        row, _made = CourseCategory.objects.get_or_create(
            remote_id=category.id, defaults={"name": category.name}
        )
        mirror(template, category=row, is_template=True, groups_found=0)
        self.item = item_of(
            "buycourse",
            f"coursecategory={category.id}&template={template.shortname}&maxparticipants=9",
            renewable=True,
        )

    def line(self) -> OrderLine:
        data = tuple(
            {"fullname": f"{title} {self.mark}", "idnumber": self.wished or f"{self.mark}-own"}
            for title in self.wishes
        )
        return OrderLine(self.item, len(data), customer_data=data)

    def details(self) -> dict[str, Any]:
        spaces = CourseSpace.objects.filter(account=self.account).select_related("course").order_by("ordinal")
        opened = self.opened_at
        return {
            **super().details(),
            "spaces": [
                (
                    one.ordinal,
                    self.plain(one.course.shortname),
                    self.plain(one.course.fullname),
                    one.course.is_space,
                    one.course.visible,
                    one.starts_at - opened,
                    one.ends_at - opened,
                )
                for one in spaces
            ],
        }


__all__ = ["Hundred", "ListedPeople", "OtherCase", "SessionBought", "SpaceBought", "Story"]
