"""`{% load markdown %}`, then `{{ page.body|markdown }}`."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from common.markdown import render

register = template.Library()


@register.filter
def markdown(text: object) -> SafeString:
    """Markdown as sanitised HTML; put it into an element of class `prose`."""
    return render(str(text))
