"""How a rule says no."""

from __future__ import annotations

from django.utils.functional import Promise


class Refused(Exception):
    """A rule forbids what was asked, and nothing was changed.

    `code` is for programs and tests, `message` a (lazily translated) sentence for the reader.
    """

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return str(self.message)
