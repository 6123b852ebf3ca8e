"""What a course platform refuses is said in words wherever seats are shown, never as the code it has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from common.audit import SYSTEM
from courses.platform import Refusal, refused
from courses.wording import refusal_words
from seats.models import Assignment
from seats.services import Refused, run_extend
from tests.courses.factories import make_course
from tests.seats.factories import apply, give, make_pool, plan_list
from tests.seats.life import DAY
from tests.seats.pages import House, words
from tests.seats.remote import FarPlatform, install
from tests.seats.test_far_pages import url, work

pytestmark = pytest.mark.django_db
CODES = [code.value for code in Refusal]
CLOSED = "the login on the course platform is closed"


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


@pytest.fixture
def house(far) -> House:
    return House()


def refuse(far: FarPlatform, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(far, "ensure_enrolments", lambda rows: [refused(code) for _row in rows])


def why(code: str) -> str:
    """What the browser and the commands say, in English."""
    with override("en"):
        said = refusal_words(code)
    assert said != code
    assert not {"_", "“"} & set(said)
    return said


def seated(house: House) -> Assignment:
    make_pool(house.account, 1, access_seconds=30 * DAY.total_seconds())
    return give(house.account, make_course(), "ann@x.org")


@pytest.mark.parametrize("code", CODES)
def test_of_a_row_of_a_list(far, house, monkeypatch, code):
    make_pool(house.account, 1)
    batch = plan_list(house.account, make_course(), "ann@x.org")
    refuse(far, monkeypatch, code)
    apply(batch)
    client, here = house.browser(), f"/seats/lists/{batch.pk}/"
    said = f"The course platform refused this person ({why(code)}): the seat is free again."
    for text in (words(client.get(here)), client.get(f"{here}refused.csv").content.decode()):
        assert said in text
        assert code not in text.replace(said, "")


@pytest.mark.parametrize("code", CODES)
def test_of_somebody_who_was_to_get_a_seat_of_somebody_else(far, house, monkeypatch, code):
    given, client = seated(house), house.browser()
    refuse(far, monkeypatch, code)
    client.post(url(given, "replace/"), {"replace-email": "bob@x.org"})
    work()
    said = f"The course platform refused this person ({why(code)})."
    assert f"Nothing was changed. {said}" in words(client.get(url(given)))
    assert said in words(client.get("/seats/"))


def test_by_commands(far, house, monkeypatch, capsys, tmp_path: Path):
    given = seated(house)
    make_pool(house.account, 1)
    refuse(far, monkeypatch, "login_suspended")
    with override("en"), pytest.raises(CommandError, match=rf"refused this person \({CLOSED}\)\.$"):
        call_command("replaceseat", given.seat.reference, "--email", "bob@x.org")
    listed = tmp_path / "people.csv"
    listed.write_text("email\neve@x.org\n")
    capsys.readouterr()
    with override("en"):
        call_command(
            "assignseats", account=house.account.slug, course=given.course.shortname, file=listed, json=True
        )
    [row] = json.loads(capsys.readouterr().out)["rows"]
    assert row["message"] == f"The course platform refused this person ({CLOSED}): the seat is free again."


def test_of_a_product_that_was_to_last_longer_in_the_language_of_the_reader(monkeypatch, settings):
    settings.COURSE_PLATFORM = "builtin"
    given = seated(House())
    Assignment.objects.update(role="magician")
    with pytest.raises(Refused) as error:
        run_extend(reference=given.seat.reference, days=10, at=given.starts_at, key="line-1", actor=SYSTEM)
    words_of_role = "this role cannot be given on the course platform"
    with override("en"):
        assert str(error.value.message) == f"The course platform refuses this: {words_of_role}."
    with override("fr"):
        assert str(error.value.message).startswith("La plateforme de cours refuse")
