"""My seats, seat by seat, my products: what they say and what they ask of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import Role
from catalog.models import CatalogItem
from catalog.selectors import get_shop
from common.audit import OPERATOR
from common.references import new_reference
from seats.models import SeatPool, Session
from seats.services import record_opening, release
from tests.accounts.factories import PASSWORD, make_person
from tests.accounts.helpers import browser
from tests.courses.factories import make_course, make_space
from tests.seats.factories import apply, give, make_pool, plan_list, references
from tests.seats.pages import House, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def test_the_condensed_state_is_said_in_words_and_as_the_seat_row(house):
    course = make_course("EXCEL1", fullname="Excel")
    make_pool(house.account, 5)
    started = give(house.account, course, "a@x.org")
    give(house.account, course, "b@x.org")
    record_opening(person_id=started.holder_id, course_id=course.pk)
    page = house.browser().get("/seats/")
    assert "5 bought · 1 in use · 1 invited · 3 free" in words(page)
    assert 'aria-label="5 bought · 1 in use · 1 invited · 3 free"' in page.content.decode()
    assert "3 seats wait for somebody." in words(page)
    assert page.content.decode().count("button--primary") == 1


def test_several_pools_are_told_apart_with_item_order_dates_and_courses(house):
    make_course("EXCEL1", fullname="Excel")
    make_course("RGPD", fullname="Privacy")
    make_pool(house.account, 2, bill_number="CMD-1")
    until = datetime(2099, 7, 31, 22, tzinfo=UTC)
    make_pool(
        house.account,
        10,
        item_name="Pack",
        bill_number="CMD-2",
        courselist="EXCEL*",
        assign_before=until,
        access_seconds=90 * 86400,
    )
    said = words(house.browser().get("/seats/"))
    assert "Pack Order CMD-2 Excel To be given until 31 July 2099 inclusive" in said
    assert (
        "Access for 90 days from the day a seat is given 10 bought · 0 in use · 0 invited · 10 free" in said
    )
    assert "Seats for any course Order CMD-1 every open course Without an end date 2 bought" in said
    assert "12 seats wait for somebody. The first of them can be given until 31 July 2099 inclusive." in said


def test_each_course_says_who_sits_there_and_how_many_seats_may_be_given(house):
    excel, privacy = make_course("EXCEL1", fullname="Excel"), make_course("RGPD", fullname="Privacy")
    make_pool(house.account, 3)
    make_pool(house.account, 2, courselist="RGPD")
    give(house.account, excel, "a@x.org")
    page = house.browser().get("/seats/")
    lines = {line.shortname: (line.counts.invited, line.free) for line in page.context["page"]}
    assert lines == {"EXCEL1": (1, 2), "RGPD": (0, 4)}
    assert f"/seats/give/?course={privacy.shortname}" in page.content.decode()


def test_an_empty_page_teaches_and_sends_whoever_may_buy_to_the_catalogue(house):
    page = house.browser(Role.OWNER).get("/seats/")
    assert "You have no seats yet." in words(page)
    assert 'href="/"' in page.content.decode().partition('class="empty"')[2]


def test_an_empty_page_tells_a_manager_who_can_buy(house):
    said = words(house.browser().get("/seats/"))
    assert "Your organisation has no seats yet." in said
    owner, buyer = house.members[Role.OWNER].person, house.members[Role.BUYER].person
    # They have not signed in yet: only the address that was typed is shown.
    assert f"{owner.email} and {buyer.email} can buy seats for your organisation." in said


def test_when_all_are_used_the_list_is_still_there_and_seats_can_be_bought_again(house):
    make_pool(house.account, 1, item_code="PACK10")
    give(house.account, make_course(), "a@x.org")
    page = house.browser(Role.OWNER).get("/seats/")
    assert "All your seats are given. 1 person has not opened the course yet." in words(page)
    assert 'href="/items/PACK10/"' in page.content.decode()
    assert "a@x.org" in words(house.browser().get("/seats/all/"))
    # A manager sees no way to buy, but who can.
    page = house.browser().get("/seats/")
    assert "/items/PACK10/" not in page.content.decode()
    assert "can buy seats for your organisation." in words(page)


def test_a_list_that_waits_for_a_yes_is_said_on_the_overview(house):
    make_pool(house.account, 3)
    batch = plan_list(house.account, make_course(fullname="Excel"), "a@x.org")
    page = house.browser().get("/seats/")
    assert "A list for “Excel”" in words(page)
    assert f"/seats/lists/{batch.pk}/" in page.content.decode()


# --- ?course= -----------------------------------------------------------------------------------------


def test_a_course_opens_on_its_own_counts_people_and_entry_screen(house):
    course, other = make_course("EXCEL1", fullname="Excel"), make_course("RGPD")
    make_pool(house.account, 5)
    give(house.account, course, "ann@x.org")
    give(house.account, other, "bob@x.org")
    page = house.browser().get("/seats/?course=EXCEL1")
    said = words(page)
    assert "3 free seats can be given in this course. 1 person has not opened it yet." in said
    assert "1 invited · 3 free" in said
    assert "ann@x.org" in said
    assert "bob@x.org" not in said
    assert 'href="/seats/give/?course=EXCEL1"' in page.content.decode()
    assert "<h1>Excel</h1>" in page.content.decode()


def test_the_address_of_a_course_survives_signing_in(house):
    make_course("EXCEL1", fullname="Excel")
    make_pool(house.account, 2)
    person = make_person(password=PASSWORD, email="zoe@x.org")
    house.members[Role.MANAGER].person = person
    house.members[Role.MANAGER].save()
    EmailAddress.objects.create(user=person, email="zoe@x.org", verified=True, primary=True)
    visitor = browser()
    turned_away = visitor.get("/seats/?course=EXCEL1")
    assert turned_away.status_code == 302
    signed_in = visitor.post(
        "/sign/login/",
        {"login": "zoe@x.org", "password": PASSWORD, "next": "/seats/?course=EXCEL1"},
        query_params={"next": "/seats/?course=EXCEL1"},
    )
    assert signed_in.status_code == 302
    assert signed_in["Location"] == "/seats/?course=EXCEL1"
    assert turned_away["Location"].endswith("/sign/login/?next=/seats/%3Fcourse%3DEXCEL1")
    assert "2 free seats can be given in this course." in words(visitor.get(signed_in["Location"]))


@pytest.mark.parametrize("kind", ["unknown", "space", "template", "support", "not_for_seats", "uncovered"])
def test_a_course_that_is_unknown_or_not_covered_gets_the_same_words_and_the_courses_that_are(house, kind):
    make_course("EXCEL1", fullname="Excel")
    make_pool(house.account, 2, courselist="EXCEL*,OTHER-*" if kind != "uncovered" else "EXCEL*")
    if kind != "unknown":
        flags = {
            "space": {"is_space": True},
            "template": {"is_template": True},
            "support": {"is_support": True},
            "not_for_seats": {"not_for_seats": True},
            "uncovered": {},
        }
        make_course("OTHER-1", fullname="A secret name", **flags[kind])
    said = words(house.browser().get("/seats/?course=OTHER-1"))
    assert "Your seats are for no course “OTHER-1”. They can be given in these courses: Excel" in said
    assert "A secret name" not in said


def test_the_short_name_of_a_course_may_be_typed_in_any_case(house):
    make_course("EXCEL1")
    make_pool(house.account, 2)
    assert house.browser().get("/seats/?course=excel1")["Location"] == "/seats/?course=EXCEL1"


# --- seat by seat ---------------------------------------------------------------------------------------


def test_every_seat_is_listed_with_person_course_state_dates_and_the_last_mail(house):
    course = make_course("EXCEL1", fullname="Excel")
    pool = make_pool(house.account, 2, access_seconds=86400)
    given = give(house.account, course, "ann@x.org")
    page = house.browser().get("/seats/all/")
    said = words(page)
    assert "Ann Doe" in said
    assert "ann@x.org" in said
    assert "leaves soon" in said
    assert said.count("since") == 1
    assert references(pool)[1] in said
    assert [entry.seat.reference for entry in page.context["list"].entries] == references(pool)
    assert given.seat.reference == references(pool)[0]


def test_filters_by_state_course_and_pool_say_how_many_they_show(house):
    excel, privacy = make_course("EXCEL1", fullname="Excel"), make_course("RGPD", fullname="Privacy")
    first, second = (
        make_pool(house.account, 3, courselist="EXCEL1"),
        make_pool(house.account, 4, courselist="RGPD"),
    )
    started = give(house.account, excel, "a@x.org")
    record_opening(person_id=started.holder_id, course_id=excel.pk)
    give(house.account, excel, "b@x.org")
    give(house.account, privacy, "c@x.org")
    client = house.browser()

    def chips(query: str) -> Any:
        return client.get(f"/seats/all/{query}").context["list"].chips

    def total(query: str) -> Any:
        return client.get(f"/seats/all/{query}").context["list"].page.paginator.count

    assert chips("") == [
        ("", "All", 7), ("free", "Free", 4), ("assigned", "Given", 2), ("consumed", "Started", 1),
    ]  # fmt: skip
    assert chips("?course=EXCEL1") == [("", "All", 2), ("assigned", "Given", 1), ("consumed", "Started", 1)]
    assert chips(f"?pool={second.pk}") == [("", "All", 4), ("free", "Free", 3), ("assigned", "Given", 1)]
    assert total("?course=EXCEL1&state=consumed") == 1
    assert total(f"?pool={first.pk}") == 3
    assert total(f"?pool={first.pk}&course=RGPD") == 0
    # What is no filter is none.
    assert total("?state=nonsense&course=NOPE&pool=x&page=99999999999") == 7


@pytest.mark.parametrize(
    ("query", "found"),
    [("ann", ["ann@x.org"]), ("ANN doe", ["ann@x.org"]), ("doe", ["ann@x.org", "bob@x.org"]), ("zoe", [])],
)
def test_search_finds_names_and_addresses_as_typed(house, query, found):
    course = make_course()
    make_pool(house.account, 5)
    give(house.account, course, "ann@x.org")
    give(house.account, course, "bob@x.org")
    page = house.browser().get("/seats/all/", {"q": query})
    assert [entry.seat.sitter.email for entry in page.context["list"].entries] == found


def test_search_finds_a_reference_however_it_is_typed_and_nobody_elses(house):
    pool = make_pool(house.account, 3)
    foreign = make_pool(None, 1)
    reference = references(pool)[2]
    page = house.browser().get("/seats/all/", {"q": reference.lower().replace("-", " ")})
    assert [entry.seat.reference for entry in page.context["list"].entries] == [reference]
    page = house.browser().get("/seats/all/", {"q": references(foreign)[0]})
    assert page.context["list"].entries == []


def test_pages_of_fifty_and_one_page_to_print(house):
    make_pool(house.account, 120)
    client = house.browser()
    page = client.get("/seats/all/?page=3").context["list"].page
    assert (page.number, page.paginator.num_pages, len(page.object_list)) == (3, 3, 20)
    page = client.get("/seats/all/?print=1").context["list"].page
    assert len(page.object_list) == 120


def test_the_list_is_saved_as_csv_with_the_filters_and_without_formulas(house):
    course = make_course("EXCEL1", fullname="=HYPERLINK(1)")
    make_pool(house.account, 2, item_name="Seats", bill_number="CMD-1")
    given = give(house.account, course, "ann@x.org")
    saved = house.browser().get("/seats/all.csv?state=assigned")
    assert saved["Content-Type"] == "text/csv; charset=utf-8"
    assert saved["Content-Disposition"] == 'attachment; filename="seats.csv"'
    text = saved.content.decode("utf-8")
    assert text.startswith("\ufeffreference,state,item,order,course")
    [_header, line] = text.strip().splitlines()
    assert line.startswith(
        f"{given.seat.reference},given,Seats,CMD-1,EXCEL1,'=HYPERLINK(1),ann@x.org,Ann,Doe,Participant,CMD-1,"
    )


def test_in_french_the_csv_has_semicolons_and_a_byte_order_mark(house):
    make_pool(house.account, 1)
    saved = house.browser().get("/seats/all.csv", headers={"accept-language": "fr"})
    assert saved.content.startswith(b"\xef\xbb\xbf")
    assert saved.content.decode("utf-8-sig").splitlines()[0].count(";") == 15


# --- my products ---------------------------------------------------------------------------------------------


def test_my_products_tells_orders_references_and_dates(house):
    make_course("EXCEL1", fullname="Excel")
    pool = make_pool(
        house.account,
        8,
        item_name="Pack",
        bill_number="CMD-7",
        courselist="EXCEL1",
        access_ends_at=datetime(2099, 7, 31, 22, tzinfo=UTC),
        renewable=True,
        purchased_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
    )
    page = house.browser().get("/products/")
    said = words(page)
    assert "Pack Order CMD-7 8 bought · 0 in use · 0 invited · 8 free Bought 5 January 2026" in said
    assert "Access until 31 July 2099 inclusive" in said
    assert "Good for Excel" in said
    assert "Can be extended, by reference" in said
    assert all(reference in said for reference in references(pool)[:6])
    assert references(pool)[6] not in said
    assert "and 2 more" in said
    assert "/purchases/CMD-7/" not in page.content.decode()
    assert "/purchases/CMD-7/" in house.browser(Role.OWNER).get("/products/").content.decode()


# --- what it costs -------------------------------------------------------------------------------------------


def fill(house: House, seats: int, people: int) -> None:
    course = make_course("EXCEL1")
    make_pool(house.account, seats)
    apply(plan_list(house.account, course, *(f"p{number}@x.org" for number in range(people))))


@pytest.mark.parametrize(
    "path", ["/seats/", "/seats/all/", "/seats/?course=EXCEL1", "/seats/all/?state=assigned", "/products/"]
)
@pytest.mark.parametrize("seats", [10, 1000])
def test_at_most_twelve_queries_however_many_seats(
    house, path, seats, django_assert_max_num_queries, django_assert_num_queries
):
    fill(house, seats, seats // 2)
    owner = house.browser(Role.OWNER)
    owner.get(path)
    with django_assert_max_num_queries(12) as asked:
        assert owner.get(path).status_code == 200
    expected = {"/seats/": 10, "/seats/all/": 11, "/seats/?course=EXCEL1": 12, "/products/": 10}
    assert len(asked) == expected.get(path, len(asked))


def test_figures_that_cannot_have_changed_are_not_counted_again(
    house, django_assert_num_queries, transactional_db
):
    fill(house, 10, 5)
    owner = house.browser(Role.OWNER)
    owner.get("/seats/")
    with django_assert_num_queries(7):
        assert "10 bought · 0 in use · 5 invited · 5 free" in words(owner.get("/seats/"))
    taken = next(iter(house.account.seats.order_by("id")))
    release(reference=taken.reference, account_id=house.account.pk, actor=OPERATOR)
    assert "10 bought · 0 in use · 4 invited · 6 free" in words(owner.get("/seats/"))


def test_expired_seats_show_who_sat_there(house):
    course = make_course()
    make_pool(house.account, 1, access_seconds=3600)
    given = give(house.account, course, "ann@x.org")
    given.ends_at = timezone.now() - timedelta(minutes=1)
    given.save()
    said = words(house.browser().get("/seats/all/?state=expired"))
    assert "Ann Doe" in said
    assert "expired" in said


def test_my_products_has_sessions_with_their_own_reference_group_and_dates(house):
    course = make_course("SPOC", fullname="Spoc")
    pool = make_pool(house.account, 2, courselist="SPOC", bill_number="CMD-3")
    SeatPool.objects.update(course=course)
    session = Session.objects.create(
        account=house.account,
        line_key=pool.line_key,
        pool=pool,
        reference=new_reference(),
        course=course,
        group_name="CMD-3",
        starts_at=datetime(2027, 1, 4, 23, tzinfo=UTC),
        ends_at=datetime(2099, 7, 31, 22, tzinfo=UTC),
    )
    said = words(house.browser().get("/products/"))
    assert "Session Spoc group CMD-3 Dates from 5 January 2027 until 31 July 2099 inclusive" in said
    assert f"Reference of the session {session.reference}" in said


def test_my_products_has_course_spaces_and_whoever_may_buy_can_extend_them(house):
    space = make_space(
        make_course("OURS", fullname="Our own", is_space=True),
        account=house.account,
        bill_number="CMD-5",
        max_participants=20,
    )
    CatalogItem.objects.create(
        shop=get_shop(), code="EXTEND", name_en="More days", name_fr="Plus de jours", price=1000,
        handler="extendenrolperiod", params="extension=180",
    )  # fmt: skip
    said = words(house.browser().get("/products/"))
    assert "Our own Order CMD-5 Course space" in said
    assert "Participants 0 of 20" in said
    assert f"Reference {space.reference}" in said
    source = house.browser(Role.OWNER).get("/products/").content.decode()
    assert f'href="/spaces/{space.reference}/"' in source
    assert f'href="/buy/EXTEND?reference={space.reference}"' in source
    assert "/buy/EXTEND" not in house.browser().get("/products/").content.decode()
    assert space.reference not in words(House().browser().get("/products/"))
