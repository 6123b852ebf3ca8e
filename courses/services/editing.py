"""Changing the pages of a built-in course."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import Max

from common import audit
from courses.models import Course, Page


class PageChangedMeanwhile(Exception):
    """Somebody else has saved or deleted the page since it was read; nothing was changed."""


@transaction.atomic
def save_page(
    *,
    course_id: int,
    title: str,
    body: str,
    actor: audit.Actor,
    page_id: int | None = None,
    seen: datetime | None = None,
) -> Page:
    """Save a page of the course, or add one at the end.

    `seen` is the `updated_at` of the page that was edited. Raises PageChangedMeanwhile when it no longer holds.
    """
    _lock(course_id)
    if page_id is None:
        last = Page.objects.filter(course=course_id).aggregate(last=Max("position"))["last"]
        page = Page(course_id=course_id, position=(last or 0) + 1)
    else:
        page = _fetch(course_id, page_id)
        if seen is not None and page.updated_at != seen:
            raise PageChangedMeanwhile
    page.title, page.body = title, body
    page.save()
    _record(actor, "page.save", page)
    return page


@transaction.atomic
def move_page(*, course_id: int, page_id: int, direction: Literal["up", "down"], actor: audit.Actor) -> bool:
    """Swap a page with its neighbour; returns whether there was one. Raises PageChangedMeanwhile when it is gone."""
    _lock(course_id)
    page = _fetch(course_id, page_id)
    pages = list(Page.objects.filter(course=course_id).only("pk", "position"))
    index = pages.index(page)
    other = index - 1 if direction == "up" else index + 1
    if not 0 <= other < len(pages):
        return False
    pages[index], pages[other] = pages[other], pages[index]
    for position, each in enumerate(pages, start=1):
        each.position = position
    Page.objects.bulk_update(pages, ["position"])
    _record(actor, "page.move", page)
    return True


@transaction.atomic
def delete_page(*, course_id: int, page_id: int, actor: audit.Actor) -> None:
    """Delete a page and the marks on it. Raises PageChangedMeanwhile when it is gone."""
    _lock(course_id)
    page = _fetch(course_id, page_id)
    _record(actor, "page.delete", page)
    page.delete()


def _lock(course_id: int) -> None:
    Course.objects.select_for_update(no_key=True).get(pk=course_id)


def _fetch(course_id: int, page_id: int) -> Page:
    page = Page.objects.filter(course=course_id, pk=page_id).first()
    if page is None:
        raise PageChangedMeanwhile
    return page


def _record(actor: audit.Actor, verb: str, page: Page) -> None:
    audit.record(actor=actor, verb=verb, object=f"page:{page.pk}", scope=f"course:{page.course_id}")
