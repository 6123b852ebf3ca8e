"""Form fields for handler parameters.

Each field reads the decoded text of its parameter and knows how to write the value back, so that the admin can
show the same parameters as real fields and as one string.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from handlers.encoding import WILDCARD
from handlers.moments import MAX_DAYS, Moment, PeriodError, Relative, read_moment

T = TypeVar("T")

MAX_COUNT = 1_000_000
_WHOLE = re.compile(r"[0-9]{1,9}")
_YES = {"1", "true", "yes", "on", "oui", "vrai"}
_NO = {"0", "false", "no", "off", "non", "faux"}


class ParamField(forms.CharField, ABC, Generic[T]):
    """One parameter: text in the string, `T` in the cleaned data; `default` when it is not given.

    `plus_is_space` and `wildcard` say how its value is decoded (see `handlers.encoding.decode`).
    """

    plus_is_space = False
    wildcard = False

    def __init__(self, *, default: T | None = None, required: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        self.default = default
        super().__init__(required=required, **kwargs)

    @abstractmethod
    def read(self, text: str) -> T:
        """The value that a non-empty text stands for. Raises ValidationError."""

    def write(self, value: T) -> str:
        """The text that `read` turns into this value."""
        return str(value)

    def clean(self, value: Any) -> T | None:
        text = super().clean(value)
        return self.read(text) if text else self.default

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else self.write(value)


class TextField(ParamField[str]):
    """A name: the short name of a course or of a role."""

    def read(self, text: str) -> str:
        return text


class CourseListField(ParamField[tuple[str, ...]]):
    """Short names of courses, comma separated, * as the wildcard; in the order given, each once."""

    wildcard = True

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 15_000)
        kwargs.setdefault("default", ())
        super().__init__(**kwargs)

    def read(self, text: str) -> tuple[str, ...]:
        # In the admin's own field nothing is decoded: a % is the wildcard there too.
        names = tuple(
            dict.fromkeys(name.strip() for name in text.replace("%", WILDCARD).split(",") if name.strip())
        )
        if not names:
            raise ValidationError(_("No course is named here. Leave it empty to allow every open course."))
        return names

    def write(self, value: Iterable[str]) -> str:
        return ",".join(value)


class WholeField(ParamField[int]):
    """A whole number from 1 to `most`."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        self.most = most
        kwargs.setdefault("widget", forms.NumberInput(attrs={"min": 1, "max": most}))
        super().__init__(**kwargs)

    def read(self, text: str) -> int:
        if _WHOLE.fullmatch(text) and 1 <= int(text) <= self.most:
            return int(text)
        raise ValidationError(_("Write a whole number from 1 to %(most)s."), params={"most": self.most})


class DaysField(WholeField):
    """Whole days of 24 hours, more than 0."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("most", MAX_DAYS)
        super().__init__(**kwargs)

    def read(self, text: str) -> int:
        try:
            return super().read(text)
        except ValidationError:
            raise ValidationError(
                _("Write a whole number of days from 1 to %(most)s."), params={"most": self.most}
            ) from None


class MomentField(ParamField[Moment]):
    """A start or an end; an end (`relative`) may also be given as days and hours from the start."""

    plus_is_space = True

    def __init__(self, *, relative: bool = False, **kwargs: Any) -> None:
        self.relative = relative
        super().__init__(**kwargs)

    def read(self, text: str) -> Moment:
        try:
            moment = read_moment(text)
        except PeriodError as error:
            raise ValidationError(error.message) from None
        if isinstance(moment, Relative) and not self.relative:
            raise ValidationError(_("Only an end can be relative. Write a date like 2027-01-04."))
        return moment


class FlagInput(forms.CheckboxInput):
    """A tick box whose text reaches the field: Django's own takes any text, even "0", as ticked."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return str(data.get(name) or "")


class FlagField(ParamField[bool]):
    """Yes or no: 1, yes, true or 0, no, false."""

    widget = FlagInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default", False)
        super().__init__(**kwargs)

    def read(self, text: str) -> bool:
        if text.lower() in _YES | _NO:
            return text.lower() in _YES
        raise ValidationError(_("Write 1 for yes or 0 for no."))

    def write(self, value: bool) -> str:
        return "1" if value else "0"

    def prepare_value(self, value: Any) -> Any:
        # What the tick box shows: the text "0" is not ticked.
        return "" if value is None or value is False or str(value).lower() in _NO else value


class RolesInput(forms.CheckboxSelectMultiple):
    """Tick boxes whose data may also be one comma separated text, as in a parameter string."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name) or ""]
        return ",".join(values)

    def format_value(self, value: Any) -> list[str]:
        return value.split(",") if isinstance(value, str) else list(value or ())


LEARNER, TUTOR = "learner", "tutor"
ROLE_CHOICES = ((LEARNER, gettext_lazy("Learner")), (TUTOR, gettext_lazy("Tutor")))
# The predecessor named the roles of its users step after Moodle's.
_OLD_ROLES = {"student": LEARNER, "supervisor": TUTOR, "_supervisor": TUTOR}


class RequiredRolesField(ParamField[tuple[str, ...]]):
    """The roles that participants may be named in: learner, tutor, or both."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default", (LEARNER, TUTOR))
        kwargs.setdefault("widget", RolesInput(choices=ROLE_CHOICES))
        super().__init__(**kwargs)

    def read(self, text: str) -> tuple[str, ...]:
        named = {_OLD_ROLES.get(name.strip(), name.strip()) for name in text.lower().split(",")} - {""}
        if not named or named - {LEARNER, TUTOR}:
            raise ValidationError(_("The roles are learner and tutor, comma separated."))
        return tuple(role for role in (LEARNER, TUTOR) if role in named)

    def write(self, value: Iterable[str]) -> str:
        return ",".join(value)
