"""Pages and commands about seats of a remote platform: they ask nobody, say what waits, and then what came of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Role
from common import jobs
from common.models import Job
from courses.services import open_course
from seats.models import Assignment, AssignmentBatch, SeatChange
from seats.selectors import changes_of
from seats.services import plan_again
from tests.courses.factories import make_course
from tests.seats.factories import give, make_pool, plan_list, planned, states
from tests.seats.pages import House, words
from tests.seats.remote import FarPlatform, install

pytestmark = pytest.mark.django_db

BEING_TOLD = "The course platform is being told. You may leave this page."
AWAY = "The course platform does not answer at the moment. The work goes on by itself as soon as it does."


@pytest.fixture
def far(monkeypatch, settings) -> FarPlatform:
    return install(monkeypatch, settings)


@pytest.fixture
def house(far) -> House:
    return House()


@pytest.fixture
def given(house) -> Assignment:
    make_pool(house.account, 2, bill_number="CMD-1")
    given = give(house.account, make_course("EXCEL1", fullname="Excel"), "ann@x.org")
    assert isinstance(given, Assignment)
    return given


def url(given: Assignment, action: str = "") -> str:
    return f"/seats/{given.seat.reference}/{action}"


def work() -> None:
    for job in Job.objects.filter(kind="seats.change", state="queued"):
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
        jobs.run(job.pk)


def told_by(source: str) -> str:
    return source.partition("?told=")[2].partition('"')[0]


class TestTheSeat:
    def test_taking_back_waits_and_then_the_seat_is_free(self, far, house, given):
        client = house.browser()
        far.calls.clear()
        page = client.post(url(given, "release/"), follow=True)
        said = words(page)
        assert f"The seat of Ann Doe is being taken back. {BEING_TOLD}" in said
        assert "This seat is just being changed. Try again in a moment." in said
        assert "/release/" not in page.content.decode()
        assert far.calls == []
        told = told_by(page.content.decode())
        asked = client.get(url(given, f"change/?told={told}"))
        assert (asked.status_code, asked.headers.get("HX-Refresh")) == (204, None)
        work()
        assert client.get(url(given, f"change/?told={told}")).headers["HX-Refresh"] == "true"
        said = words(client.get(url(given)))
        assert "is being taken back" not in said
        assert "Give it to Ann Doe again" in said

    def test_while_the_platform_is_away_the_page_says_so(self, far, house, given):
        far.is_away = True
        client = house.browser()
        client.post(url(given, "release/"))
        work()
        assert f"The seat of Ann Doe is being taken back. {AWAY}" in words(client.get(url(given)))

    def test_somebody_else_gets_it(self, house, given):
        client = house.browser()
        page = client.post(
            url(given, "replace/"),
            {"replace-email": "bob@x.org", "replace-first_name": "Bob", "replace-last_name": "Roe"},
            follow=True,
        )
        assert "bob@x.org is getting the seat of Ann Doe." in words(page)
        work()
        said = words(client.get(url(given)))
        assert "bob@x.org has the seat in the place of Ann Doe and will be invited." in said
        SeatChange.objects.update(ended_at=timezone.now() - timedelta(hours=1))
        assert "has the seat in the place of" not in words(client.get(url(given)))

    def test_the_address_is_corrected(self, house, given):
        client = house.browser()
        page = client.post(url(given, "correct/"), {"correct-email": "anne@x.org"}, follow=True)
        assert "The address of Ann Doe is being corrected: anne@x.org." in words(page)
        work()
        assert "The address is now anne@x.org. A mail is on its way" in words(client.get(url(given)))

    def test_a_refusal_is_said_with_its_reason_and_the_seat_may_be_changed_again(self, far, house, given):
        far.elsewhere = {"eve@x.org": True}
        client = house.browser()
        client.post(url(given, "replace/"), {"replace-email": "eve@x.org"})
        work()
        page = client.get(url(given))
        assert (
            "Nothing was changed. This person is already enrolled in the course: no seat is needed."
            in words(page)
        )
        assert "/release/" in page.content.decode()
        client.post(url(given, "release/"))
        work()
        assert "Nothing was changed." not in words(client.get(url(given)))

    def test_what_our_rows_can_tell_is_said_beside_its_field_at_once(self, house, given):
        page = house.browser().post(url(given, "replace/"), {"replace-email": "ANN@x.org"})
        assert page.context["replace_form"].errors["email"] == [
            "This is the address of the person who has the seat."
        ]
        assert not SeatChange.objects.exists()

    def test_a_change_that_has_stopped_is_left_to_the_shop(self, house, given):
        client = house.browser()
        client.post(url(given, "release/"))
        Job.objects.filter(kind="seats.change").update(state="failed")
        page = client.get(url(given))
        assert "The work has stopped." in words(page)
        assert "hx-get" not in page.content.decode().partition('id="change-way"')[2].partition(">")[0]

    def test_a_stranger_sees_nothing_of_it_and_a_viewer_does(self, house, given):
        house.browser().post(url(given, "release/"))
        assert House().browser().get(url(given, "change/")).status_code == 404
        assert BEING_TOLD in words(house.browser(Role.VIEWER).get(url(given)))


class TestMySeats:
    def test_what_waits_is_said_in_every_list_and_asked_about(self, far, house, given):
        client = house.browser()
        client.post(url(given, "release/"), {"next": "/seats/all/"})
        for place in ("/seats/", "/seats/all/", "/seats/?course=EXCEL1"):
            page = client.get(place)
            assert f"{BEING_TOLD} The seat of Ann Doe is being taken back." in words(page), place
        source = client.get("/seats/all/").content.decode()
        assert "being taken back" in words(client.get("/seats/all/")).partition("Last mail")[2]
        assert 'formaction="' not in source
        told = told_by(source)
        assert client.get(f"/seats/changes/?told={told}").status_code == 204
        work()
        assert client.get(f"/seats/changes/?told={told}").headers["HX-Refresh"] == "true"
        said = words(client.get("/seats/all/"))
        assert BEING_TOLD not in said
        # The undo waits with it.
        assert "The seat of Ann Doe in “Excel” is free again. Give it to Ann Doe again" in said

    def test_what_was_refused_is_said_there_too(self, house, given):
        client = house.browser()
        client.post(url(given, "release/"), {"next": "/seats/all/"})
        open_course(person_id=given.holder_id, course_id=given.course_id)
        work()
        for place in ("/seats/", "/seats/all/"):
            assert "Ann Doe: This seat was started on" in words(client.get(place))
        SeatChange.objects.update(ended_at=timezone.now() - timedelta(days=8))
        assert "This seat was started on" not in words(client.get("/seats/"))

    def test_another_organisation_sees_nothing(self, house, given):
        house.browser().post(url(given, "release/"))
        other = House()
        make_pool(other.account, 1)
        assert "being taken back" not in words(other.browser().get("/seats/all/"))
        assert changes_of(other.account.pk) == []

    def test_one_query_more_and_no_more_with_many(self, house, given, django_assert_num_queries):
        make_pool(house.account, 30)
        for number in range(6):
            one = give(house.account, given.course, f"p{number}@x.org")
            house.browser().post(url(one, "release/"))
        with django_assert_num_queries(1):
            assert len(changes_of(house.account.pk)) == 6


class TestLists:
    def test_a_list_that_waits_for_the_platform_shows_its_review_when_it_is_back(self, far, house):
        make_pool(house.account, 2)
        course = make_course()
        far.is_away = True
        batch = plan_list(house.account, course, "new@x.org")
        assert batch.job is not None
        jobs.run(batch.job.pk)
        client = house.browser()
        here = f"/seats/lists/{batch.pk}/"
        said = words(client.get(here))
        assert "The list is being checked" in said
        assert AWAY in said
        far.is_away = False
        Job.objects.update(not_before=timezone.now())
        assert jobs.run(batch.job.pk)
        assert client.get(f"{here}progress/").headers["HX-Refresh"] == "true"
        assert "Read the list once more" in words(client.get(here))

    def test_another_pool_is_planned_by_a_job_again(self, far, house):
        first, second = make_pool(house.account, 1), make_pool(house.account, 5)
        batch = plan_list(house.account, make_course(), "a@x.org", "b@x.org", "c@x.org", pool=first)
        assert batch.job is not None
        assert jobs.run(batch.job.pk)
        assert planned(batch) == ["new_account", "no_seat", "no_seat"]
        far.calls.clear()
        page = house.browser().post(f"/seats/lists/{batch.pk}/pool/", {"pool": second.pk}, follow=True)
        assert "The list is being checked" in words(page)
        assert far.calls == []
        assert jobs.run(batch.job.pk)
        assert planned(batch) == ["new_account"] * 3
        assert "Give 3 seats" in words(house.browser().get(f"/seats/lists/{batch.pk}/"))

    def test_a_pool_chosen_while_the_list_is_planned_holds(self, far, house):
        first, second = make_pool(house.account, 1), make_pool(house.account, 5)
        batch = plan_list(house.account, make_course(), "a@x.org", "b@x.org", pool=first)

        def chosen(name: str) -> None:
            far.before = lambda _name: None
            AssignmentBatch.objects.update(pool=second)

        far.before = chosen
        assert batch.job is not None
        assert jobs.run(batch.job.pk)
        assert planned(batch) == ["new_account"] * 2

    def test_a_stale_plan_is_made_anew_by_a_job_once_a_minute(self, far, house):
        make_pool(house.account, 1)
        batch = plan_list(house.account, make_course(), "a@x.org", "b@x.org")
        assert batch.job is not None
        assert jobs.run(batch.job.pk)
        make_pool(house.account, 1)
        client = house.browser()
        here = f"/seats/lists/{batch.pk}/"
        assert "1 seat is missing" in words(client.get(here))  # it was planned just now
        AssignmentBatch.objects.update(planned_at=timezone.now() - timedelta(minutes=2))
        far.calls.clear()
        assert "The list is being checked" in words(client.get(here, follow=True))
        assert far.calls == []
        assert jobs.run(batch.job.pk)
        assert "Give 2 seats" in words(client.get(here))

    def test_an_applied_list_is_not_planned_again(self, far, house):
        make_pool(house.account, 1)
        batch = plan_list(house.account, make_course(), "a@x.org")
        AssignmentBatch.objects.update(state="applied")
        plan_again(batch_id=batch.pk)
        batch.refresh_from_db()
        assert batch.state == "applied"


class TestCommands:
    def test_they_do_it_here_and_now(self, house, given, capsys):
        call_command("releaseseat", given.seat.reference, "--json")
        assert json.loads(capsys.readouterr().out)["state"] == "free"

    @pytest.mark.parametrize("command", ["releaseseat", "replaceseat"])
    def test_or_say_that_it_waits(self, far, house, given, capsys, command):
        far.is_away = True
        more = ["--email", "bob@x.org"] if command == "replaceseat" else []
        call_command(command, given.seat.reference, *more, "--json")
        out, error = capsys.readouterr()
        assert (json.loads(out)["state"], json.loads(out)["email"]) == ("assigned", "ann@x.org")
        assert "It waits for the course platform and goes on by itself: no route to host" in error
        far.is_away = False
        work()
        assert SeatChange.objects.get().state == "done"

    def test_what_the_platform_refuses_is_told_with_exit_1(self, far, house, given):
        far.elsewhere = {"eve@x.org": True}
        with pytest.raises(CommandError) as error:
            call_command("replaceseat", given.seat.reference, "--email", "eve@x.org")
        assert error.value.returncode == 1

    def test_a_list_is_not_begun_while_nobody_can_be_asked(self, far, house, given, tmp_path: Path):
        far.is_away = True
        listed = tmp_path / "people.csv"
        listed.write_text("email\nbob@x.org\n")
        before = AssignmentBatch.objects.count()
        with pytest.raises(CommandError, match="nothing was changed: no route to host") as error:
            call_command("assignseats", account=house.account.slug, course="EXCEL1", file=listed)
        assert (error.value.returncode, AssignmentBatch.objects.count()) == (1, before)
        assert states(house.account) == {"free": 1, "assigned": 1}
        far.is_away = False
        for job in Job.objects.filter(kind="seats.plan"):
            Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
            jobs.run(job.pk)
        assert not Job.objects.filter(kind="seats.plan").exclude(state="done").exists()
