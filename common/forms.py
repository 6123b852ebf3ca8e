"""How every form of the product is drawn: the renderer, and the widgets that HTML lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django.forms
from django import forms
from django.conf import settings
from django.forms.renderers import DjangoTemplates
from django.template.backends.django import DjangoTemplates as Backend
from django.utils.functional import cached_property


class DesignRenderer(DjangoTemplates):
    """Draws forms with templates/components; the project's templates win over Django's own.

    `{{ form }}` is the summary of errors and every field; `{{ form.email.as_field_group }}` is one field.
    """

    form_template_name = "components/form.html"
    formset_template_name = "components/formset.html"
    field_template_name = "components/field.html"

    @cached_property
    def engine(self) -> Backend:
        builtin = Path(django.forms.__file__).parent / "templates"
        return Backend(
            {
                "APP_DIRS": True,
                "DIRS": [settings.BASE_DIR / "templates", builtin],
                "NAME": "forms",
                "OPTIONS": {},
            }
        )


class Stepper(forms.NumberInput):
    """A number with − and + beside it when there is JavaScript."""

    template_name = "components/widgets/stepper.html"


class DateInput(forms.DateInput):
    """The browser's own date picker. It wants ISO dates whatever the language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class FileDrop(forms.FileInput):
    """A file field on which a file may also be dropped; the native button stays."""

    template_name = "components/widgets/file_drop.html"
