"""The item's page in the admin: parameters as fields and as a string, in step; the paste box."""

from __future__ import annotations

import pytest

from accounts.models import Person
from catalog.models import CatalogItem
from common.models import AuditEntry
from tests.catalog.factories import make_item, make_shelf, make_shop

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/catalogitem/add/"


@pytest.fixture
def staff(client):
    person = Person.objects.create_superuser("staff@example.org", "a long enough password")
    client.force_login(person)
    return client


def posted(**values):
    shop = make_shop()
    return {
        "shop": shop.pk,
        "code": "SEATS",
        "name_fr": "Siège",
        "price": "12.50",
        "tax_rate": "20.00",
        "handler": "generateseats",
        "params": "",
        "seat_mode": "none",
        "visibility": "public",
        "unassigned_end": "extend",
        "position": "0",
        "tiers-TOTAL_FORMS": "0",
        "tiers-INITIAL_FORMS": "0",
        "questions-TOTAL_FORMS": "0",
        "questions-INITIAL_FORMS": "0",
    } | values


def change(item):
    return f"/admin/catalog/catalogitem/{item.pk}/change/"


def test_the_fields_become_the_string(staff):
    response = staff.post(
        ADD, posted(**{"param-generateseats-packsize": "10", "param-generateseats-duration": "90"})
    )
    assert response.status_code == 302
    item = CatalogItem.objects.get()
    assert (item.params, item.price) == ("packsize=10&duration=90", 1250)
    assert AuditEntry.objects.get(verb="item.set").object == "item:SEATS"


def test_the_string_becomes_the_fields(staff):
    item = make_item(handler="generateseats", params="packsize=10&endtime=%2B7D%20%2B10H")
    page = staff.get(change(item)).content.decode()
    assert 'name="param-generateseats-packsize" value="10"' in page
    assert 'name="param-generateseats-endtime" value="+7D +10H"' in page


def test_a_changed_string_wins_over_unchanged_fields(staff):
    item = make_item(code="SEATS", handler="generateseats", params="packsize=10")
    data = posted(params="packsize=5", **{"param-generateseats-packsize": "10"})
    assert staff.post(change(item), data).status_code == 302
    item.refresh_from_db()
    assert item.params == "packsize=5"


def test_a_string_and_fields_changed_differently_are_refused_and_nothing_is_saved(staff):
    item = make_item(code="SEATS", handler="generateseats", params="packsize=10")
    data = posted(params="packsize=5", **{"param-generateseats-packsize": "20"})
    response = staff.post(change(item), data, headers={"accept-language": "en"})
    assert response.status_code == 200
    assert "The string and the fields were both changed and differ." in response.content.decode()
    item.refresh_from_db()
    assert item.params == "packsize=10"


def test_the_same_change_in_both_is_one_change(staff):
    item = make_item(code="SEATS", handler="generateseats", params="packsize=10")
    data = posted(params="packsize=5", **{"param-generateseats-packsize": "5"})
    assert staff.post(change(item), data).status_code == 302
    item.refresh_from_db()
    assert item.params == "packsize=5"


@pytest.mark.parametrize(
    ("key", "value"), [("packsize", "0"), ("duration", "12.5"), ("endtime", "tomorrow"), ("validity", "-1")]
)
def test_a_bad_value_in_a_field_is_an_error_of_that_field(staff, key, value):
    name = f"param-generateseats-{key}"
    response = staff.post(ADD, posted(**{name: value}))
    assert response.status_code == 200
    assert name in response.context["adminform"].form.errors
    assert not CatalogItem.objects.exists()


def test_an_unknown_key_in_the_string_is_an_error_that_names_it(staff):
    response = staff.post(ADD, posted(params="packsiz=10"))
    assert "packsiz" in str(response.context["adminform"].form.errors["params"])
    assert not CatalogItem.objects.exists()


def test_a_course_list_that_matches_nothing_is_an_error_at_save(staff):
    response = staff.post(ADD, posted(params="courselist=NOPE*"))
    assert response.status_code == 200
    assert not CatalogItem.objects.exists()


def test_the_paste_box_shows_what_it_understood_before_anything_is_saved(staff):
    paste = "enabledcourses=%ADV%&packsize=10&supervisor=teacher"
    response = staff.post(ADD, posted(local_shop=paste), headers={"accept-language": "en"})
    assert response.status_code == 200
    assert not CatalogItem.objects.exists()
    form = response.context["adminform"].form
    assert form["params"].value() == "courselist=*ADV*&packsize=10&supervisor=teacher"
    assert form["param-generateseats-courselist"].value() == "*ADV*"
    assert form["param-generateseats-packsize"].value() == "10"
    assert form["local_shop"].value() == ""
    assert "Nothing is saved yet" in str(form.errors["params"])


def test_the_paste_box_takes_a_handler_from_the_paste(staff):
    response = staff.post(ADD, posted(handler="", local_shop="handler=std_generateseats&packsize=3"))
    assert response.context["adminform"].form["handler"].value() == "generateseats"


def test_while_typing_the_string_is_read_into_fields(staff):
    address = "/admin/catalog/catalogitem/params/"
    answer = staff.get(address, {"handler": "generateseats", "params": "packsize=10&duration=x"}).json()
    assert answer["texts"] == {"packsize": "10", "duration": "x"}
    assert [error["key"] for error in answer["errors"]] == ["duration"]


def test_the_parameter_reader_is_for_staff_only(client):
    assert client.get("/admin/catalog/catalogitem/params/").status_code == 302


def test_prices_of_tiers_are_typed_in_units_of_the_currency(staff):
    tier = {"tiers-TOTAL_FORMS": "1", "tiers-0-up_to": "9", "tiers-0-price": "13.00"}
    assert staff.post(ADD, posted(handler="", **tier)).status_code == 302
    assert list(CatalogItem.objects.get().tiers.values_list("up_to", "price")) == [(9, 1300)]


def test_more_decimals_than_the_currency_has_are_refused(staff):
    response = staff.post(ADD, posted(price="12.505"))
    assert "price" in response.context["adminform"].form.errors


def test_a_seller_with_a_wrong_number_is_refused(staff):
    shop = make_shop()
    url = f"/admin/catalog/shop/{shop.pk}/change/"
    form = staff.get(url).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields if name != "logo"}
    response = staff.post(url, data | {"iban": "FR76 0000"})
    assert "iban" in response.context["adminform"].form.errors
    response = staff.post(url, data | {"iban": "FR76 3000 6000 0112 3456 7890 189", "bic": ""})
    assert response.status_code == 302
    shop.refresh_from_db()
    assert shop.iban == "FR7630006000011234567890189"


def test_a_category_cannot_be_inside_itself(staff):
    top = make_shelf()
    child = make_shelf(parent=top)
    url = f"/admin/catalog/category/{top.pk}/change/"
    data = {"shop": top.shop_id, "slug": top.slug, "name_fr": top.name_fr, "position": 0, "visible": "on"}
    response = staff.post(url, data | {"parent": child.pk})
    assert "parent" in response.context["adminform"].form.errors


@pytest.mark.parametrize("number", [10, 100])
def test_the_admin_list_costs_a_constant_number_of_queries(staff, number, django_assert_num_queries):
    for _ in range(number):
        make_item()
    staff.get("/admin/catalog/catalogitem/")
    with django_assert_num_queries(9):
        staff.get("/admin/catalog/catalogitem/")
