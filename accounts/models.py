"""People, the organisations they act for, and the one-use links that let them in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from common.emailkey import clean_email, email_key


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        person = Person(email=clean_email(email), **fields)
        person.set_password(password)
        person.save()
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Person:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email_key=email_key(username or ""))


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with a login: buyer, manager, participant, tutor or staff. Known by one e-mail address."""

    email = models.EmailField(_("e-mail address"), max_length=254)
    email_key = models.CharField(max_length=254, unique=True, editable=False)
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    # Nobody gave a name: the part before @ stands in until the person confirms one.
    name_is_guess = models.BooleanField(default=False)
    language = models.CharField(_("language"), max_length=8, default="fr")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)
    # When its owner took possession: password set, link used, any sign-in (DESIGN section 8).
    possessed_at = models.DateTimeField(null=True, blank=True)
    must_change_password = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = PersonManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = email_key(self.email)
        super().save(*args, **kwargs)

    @property
    def name(self) -> str:
        """What to call this person: the full name, or the part before @."""
        return f"{self.first_name} {self.last_name}".strip() or self.email.partition("@")[0]

    def get_full_name(self) -> str:
        return self.name


class CustomerAccount(models.Model):
    """The organisation that buys and owns; it has members."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    address = models.TextField(_("address"), max_length=500, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = CountryField(_("country"), default="FR")
    created_at = models.DateTimeField(default=timezone.now)
    # Bumped, under the row's lock, by whoever changes what the account holds: cached figures are keyed by it.
    stamp = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("owner")
    BUYER = "buyer", _("buyer")
    MANAGER = "manager", _("manager")
    VIEWER = "viewer", _("viewer")


class Member(models.Model):
    """A person with a role in an account."""

    account = models.ForeignKey(CustomerAccount, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role)
    created_at = models.DateTimeField(default=timezone.now)
    # When the person came: until then the account sees the address it typed, and nothing else of him.
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "person"], name="member_once_per_account"),
        ]
        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self) -> str:
        return f"{self.person} ({self.role})"


class Invitation(models.Model):
    """A way in for a person whom an account brought here: a one-use link of which only the hash is kept.

    The token is made while the mail is sent, so a row may exist without one. A newer invitation of the same
    account for the same person replaces the older (`replaced_at`).
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="invitations")
    account = models.ForeignKey(CustomerAccount, on_delete=models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    notice_version = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "account"],
                condition=models.Q(used_at=None, replaced_at=None, revoked_at=None),
                name="invitation_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} ← {self.account}"


class SignInCode(models.Model):
    """A one-use code to sign in, asked for in one browser, whose session names this row.

    The code itself is kept nowhere, not even as a hash: it is derived from the secret key and this row. An address
    that nobody signs in with gets a row as well, without a person, so that both are answered alike.
    """

    MOST_TRIES = 5

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="+")
    email_key = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email_key
