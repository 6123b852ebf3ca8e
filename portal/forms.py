"""Forms of the portal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _

from accounts.forms.signing import NameFields
from catalog.files import clean_image
from common.forms import FileDrop
from courses.models import Page

PAGE_LENGTH = 100_000  # characters


def for_the_courses(form: forms.Form) -> None:
    """Say what a password for courses that live elsewhere should be like: their platform's own rules come on top."""
    form.fields["password"].help_text = _(
        "At least 12 characters, with capital and small letters, a digit and another sign, so that the course platform "
        "takes it."
    )


class PageForm(forms.Form):
    """A page of a course; `seen` is when the edited page was saved last, so that no colleague is overwritten."""

    title = forms.CharField(label=_("Title"), max_length=200)
    body = forms.CharField(
        label=_("Text"),
        help_text=_("Markdown: **bold**, *italic*, # heading, - list, [link](https://example.org)."),
        max_length=PAGE_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 20}),
    )
    image = forms.FileField(
        label=_("Add an image"),
        help_text=_("JPEG, PNG, WebP or GIF, at most 10 MB. It is put at the end of the text."),
        required=False,
        widget=FileDrop(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
    )
    image_text = forms.CharField(
        label=_("What the image shows"),
        help_text=_("Read to those who do not see it."),
        max_length=200,
        required=False,
    )
    seen = forms.DateTimeField(widget=forms.HiddenInput, required=False)

    @classmethod
    def of(cls, page: Page) -> PageForm:
        """The form of a page as it is."""
        return cls(initial={"title": page.title, "body": page.body, "seen": page.updated_at.isoformat()})

    def clean_image(self) -> ContentFile[bytes] | None:
        """Re-encoded; what is not a picture is refused."""
        upload = self.cleaned_data["image"]
        return clean_image(upload) if upload else None

    def clean_image_text(self) -> str:
        """Without the signs that would end the place of the text in Markdown."""
        return " ".join(self.cleaned_data["image_text"].translate(str.maketrans("[]\\", "() ")).split())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("image") and not data.get("image_text") and "image_text" in data:
            self.add_error("image_text", _("Say what the image shows."))
        return data

    @property
    def seen_at(self) -> datetime | None:
        seen: datetime | None = self.cleaned_data["seen"]
        return seen


class NamesForm(forms.Form):
    """The name by which an organisation knows one of its people."""

    first_name = forms.CharField(
        label=_("First name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class FirstNameForm(NameFields):
    """First visit of somebody who has a password elsewhere: only the name is confirmed or corrected."""


class BackupForm(forms.Form):
    """What a backup of a course holds."""

    with_users = forms.BooleanField(
        label=_("With the participants"),
        help_text=_("Their addresses, groups and the pages they have read are kept in it too."),
        required=False,
    )


class RestoreForm(forms.Form):
    """What comes back with a backup that holds people."""

    with_users = forms.BooleanField(
        label=_("Bring the participants of then back too"),
        help_text=_("Those for whom you still answer; nobody is taken out of the course."),
        required=False,
    )
