"""The audit trail: one row per operation."""

from __future__ import annotations

from dataclasses import dataclass

from common.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person of ours, an operator at the command line, or the system itself."""

    label: str
    person_id: int | None = None

    @classmethod
    def person(cls, person_id: int) -> Actor:
        return cls(f"person:{person_id}", person_id)


OPERATOR = Actor("operator")
SYSTEM = Actor("system")


def record(
    *,
    actor: Actor,
    verb: str,
    object: str,  # noqa: A002 - the column of that name
    scope: str = "",
    counts: dict[str, int] | None = None,
    why: str = "",
) -> None:
    """Write one audit row. Call it inside the operation's own transaction. No secrets, no e-mail addresses."""
    AuditEntry.objects.create(
        actor=actor.label, verb=verb, object=object, scope=scope, counts=counts or {}, why=why
    )
