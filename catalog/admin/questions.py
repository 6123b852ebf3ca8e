"""The shop's own questions in the admin, beside the item they belong to."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db import models
from django.forms import Textarea

from catalog.models import CatalogItem, ItemQuestion


class QuestionInline(admin.StackedInline[ItemQuestion, CatalogItem]):
    """Asked of the buyer beside what the automation asks. What orders have frozen never changes."""

    model = ItemQuestion
    extra = 0
    formfield_overrides: ClassVar = {models.TextField: {"widget": Textarea(attrs={"rows": 4, "cols": 40})}}
    fields = (
        ("name", "position"),
        ("kind", "scope", "required"),
        ("label_fr", "label_en"),
        ("help_fr", "help_en"),
        ("choices_fr", "choices_en"),
    )
