"""The login in courses that live elsewhere, for pages of any app: `{% load course_login %}`."""

from __future__ import annotations

from django import template

from accounts.models import Person
from courses.models import PlatformLogin
from courses.selectors import course_login

register = template.Library()


@register.simple_tag
def course_login_of(person: Person) -> PlatformLogin | None:
    """`{% course_login_of person as login %}`: his login there, if there is one; for `portal/learn/login.html`."""
    return course_login(person.pk)
