"""What a step of the checkout is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise

from billing.checkout.state import Checkout

Files = MultiValueDict[str, UploadedFile[Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a submitted step.

    With `context` the same page is shown again; else the buyer goes to `url`, or without one to the first step that
    is not complete. `message` says what was done.
    """

    context: Mapping[str, Any] | None = None
    url: str = ""
    message: str = ""


class Step(ABC):
    """A page of the checkout. It knows whether it applies to a cart, and whether it is complete.

    `position` sorts the steps. `keys` are those of the `Problem`s that are repaired here. Steps keep nothing
    themselves: what is answered is in the cart, and completeness is computed from it at every look.
    """

    code: ClassVar[str]
    position: ClassVar[int]
    label: ClassVar[str | Promise]
    keys: ClassVar[frozenset[str]] = frozenset()

    @property
    def template(self) -> str:
        return f"billing/checkout/{self.code}.html"

    def applies(self, checkout: Checkout) -> bool:
        """Whether there is anything to ask here."""
        return True

    @abstractmethod
    def is_complete(self, checkout: Checkout) -> bool:
        """Whether the buyer may go on."""

    @abstractmethod
    def context(self, checkout: Checkout, query: QueryDict) -> dict[str, Any]:
        """What the page shows."""

    @abstractmethod
    def submit(self, checkout: Checkout, data: QueryDict, files: Files) -> Answer:
        """Take what was filled in."""

    def url(self, checkout: Checkout) -> str:
        """Where the step is: with several pages, the first one that is not complete."""
        return reverse("billing:checkout_step", args=[self.code])
