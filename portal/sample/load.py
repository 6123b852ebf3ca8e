"""Loading the sample shop: repeatable, through the same services as everything else."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from accounts.models import CustomerAccount, Person, Role
from accounts.services import set_account, set_member
from catalog.models import CatalogItem, Category, PriceTier, Shop
from catalog.selectors import get_shop
from catalog.services import set_item
from common.audit import SYSTEM
from common.money import to_minor
from courses.models import Course, CourseCategory, Page
from courses.platforms import get_platform
from courses.selectors import backups_of
from courses.services import make_backup, set_course
from portal.sample.courses import COURSES, SampleCourse
from portal.sample.items import CATEGORIES, ITEMS, SELLER

PASSWORD = "atelier-des-savoirs"  # noqa: S105 - of the sample people, printed by the demo
MEMBERS = {
    "owner@demo.example": ("Claire", "Fontaine", Role.OWNER),
    "buyer@demo.example": ("Paul", "Mercier", Role.BUYER),
    "manager@demo.example": ("Inès", "Robert", Role.MANAGER),
    "viewer@demo.example": ("Luc", "Garnier", Role.VIEWER),
}
IDENTITY = {
    "legal_name": "Demo Industries SA",
    "siren": "552100554",
    "address": "3 quai de la Fosse",
    "postcode": "44000",
    "city": "Nantes",
}
STAFF = "admin@atelier.example"


@transaction.atomic
def load_sample() -> CustomerAccount:
    """Seller, courses, items and the account `demo`; loading again brings everything back to this state.

    Courses of a remote platform are made there and synchronised before; only our marks are set on them.
    """
    shop = _seller()
    is_remote = get_platform().is_remote
    for course in COURSES:
        if is_remote:
            _mark(course)
        else:
            _course(course)
    _items(shop)
    return _people()


def _seller() -> Shop:
    shop = get_shop()
    for name, value in SELLER.items():
        setattr(shop, name, value)
    shop.full_clean()
    shop.save()
    return shop


def _course(sample: SampleCourse) -> None:
    course = set_course(
        shortname=sample.shortname,
        fullname=sample.fullname,
        category=sample.category,
        groups=sample.groups,
        is_template=sample.kind == "template",
        is_support=sample.kind == "support",
        actor=SYSTEM,
    )
    Course.objects.filter(pk=course.pk).update(summary=sample.summary)
    for position, (title, body) in enumerate(sample.pages, start=1):
        Page.objects.update_or_create(
            course=course, position=position, defaults={"title": title, "body": body}
        )
    if course.is_template and not backups_of(course.pk).filter(with_users=False).exists():
        make_backup(course_id=course.pk, with_users=False, actor=SYSTEM)


def _mark(sample: SampleCourse) -> None:
    Course.objects.filter(shortname=sample.shortname).update(
        is_template=sample.kind == "template", is_support=sample.kind == "support"
    )


def _items(shop: Shop) -> None:
    for position, (slug, (name_fr, name_en, text_fr, text_en)) in enumerate(CATEGORIES.items()):
        texts = {"name_fr": name_fr, "name_en": name_en, "description_fr": text_fr, "description_en": text_en}
        Category.objects.update_or_create(shop=shop, slug=slug, defaults=texts | {"position": position})
    category = CourseCategory.objects.get(name="Espaces des clients")
    spaces = category.remote_id or category.pk
    for position, (code, sample) in enumerate(ITEMS.items()):
        values = {key: value for key, value in sample.items() if key not in {"tiers", "base"}}
        values["params"] = values["params"].format(spaces=spaces)
        values["price"] = sample.get("base", sample["price"])
        shelf = Category.objects.get(shop=shop, slug=values.pop("category"))
        item = set_item(shop=shop, code=code, values=values | {"position": position}, actor=SYSTEM)
        CatalogItem.objects.filter(pk=item.pk).update(category=shelf)
        for up_to, price in sample.get("tiers", ()):
            price = to_minor(price, shop.currency)
            PriceTier.objects.update_or_create(item=item, up_to=up_to, defaults={"price": price})


def _people() -> CustomerAccount:
    for email, (first, last, _role) in MEMBERS.items():
        person_with_password(email, first_name=first, last_name=last)
    person_with_password(STAFF, first_name="Admin", last_name="Atelier", is_staff=True, is_superuser=True)
    account = set_account(slug="demo", name="Demo Industries", owner_email="owner@demo.example", actor=SYSTEM)
    CustomerAccount.objects.filter(pk=account.pk).update(**IDENTITY)
    for email, (_first, _last, role) in MEMBERS.items():
        set_member(account=account, email=email, role=role, actor=SYSTEM)
    account.refresh_from_db()
    return account


def person_with_password(email: str, **fields: object) -> Person:
    """Somebody who signs in with the sample password, unless it was changed meanwhile."""
    person = Person.objects.filter(email_key=email).first() or Person(
        email=email, possessed_at=timezone.now()
    )
    for name, value in fields.items():
        setattr(person, name, value)
    if not person.password or not person.has_usable_password():
        person.set_password(PASSWORD)
    person.save()
    EmailAddress.objects.update_or_create(
        user=person, email=email, defaults={"verified": True, "primary": True}
    )
    return person
