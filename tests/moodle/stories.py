"""Things that customers do with a Moodle behind the shop, each in a world of its own, and how they end.

A story's people, courses and organisation carry its mark, so that many stories share one database and one site.
`end_state` tells everything that came of it, on both sides, without ids, marks and instants: two stories that ended
alike are equal.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import CustomerAccount, Invitation, Person
from billing.models import Bill, ProductionRun
from billing.services import OrderLine, record_payment
from catalog.models import CatalogItem
from common.audit import OPERATOR
from common.listing import from_rows
from common.models import AuditEntry, OutboxMail
from courses.models import Course, CourseCategory, CourseSpace, Enrolment, GroupMember, PlatformLogin
from delegation.models import Delegation
from handlers.contract import ParticipantEntry
from seats.models import Assignment, AssignmentBatch
from seats.services import start_apply
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.moodle.peer import MoodlePeer, Site
from tests.moodle.peer.records import Course as PeerCourse
from tests.moodle.peer.records import User
from tests.moodle.site import mirror
from tests.seats.factories import make_pool, plan_list, states

LONG_AGO = 1_600_000_000
FAR_AHEAD = 4_000_000_000
ACCESS = timedelta(days=180)
SESSION_DAYS = 30
_numbers = count(1)


class Story:
    """What somebody does, and what production has to make of it."""

    account: CustomerAccount

    def __init__(self, peer: MoodlePeer) -> None:
        self.peer = peer
        self.mark = f"mark{next(_numbers)}"
        self.begin()

    @property
    def site(self) -> Site:
        return self.peer.site

    def begin(self) -> None:
        """Write what is there before the platform is asked anything."""
        raise NotImplementedError

    def act(self) -> None:
        """What the customer does next, as soon as the page lets him."""

    def is_done(self) -> bool:
        raise NotImplementedError

    def details(self) -> dict[str, Any]:
        """What only this story has."""
        return {}

    # --- people and courses -----------------------------------------------------------------------

    def address(self, name: str) -> str:
        return f"{name}@{self.mark}.example"

    def plain(self, text: object) -> str:
        """Without the mark, and without numbers of ours in user names."""
        return re.sub(r"shop-\d+", "shop-N", re.sub(self.mark, "mark", str(text), flags=re.IGNORECASE))

    def name(self, address: str) -> str:
        return self.plain(address.partition("@")[0])

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
        stranger whom a teacher has enrolled. case: a stranger whose address the site keeps in capitals.
        """
        for name in names:
            sort = name.rstrip("0123456789")
            if sort in {"known", "inside"}:
                _person, user = self.linked(name)
            elif sort in {"unlinked", "ours"}:
                make_person(email=self.address(name), last_name="Known", possessed_at=timezone.now())
            if sort in {"unlinked", "stranger", "enrolled"}:
                user = self.remote_user(name)
            elif sort == "case":
                user = self.remote_user(name, email=self.address(name).upper())
            if sort in {"inside", "enrolled"}:
                self.site.enrol(user, self.there, timestart=LONG_AGO, timeend=FAR_AHEAD)
        return [self.address(name) for name in names]

    there: PeerCourse
    """The course on the site that people are to be put into."""

    # --- how it ended -----------------------------------------------------------------------------

    def end_state(self) -> dict[str, Any]:
        """Everything that came of it."""
        return {**self._on_site(), **self._in_rows(), **self.details()}

    def _courses(self) -> list[PeerCourse]:
        with self.site.lock:
            return [one for one in self.site.courses.values() if self.mark in one.shortname + one.fullname]

    def _on_site(self) -> dict[str, Any]:
        site, courses = self.site, self._courses()
        with site.lock:
            users = {
                user.id: user
                for user in site.living_users()
                if user.email.lower().endswith(f"@{self.mark}.example")
            }
            return {
                "site: users": sorted(
                    (self.plain(user.email), self.plain(user.username), user.firstname, user.lastname)
                    for user in users.values()
                ),
                "site: courses": sorted(
                    (self.plain(one.shortname), self.plain(one.fullname), one.visible, tuple(one.pages))
                    for one in courses
                ),
                "site: marked": sorted(bool(one.idnumber) for one in courses),
                "site: enrolments": sorted(
                    (
                        self.plain(course.shortname),
                        self.name(users[user_id].email) if user_id in users else f"?{user_id}",
                        tuple(role.shortname for role in site.course_roles(user_id, course.id)),
                        row.suspended,
                        self._dates(user_id, course, row.timestart, row.timeend),
                    )
                    for course in courses
                    for (user_id, course_id), row in site.enrolments.items()
                    if course_id == course.id
                ),
                "site: groups": sorted(
                    (
                        self.plain(course.shortname),
                        self._group(group.name),
                        tuple(
                            sorted(self.name(users[pk].email) if pk in users else "?" for pk in group.members)
                        ),
                    )
                    for course in courses
                    for group in site.groups_of(course.id)
                ),
                "site: mails": [mail.kind for mail in site.mails if mail.user_id in users],
            }

    def _dates(self, user_id: int, course: PeerCourse, start: int, end: int) -> object:
        """Whether the dates on the site are those that our row keeps; without a row as they are."""
        row = Enrolment.objects.filter(
            course__remote_id=course.id, person__platform_login__remote_id=user_id
        ).first()
        if row is None:
            return start, end
        ours = (
            math.floor(row.starts_at.timestamp()),
            0 if row.ends_at is None else math.ceil(row.ends_at.timestamp()),
        )
        return "as in our row" if (start, end) == ours else (start, end, "ours", *ours)

    def _group(self, name: str) -> str:
        return self.plain(name)

    def _in_rows(self) -> dict[str, Any]:
        account = self.account
        courses = Course.objects.filter(remote_id__in=[one.id for one in self._courses()])
        people = Person.objects.filter(email_key__endswith=f"@{self.mark}.example")
        given = (
            Assignment.objects.filter(account=account)
            .select_related("person")
            .order_by("seat__ordinal", "id")
        )
        enrolments = Enrolment.objects.filter(course__in=courses).select_related("person")
        return {
            "people": sorted(self.name(one.email) for one in people),
            "logins": sorted(
                (self.name(one.person.email), one.is_ours, self._is_same(one), one.password_set_at)
                for one in PlatformLogin.objects.filter(person__in=people).select_related("person")
            ),
            "seats": states(account),
            "given": [
                (
                    self.name(one.email),
                    one.role,
                    one.state,
                    one.end_reason,
                    one.created_login,
                    self._lasts(one),
                )
                for one in given
            ],
            "as enrolled": sorted(
                self.name(one.email)
                for one in given.filter(ended_at=None)
                if not enrolments.filter(
                    person=one.person,
                    role=one.role,
                    starts_at=one.starts_at,
                    ends_at=one.ends_at,
                    waits=False,
                ).exists()
            ),
            "enrolments": sorted(
                (self.name(one.person.email), one.role, one.status, one.waits) for one in enrolments
            ),
            "members": sorted(
                (self._group(one.group.name), self.name(one.person.email))
                for one in GroupMember.objects.filter(group__course__in=courses).select_related(
                    "group", "person"
                )
            ),
            "delegated": sorted(
                (self.name(one.email), one.created_login, one.ended_at)
                for one in Delegation.objects.filter(account=account)
            ),
            "invited": sorted(
                (self.name(one.person.email), one.revoked_at)
                for one in Invitation.objects.filter(account=account).select_related("person")
            ),
            "mails": sorted(
                (self.name(mail.to), mail.kind, mail.state)
                for mail in OutboxMail.objects.filter(to__iendswith=f"@{self.mark}.example")
            ),
            "audit": Counter(
                AuditEntry.objects.filter(scope=f"account:{account.pk}").values_list("verb", flat=True)
            ),
        }

    def _is_same(self, login: PlatformLogin) -> bool:
        """Whether the login is of the user who has this person's address on the site."""
        user = self.site.users.get(login.remote_id or 0)
        return user is not None and (user.email.lower(), user.username) == (
            login.person.email_key,
            login.username,
        )

    def _lasts(self, one: Assignment) -> timedelta | None:
        return None if one.ends_at is None else one.ends_at - one.starts_at


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

    names = ("new1", "case1", "new2")


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

    names = ("new1", "known1", "ours1", "unlinked1", "inside1", "stranger1", "enrolled1", "new2")

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
            {"fullname": f"{title} {self.mark}", "idnumber": f"{self.mark}-own"} for title in self.wishes
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
