"""Mails about people, put into words for the seller in whose name they leave."""

from __future__ import annotations

from portal.mails import account, life, passwords, seats, spaces


def register() -> None:
    """Say who renders the kinds that this app puts into words."""
    account.register()
    seats.register()
    life.register()
    passwords.register()
    spaces.register()
