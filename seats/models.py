"""Seats, who sat in them, and the lists that managers enter."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount
from common.models import Job
from courses.models import Course


class UnassignedEnd(models.TextChoices):
    """What follows when the days in which seats may be given are over and nobody has got them."""

    EXTEND = "extend", _("they may be given for as long again")
    CREDIT = "credit", _("they expire, and the shop is told what to credit")
    NOTHING = "nothing", _("they expire")


class SeatPool(models.Model):
    """The seats of one bought line: what they share. `line_key` names the line, which lives above us."""

    account = models.ForeignKey(CustomerAccount, on_delete=models.PROTECT, related_name="seat_pools")
    line_key = models.UUIDField(unique=True)
    item_code = models.CharField(max_length=40)
    item_name = models.CharField(max_length=200)
    bill_number = models.CharField(max_length=40)
    size = models.PositiveIntegerField()  # how many seats were bought: a fact of the line, never changed
    # Comma separated short names, `*` as wildcard; empty: every open course. Evaluated at assignment.
    courselist = models.TextField(blank=True)
    # The one course that people were named for at the purchase; then `courselist` only shows its short name, in which
    # a * means nothing.
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    learner = models.CharField(max_length=40, default="student")  # the platform's role of a learner
    supervisor = models.CharField(max_length=40, default="teacher")  # and of a tutor
    assign_before = models.DateTimeField(null=True, blank=True)  # no assignment from this instant on
    # How long that was at the purchase, and what follows then for seats that nobody has got.
    validity_seconds = models.PositiveBigIntegerField(null=True, blank=True)
    unassigned_end = models.CharField(max_length=10, choices=UnassignedEnd, default=UnassignedEnd.EXTEND)
    access_seconds = models.PositiveBigIntegerField(null=True, blank=True)  # counted from the assignment
    access_starts_at = models.DateTimeField(null=True, blank=True)  # no access before this instant
    access_ends_at = models.DateTimeField(null=True, blank=True)  # absolute end of seat and access
    renewable = models.BooleanField(default=False)
    purchased_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "id"], name="pool_of_account")]

    def __str__(self) -> str:
        return f"{self.item_code} {self.bill_number}"


class Session(models.Model):
    """A line of `setuponecoursesession`: one course, one group, one pool of seats; a product with a reference."""

    account = models.ForeignKey(CustomerAccount, on_delete=models.PROTECT, related_name="sessions")
    line_key = models.UUIDField(unique=True)
    pool = models.OneToOneField(SeatPool, on_delete=models.PROTECT, related_name="session")
    reference = models.CharField(max_length=19, unique=True)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="seat_sessions")
    group_name = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    # When its end was told, and when it was withdrawn with all its seats.
    expired_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "id"], name="session_of_account"),
            models.Index(
                fields=["ends_at"], name="session_ending", condition=Q(expired_at=None, withdrawn_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Seat(models.Model):
    """One place in one course for one person: a fixed row, born from (line, ordinal)."""

    pool = models.ForeignKey(SeatPool, on_delete=models.PROTECT, related_name="seats")
    account = models.ForeignKey(CustomerAccount, on_delete=models.PROTECT, related_name="seats")
    ordinal = models.PositiveIntegerField()
    reference = models.CharField(max_length=19, unique=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "ordinal"], name="seat_once_per_line"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "id"], name="seat_of_account"),
            models.Index(
                fields=["pool"], name="seat_lasting", condition=Q(expired_at=None, withdrawn_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Verdict(models.TextChoices):
    """What a row of a list would do (DESIGN section 4)."""

    NEW_ACCOUNT = "new_account"
    EXISTING_ACCOUNT = "existing_account"
    ALREADY_ENROLLED = "already_enrolled"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    NO_SEAT = "no_seat"
    NOT_ALLOWED = "not_allowed"


class AssignmentBatch(models.Model):
    """A list of people for a course, kept as rows from the first moment."""

    class State(models.TextChoices):
        PLANNING = "planning"
        PLANNED = "planned"
        APPLYING = "applying"
        APPLIED = "applied"
        DISCARDED = "discarded"

    # The source of a list that was named at the purchase: its seats are those of the line.
    ORDER = "order"

    account = models.ForeignKey(CustomerAccount, on_delete=models.CASCADE, related_name="batches")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="+")
    # The pool the manager chose; none: most restricted first, then earliest end, then oldest.
    pool = models.ForeignKey(SeatPool, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.PLANNING)
    size = models.PositiveIntegerField()  # people in it, bad rows included
    source = models.CharField(max_length=10)  # form, paste, csv, xlsx, order
    ignored_columns = models.JSONField(default=list)
    ignored_sheets = models.JSONField(default=list)
    language = models.CharField(max_length=8, default="fr")  # of whoever entered it; new people get it
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)
    planned_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.CharField(max_length=120, blank=True)  # an audit actor
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool"], condition=Q(source="order"), name="list_of_order_once_per_line"
            ),
        ]

    def __str__(self) -> str:
        return f"list {self.pk}"


class AssignmentRow(models.Model):
    """One person of a list: as typed, what was planned, what happened."""

    class Outcome(models.TextChoices):
        ASSIGNED = "assigned"
        UNCHANGED = "unchanged"
        REFUSED = "refused"
        FAILED = "failed"
        PENDING = "pending"

    batch = models.ForeignKey(AssignmentBatch, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()  # counts people from 1
    email = models.CharField(max_length=320, blank=True)
    email_key = models.CharField(max_length=320, blank=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=10, default="learner")  # learner | tutor
    # What makes the row invalid: [{"field": …, "code": …}], as `common.listing.Problem`.
    problems = models.JSONField(default=list, blank=True)
    planned_verdict = models.CharField(max_length=20, choices=Verdict, blank=True)
    verdict = models.CharField(max_length=20, choices=Verdict, blank=True)
    detail = models.JSONField(default=dict, blank=True)  # e.g. {"row": 4} of a duplicate, {"ends": iso}
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    class Meta:
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "position"], name="row_once_per_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.email}"


class Assignment(models.Model):
    """Who sat in a seat, in which course and group, from when to when. Never overwritten.

    `reserved` is a seat held while the platform is told; `live` is confirmed. A live row has no `ended_at`.
    """

    class State(models.TextChoices):
        RESERVED = "reserved"
        LIVE = "live"
        ENDED = "ended"

    class EndReason(models.TextChoices):
        TAKEN_BACK = "taken_back"
        REPLACED = "replaced"
        CORRECTED = "corrected"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"
        FAILED = "failed"

    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="assignments")
    account = models.ForeignKey(CustomerAccount, on_delete=models.PROTECT, related_name="assignments")
    # None only in history: a mistyped address whose login was deleted, or a person who was erased.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="seat_assignments"
    )
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="seat_assignments")
    role = models.CharField(max_length=40)  # of the platform: student, teacher…
    group_name = models.CharField(max_length=200, blank=True)
    # As this account typed them; the person's own name is another matter.
    email = models.EmailField(max_length=254)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.RESERVED)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    created_login = models.BooleanField(default=False)  # the login was made for this assignment
    # The row of the list it came from: what was reserved for whom is known after a crash.
    row = models.OneToOneField(
        AssignmentRow, on_delete=models.SET_NULL, null=True, blank=True, related_name="assignment"
    )
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=120)  # an audit actor
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=120, blank=True)
    end_reason = models.CharField(max_length=12, choices=EndReason, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["seat"], condition=Q(ended_at=None), name="seat_one_live"),
            models.UniqueConstraint(
                fields=["person", "course"],
                condition=Q(ended_at=None),
                name="person_one_live_seat_per_course",
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False) | (Q(ended_at=None) & ~Q(state="ended")),
                name="assignment_ended_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(ended_at__isnull=False),
                name="assignment_live_has_a_person",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="assignment_of_account"),
            models.Index(fields=["ends_at"], name="assignment_ending", condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.email} in {self.course_id}"

    @property
    def holder_id(self) -> int:
        """The person of a live assignment. Raises ValueError for one of history that has lost its person."""
        if self.person_id is None:
            raise ValueError(f"assignment {self.pk} has no person")
        return self.person_id


class SeatChange(models.Model):
    """Somebody changes his mind about a seat whose course lives far away: what he asked for, and what came of it.

    `waiting`: nothing has been told to the platform yet. `telling`: it has been, or is being. `undoing`: it refused, or
    the course was opened after all, and is told that nothing changes. An address is corrected in all seats at once:
    then `lead` is the change that is worked on.
    """

    class Kind(models.TextChoices):
        RELEASE = "release"
        REPLACE = "replace"
        CORRECT = "correct"

    class State(models.TextChoices):
        WAITING = "waiting"
        TELLING = "telling"
        UNDOING = "undoing"
        DONE = "done"
        REFUSED = "refused"

    OPEN = (State.WAITING.value, State.TELLING.value, State.UNDOING.value)

    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    lead = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="others")
    account = models.ForeignKey(CustomerAccount, on_delete=models.PROTECT, related_name="+")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="changes")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="+")  # who sat there
    actor = models.CharField(max_length=120)  # an audit actor
    # Who is to have the seat, as typed; forgotten once it is done, because the assignment keeps it.
    email = models.CharField(max_length=320, blank=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    why = models.CharField(max_length=300, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_login = models.BooleanField(default=False)  # the login of `person` was made for this change
    # Why it was refused (`seats.selectors.refusing`).
    code = models.CharField(max_length=40, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["seat"],
                condition=Q(state__in=["waiting", "telling", "undoing"]),
                name="seat_one_open_change",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="change_of_account")]

    def __str__(self) -> str:
        return f"{self.kind} {self.seat_id}: {self.state}"


class EndingNotice(models.Model):
    """The managers of an account were told that something ends: once for each end and number of days ahead."""

    account = models.ForeignKey(CustomerAccount, on_delete=models.CASCADE, related_name="ending_notices")
    # What ends: `seats:<pool>` and `validity:<pool>`, `session:<reference>`, `space:<reference>`.
    subject = models.CharField(max_length=40)
    ends_on = models.DateField()  # the day of the end, in the seller's zone
    days = models.PositiveIntegerField()  # 60, 30 or 7 days ahead
    told_on = models.DateField()  # the day of the one mail that says so

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "ends_on", "days"], name="ending_told_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["told_on", "account"], name="notice_of_day")]

    def __str__(self) -> str:
        return f"{self.subject} ends on {self.ends_on}: {self.days} days ahead"
