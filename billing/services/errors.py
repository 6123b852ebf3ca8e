"""Why an order or a payment was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason.

    `key`: `lines`, `item`, `quantity`, `participants`, `customer_data`, `answers`, `customer`, `payer`, `recipient`, `buyer`,
    `seller`, `terms`, `total`, `paymode`, `bill`, `amount` or `reference`. `line` is the place of the order line
    (from 0), `row` that of the unit or participant in it, `field` a field of the row or party.
    """

    key: str
    message: str | Promise
    line: int | None = None
    row: int | None = None
    field: str = ""

    @property
    def path(self) -> str:
        """The key as a command names it: `customer_data[2].fullname` (rows count from 1)."""
        row = "" if self.row is None else f"[{self.row + 1}]"
        return f"{self.key}{row}.{self.field}" if self.field else f"{self.key}{row}"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Refused(Exception):
    """The service did nothing; `problems` says why, at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


def refuse(key: str, message: str | Promise) -> Refused:
    """A refusal for one reason."""
    return Refused([Problem(key, message)])
