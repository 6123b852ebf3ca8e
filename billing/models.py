"""Carts, orders (bills) with their frozen lines, the payment ledger, and production runs.

"Bill" is the predecessor's word for an order, kept in code; on screen it is « commande » / "order".
Money columns are integers in minor units of the bill's currency.
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from django_countries.fields import CountryField

from accounts.models import CustomerAccount, Person
from catalog.models import CatalogItem, Shop
from common.leases import PatientRow


class Cart(models.Model):
    """What somebody is about to buy. It survives sign-in and the browser.

    Before sign-in it is known by `token` (kept in the session); afterwards by person and account.
    """

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="carts")
    token = models.CharField(max_length=43, unique=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="carts")
    account = models.ForeignKey(
        CustomerAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="carts"
    )
    # Answers of checkout steps that are not of a line: who pays, purchase order number, paymode.
    identity = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "account", "shop"], name="cart_one_per_person_and_account"
            ),
            models.UniqueConstraint(
                fields=["person", "shop"],
                condition=Q(person__isnull=False, account=None),
                name="cart_one_per_person_without_account",
            ),
        ]

    def __str__(self) -> str:
        return f"cart {self.pk}"


class CartLine(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    item = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    customer_data = models.JSONField(default=list, blank=True)  # one object per unit
    # To the shop's own questions, by their names: one object per unit, the first also answers what is asked once.
    answers = models.JSONField(default=list, blank=True)
    participants = models.JSONField(default=list, blank=True)  # {"email", "firstname", "lastname", "role"}
    created_at = models.DateTimeField(default=timezone.now)
    # Taken out, and kept so that it can be put back with everything that was answered for it.
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cart", "item"], name="cart_line_once_per_item"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="cart_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id}"


class Bill(models.Model):
    """An order. Its stored state is draft, placed or cancelled; payment, opening and production are derived."""

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("an order", "draft")
        PLACED = "placed", pgettext_lazy("an order", "placed")
        CANCELLED = "cancelled", pgettext_lazy("an order", "cancelled")

    class Paymode(models.TextChoices):
        TRANSFER = "transfer", _("bank transfer")
        TESTCARD = "testcard", _("test card")
        FREE = "free", _("nothing to pay")

    class OpenedHow(models.TextChoices):
        PAYMENT = "payment", _("payment")
        FREE = "free", _("nothing to pay")
        CREDIT = "credit", _("credit")

    number = models.CharField(_("number"), max_length=40, unique=True)
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="bills")
    account = models.ForeignKey(
        CustomerAccount, on_delete=models.PROTECT, related_name="bills", verbose_name=_("organisation")
    )
    buyer = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="bills", verbose_name=_("ordered by")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLACED)
    currency = models.CharField(max_length=3)
    language = models.CharField(max_length=8, default="fr")
    paymode = models.CharField(_("way of paying"), max_length=10, choices=Paymode)
    purchase_order = models.CharField(_("your order number"), max_length=60, blank=True)
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    gross = models.BigIntegerField()
    terms_version = models.CharField(_("terms agreed to"), max_length=20, blank=True)
    terms_agreed_at = models.DateTimeField(null=True, blank=True)
    placed_at = models.DateTimeField(pgettext_lazy("an order", "placed"), null=True, blank=True)
    # The instant of purchase: when the order was opened, never the time of a run.
    opened_at = models.DateTimeField(pgettext_lazy("an order", "opened"), null=True, blank=True)
    opened_how = models.CharField(
        pgettext_lazy("an order", "opened by"), max_length=20, choices=OpenedHow, blank=True
    )
    opened_by = models.CharField(max_length=120, blank=True)  # an audit actor
    created_at = models.DateTimeField(default=timezone.now)
    # One order per checkout: pressing the button twice finds the first one.
    checkout_key = models.CharField(max_length=64, unique=True, null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="bill_of_account")]
        verbose_name = _("order")
        verbose_name_plural = _("orders")

    def __str__(self) -> str:
        return self.number

    @property
    def is_gift(self) -> bool:
        """Whether the shop gave it: nobody agreed to terms, and there was nothing to pay."""
        return self.opened_how == self.OpenedHow.FREE and self.terms_agreed_at is None


class BillParty(models.Model):
    """Who an order concerns, frozen: the customer, payers, a recipient of documents."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        PAYER = "payer", _("payer")
        RECIPIENT = "recipient", _("recipient")

    bill = models.ForeignKey(Bill, on_delete=models.CASCADE, related_name="parties")
    kind = models.CharField(_("role"), max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=200)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    address = models.TextField(_("address"), max_length=500, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = CountryField(_("country"), default="FR")
    email = models.EmailField(_("e-mail address"), blank=True)

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class BillLine(models.Model):
    """A frozen line. Apps below know it by `key` and by copies of what they need."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="lines")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    position = models.PositiveIntegerField()
    item = models.ForeignKey(CatalogItem, on_delete=models.SET_NULL, null=True, related_name="+")
    item_code = models.CharField(_("code"), max_length=40)
    item_name = models.CharField(_("item"), max_length=200)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = models.BigIntegerField()
    price_includes_tax = models.BooleanField()
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    gross = models.BigIntegerField()
    handler = models.CharField(_("automation"), max_length=60, blank=True)
    params = models.TextField(_("parameters"), blank=True)
    seat_mode = models.CharField(max_length=10, default="none")
    renewable = models.BooleanField(default=False)
    unassigned_end = models.CharField(max_length=10, default="extend")
    customer_data = models.JSONField(default=list, blank=True)
    # Frozen answers to the shop's own questions (`catalog.questions.Answered`); handlers do not see them.
    answers = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ("position", "id")
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bill", "position"], name="bill_line_position_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="bill_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_code}"


class BillParticipant(models.Model):
    """Somebody named for a line at checkout; a row, so that a person can be anonymised while amounts stay."""

    line = models.ForeignKey(BillLine, on_delete=models.CASCADE, related_name="participants")
    position = models.PositiveIntegerField()
    email = models.EmailField(max_length=254)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, default="learner")

    class Meta:
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["line", "position"], name="bill_participant_once"),
        ]

    def __str__(self) -> str:
        return f"participant {self.position} of {self.line_id}"


class Payment(models.Model):
    """An entry of the ledger: money in (positive) or out (negative), in minor units. Never changed."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="payments")
    amount = models.BigIntegerField()
    gateway = models.CharField(_("way of paying"), max_length=20)  # transfer | testcard
    reference = models.CharField(_("reference"), max_length=120)
    received_at = models.DateTimeField(pgettext_lazy("a payment", "received"))
    recorded_at = models.DateTimeField(pgettext_lazy("a payment", "recorded"), default=timezone.now)
    recorded_by = models.CharField(max_length=120)  # an audit actor

    class Meta:
        ordering = ("id",)
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gateway", "reference"], name="payment_reference_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="payment_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.bill_id}"


class ProductionRun(PatientRow):
    """One delivery of one line in one phase."""

    class Phase(models.TextChoices):
        PREPARE = "prepare", _("before payment")
        DELIVER = "deliver", _("delivery")

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("a delivery", "queued")
        RUNNING = "running", pgettext_lazy("a delivery", "running")
        WAITING = (
            "waiting",
            pgettext_lazy("a delivery", "waits"),
        )  # a temporary error: tried again at `not_before`
        DONE = "done", pgettext_lazy("a delivery", "done")
        FAILED = "failed", pgettext_lazy("a delivery", "failed")

    CLAIMABLE = (State.QUEUED.value, State.WAITING.value)
    RUNNING = State.RUNNING.value
    FREE = Q(held_at=None)

    line = models.ForeignKey(BillLine, on_delete=models.PROTECT, related_name="runs")
    phase = models.CharField(_("phase"), max_length=10, choices=Phase)
    handler = models.CharField(_("automation"), max_length=60)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    error_field = models.CharField(max_length=60, blank=True)
    delivered = models.JSONField(default=dict, blank=True)
    feedback = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(pgettext_lazy("a delivery", "finished"), null=True, blank=True)
    # Marks beside the state (docs/production.md): nobody claims what is held; what is given up stays failed for good.
    held_at = models.DateTimeField(null=True, blank=True)
    abandoned_at = models.DateTimeField(null=True, blank=True)
    abandoned_why = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["line", "phase"], name="run_once_per_line_and_phase"),
            models.CheckConstraint(
                condition=Q(held_at=None) | Q(state__in=["queued", "waiting"]), name="run_held_unstarted"
            ),
            models.CheckConstraint(
                condition=Q(abandoned_at=None) | Q(state="failed"), name="run_abandoned_failed"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["not_before"],
                name="run_waiting",
                condition=Q(state__in=["queued", "waiting", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handler} {self.phase} of line {self.line_id}"

    @property
    def state_words(self) -> str:
        """The state with its mark, in the active language."""
        if self.abandoned_at is not None:
            return pgettext("a delivery", "given up")
        if self.held_at is not None:
            return pgettext("a delivery", "%(state)s, held") % {"state": self.get_state_display()}
        return str(self.get_state_display())

    @property
    def error(self) -> str:
        """Why it was given up, failed or waits, with the key to repair where there is one."""
        if self.abandoned_at is not None:
            return _("Given up: %(why)s") % {"why": self.abandoned_why}
        return f"{self.error_field}: {self.last_error}" if self.error_field else self.last_error
