"""What tests of reconciling share: a platform that has drifted away from our rows, and the command."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django.core.management import call_command

from courses.platform import (
    Enrolled,
    EnrolmentReason,
    EnrolmentRow,
    EnrolmentStatus,
    Outcome,
    Pair,
    refused,
)
from seats.models import Assignment
from tests.seats.remote import FarPlatform

SUSPENDED = (EnrolmentStatus.SUSPENDED, EnrolmentReason.SUSPENDED)
ENDED = (EnrolmentStatus.SUSPENDED, EnrolmentReason.ENDED)


class Drifted(FarPlatform):
    """Far, and somebody has changed things there: `gone` are not enrolled, `other` have another state."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[Pair] = set()
        self.other: dict[Pair, tuple[EnrolmentStatus, EnrolmentReason]] = {}
        self.refuses: set[Pair] = set()
        self.rows: list[EnrolmentRow] = []
        self.while_telling: Callable[[], object] = lambda: None

    def enrolments(self, course_ids: Sequence[int], **options: Any) -> list[list[Enrolled]]:
        return [
            [self._as_there(one) for one in course if _pair(one) not in self.gone]
            for course in super().enrolments(course_ids, **options)
        ]

    def _as_there(self, one: Enrolled) -> Enrolled:
        status, reason = self.other.get(_pair(one), (one.status, one.reason))
        return replace(one, status=status, reason=reason)

    def ensure_enrolments(self, rows: Sequence[EnrolmentRow]) -> list[Outcome]:
        self.rows += rows
        told = super().ensure_enrolments(rows)
        for row in rows:
            pair = (row.course_id, row.person_id)
            if pair not in self.refuses:
                self.gone.discard(pair)
                self.other.pop(pair, None)
        self.while_telling()
        return [
            refused("no_enrolments") if (row.course_id, row.person_id) in self.refuses else outcome
            for row, outcome in zip(rows, told, strict=True)
        ]

    def end_enrolments(self, pairs: Sequence[Pair]) -> list[Outcome]:
        self.other.update(dict.fromkeys(pairs, SUSPENDED))
        return super().end_enrolments(pairs)


def _pair(one: Enrolled) -> Pair:
    assert one.person_id is not None
    return (one.course_id, one.person_id)


def reconcile(*arguments: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("reconcile", "--json", *arguments, stdout=out)
    document: list[dict[str, Any]] = json.loads(out.getvalue())
    return document


def pair_of(one: Assignment) -> Pair:
    return (one.course_id, one.holder_id)
