"""The sample shop over the courses of a Moodle: nobody is enrolled there for a demonstration."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Person
from catalog.models import CatalogItem
from courses.models import Course, CourseCategory
from courses.services import run_sync_courses
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.demo import seed
from tests.moodle.site import use_peer

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_the_shop_is_loaded(settings: Any, moodle_peer: MoodlePeer, capsys: Any) -> None:
    use_peer(settings, moodle_peer)
    seed(moodle_peer.site)
    run_sync_courses()
    before = (dict(moodle_peer.site.users), dict(moodle_peer.site.enrolments))
    call_command("demo", shop_only=True)
    assert "owner@demo.example" in capsys.readouterr().out
    assert (moodle_peer.site.users, moodle_peer.site.enrolments) == before
    number = CourseCategory.objects.get(name="Espaces des clients").remote_id
    assert f"coursecategory={number}&" in CatalogItem.objects.get(code="SPACE").params
    assert Course.objects.get(is_template=True).shortname == "MODELE"
    assert Course.objects.get(is_support=True).shortname == "AIDE"


def test_the_walk_is_refused_and_so_is_a_site_without_the_courses(
    settings: Any, moodle_peer: MoodlePeer
) -> None:
    use_peer(settings, moodle_peer)
    with pytest.raises(CommandError, match="--shop-only"):
        call_command("demo")
    with pytest.raises(CommandError, match="synccourses"):
        call_command("demo", shop_only=True)
    assert not Person.objects.exists()
    assert not CatalogItem.objects.exists()
