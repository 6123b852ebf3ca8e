"""What is on sale: shops with their seller, category trees, items, quantity tiers, questions."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from seats.models import UnassignedEnd


def fold(text: str) -> str:
    """Lower case without accents, for searching."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def in_language(french: str, english: str) -> str:
    """The text in the active language, or the other one when that is missing."""
    first, second = (english, french) if (get_language() or "fr").startswith("en") else (french, english)
    return first or second


class Shop(models.Model):
    """A shop and the seller behind it. Checkout stays closed until the seller is complete."""

    slug = models.SlugField(max_length=60, unique=True, default="shop")
    name = models.CharField(_("name of the shop"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    # The seller
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    legal_form = models.CharField(_("legal form and capital"), max_length=200, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    address = models.TextField(_("address"), max_length=500, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = CountryField(_("country"), default="FR")
    iban = models.CharField("IBAN", max_length=34, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    terms_fr = models.TextField(_("terms of sale (French)"), blank=True)
    terms_en = models.TextField(_("terms of sale (English)"), blank=True)
    terms_version = models.CharField(_("version of the terms"), max_length=20, blank=True)
    logo = models.ImageField(_("logo"), upload_to="logos/", blank=True)
    mail_sender = models.EmailField(_("mail sender"), blank=True)
    help_email = models.EmailField(_("help address"), blank=True)
    help_phone = models.CharField(_("help telephone"), max_length=40, blank=True)
    notice_fr = models.TextField(_("information notice (French)"), blank=True)
    notice_en = models.TextField(_("information notice (English)"), blank=True)
    notice_version = models.CharField(_("version of the notice"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("seller")

    def __str__(self) -> str:
        return self.name

    @property
    def terms(self) -> str:
        return in_language(self.terms_fr, self.terms_en)

    @property
    def notice(self) -> str:
        return in_language(self.notice_fr, self.notice_en)


class Category(models.Model):
    """A shelf of the shop, in a tree."""

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="categories")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    slug = models.SlugField(max_length=80)
    name_fr = models.CharField(_("name (French)"), max_length=200)
    name_en = models.CharField(_("name (English)"), max_length=200, blank=True)
    description_fr = models.TextField(_("description (French)"), blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    visible = models.BooleanField(_("visible"), default=True)

    class Meta:
        ordering = ("position", "name_fr", "id")
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["shop", "slug"], name="category_slug_once_per_shop"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        ancestor = self.parent
        while ancestor is not None:
            if ancestor.pk == self.pk:
                raise ValidationError({"parent": _("A category cannot be inside itself.")})
            ancestor = ancestor.parent

    @property
    def name(self) -> str:
        return in_language(self.name_fr, self.name_en)

    @property
    def description(self) -> str:
        return in_language(self.description_fr, self.description_en)


class SeatMode(models.TextChoices):
    NONE = "none", _("no participants are named")
    ONE = "one", _("one participant, whatever the quantity")
    QUANTITY = "quantity", _("one participant per unit")


class Visibility(models.TextChoices):
    PUBLIC = "public", _("on sale and listed")
    UNLISTED = "unlisted", _("on sale, not listed: only with its address")
    INACTIVE = "inactive", _("not on sale")


class CatalogItem(models.Model):
    """What is on sale. `price` is in minor units of the shop's currency, with or without tax."""

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="items")
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("category"),
    )
    code = models.CharField(
        _("code"),
        max_length=40,
        validators=[
            RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", _("Letters, digits, dot, dash, underscore."))
        ],
    )
    name_fr = models.CharField(_("name (French)"), max_length=200)
    name_en = models.CharField(_("name (English)"), max_length=200, blank=True)
    summary_fr = models.CharField(_("one sentence (French)"), max_length=300, blank=True)
    summary_en = models.CharField(_("one sentence (English)"), max_length=300, blank=True)
    description_fr = models.TextField(_("description (French)"), blank=True, help_text=_("Markdown."))
    description_en = models.TextField(_("description (English)"), blank=True, help_text=_("Markdown."))
    image = models.ImageField(_("image"), upload_to="items/", blank=True)
    leaflet = models.FileField(_("leaflet (PDF)"), upload_to="leaflets/", blank=True)
    price = models.PositiveBigIntegerField(_("price"))
    price_includes_tax = models.BooleanField(_("price includes tax"), default=False)
    tax_rate = models.DecimalField(
        _("tax rate (%)"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("20.00"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    handler = models.CharField(_("automation"), max_length=60, blank=True)
    params = models.TextField(_("parameters"), blank=True)
    seat_mode = models.CharField(
        _("quantity means seats"), max_length=10, choices=SeatMode, default=SeatMode.NONE
    )
    renewable = models.BooleanField(_("renewable"), default=False)
    unassigned_end = models.CharField(
        _("when seats were not given in time"),
        max_length=10,
        choices=UnassignedEnd,
        default=UnassignedEnd.EXTEND,
    )
    max_quantity = models.PositiveIntegerField(_("maximum quantity per order"), null=True, blank=True)
    visibility = models.CharField(
        _("visibility"), max_length=10, choices=Visibility, default=Visibility.PUBLIC
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What the search reads: code and texts of both languages, lower case, without accents.
    search_text = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ("position", "name_fr", "id")
        verbose_name = _("item")
        verbose_name_plural = _("items")
        # The storefront's order, so that a page of a large catalogue reads thirty rows and not all of them.
        indexes: ClassVar = [
            models.Index(
                fields=["shop", "visibility", "position", "name_fr", "id"], name="item_on_the_shelf"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["shop", "code"], name="item_code_once_per_shop"),
            models.CheckConstraint(
                condition=Q(max_quantity=None) | Q(max_quantity__gt=0), name="item_max_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        texts = (self.code, self.name_fr, self.name_en, self.summary_fr, self.summary_en)
        self.search_text = fold(" ".join((*texts, self.description_fr, self.description_en)))
        super().save(*args, **kwargs)

    @property
    def name(self) -> str:
        return in_language(self.name_fr, self.name_en)

    @property
    def summary(self) -> str:
        return in_language(self.summary_fr, self.summary_en)

    @property
    def description(self) -> str:
        return in_language(self.description_fr, self.description_en)


class PriceTier(models.Model):
    """The unit price of orders of up to `up_to` units, inclusive; above the last tier the item's price holds."""

    item = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="tiers")
    up_to = models.PositiveIntegerField(_("up to (units, inclusive)"), validators=[MinValueValidator(1)])
    price = models.PositiveBigIntegerField(_("unit price"))

    class Meta:
        ordering = ("up_to",)
        verbose_name = _("price tier")
        verbose_name_plural = _("price tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "up_to"], name="tier_once_per_bound"),
        ]

    def __str__(self) -> str:
        return f"≤ {self.up_to}: {self.price}"


class ItemQuestion(models.Model):
    """Something the shop asks whoever orders an item, beside what its automation asks.

    `name` is how commands and exports call it. The answer to a choice is the choice's French line.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("a line of text")
        LONG = "long", _("several lines of text")
        CHOICE = "choice", _("one of several choices")
        TICK = "tick", _("a box to tick")

    class Scope(models.TextChoices):
        ONCE = "once", _("once for the whole line")
        UNIT = "unit", _("for each unit")

    item = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="questions")
    name = models.SlugField(
        _("short name"), max_length=40, help_text=_("For commands: letters, digits, dash, underscore.")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEXT)
    scope = models.CharField(_("asked"), max_length=10, choices=Scope, default=Scope.ONCE)
    required = models.BooleanField(
        _("required"), default=False, help_text=_("A box that is required has to be ticked.")
    )
    label_fr = models.CharField(_("question (French)"), max_length=200)
    label_en = models.CharField(_("question (English)"), max_length=200, blank=True)
    help_fr = models.CharField(_("help (French)"), max_length=300, blank=True)
    help_en = models.CharField(_("help (English)"), max_length=300, blank=True)
    choices_fr = models.TextField(_("choices (French)"), blank=True, help_text=_("One on each line."))
    choices_en = models.TextField(
        _("choices (English)"),
        blank=True,
        help_text=_("One on each line, in the same order, or none at all."),
    )

    class Meta:
        ordering = ("position", "id")
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "name"], name="question_name_once_per_item"),
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        french, english = lines_of(self.choices_fr), lines_of(self.choices_en)
        self.choices_fr, self.choices_en = "\n".join(french), "\n".join(english)
        if self.kind != self.Kind.CHOICE:
            if french or english:
                raise ValidationError({"choices_fr": _("Only a question of the kind choice has choices.")})
            return
        if len(french) < 2:
            raise ValidationError({"choices_fr": _("Give at least two choices.")})
        if english and len(english) != len(french):
            raise ValidationError({"choices_en": _("Give as many choices as in French, or none at all.")})
        for field, choices in (("choices_fr", french), ("choices_en", english)):
            if len(set(choices)) < len(choices):
                raise ValidationError({field: _("The same choice is there twice.")})

    @property
    def label(self) -> str:
        return in_language(self.label_fr, self.label_en)

    @property
    def help(self) -> str:
        return in_language(self.help_fr, self.help_en)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The choices as (French, English)."""
        french, english = lines_of(self.choices_fr), lines_of(self.choices_en)
        return list(zip(french, english or french, strict=True))


def lines_of(text: str) -> list[str]:
    """The lines of a text that are not empty, each with single spaces."""
    return [line for line in (" ".join(line.split()) for line in text.splitlines()) if line]
