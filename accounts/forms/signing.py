"""Forms of sign-up, sign-in and passwords, on top of allauth's."""

from __future__ import annotations

from typing import Any
from unicodedata import decimal

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.models import EmailAddress
from django import forms
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import mails
from accounts.links import next_of
from accounts.models import Person
from accounts.services.addresses import unverified_address, verify_address
from accounts.services.codes import CODE_DIGITS
from accounts.services.invitations import ChosenName
from accounts.services.people import NewPerson, ensure_person, find_person, signed_in_now
from common.emailkey import check_email, clean_email, email_key
from common.outbox import queue

STAY_SIGNED_IN = _("Stay signed in on this device")
PASSWORD_HELP = _("At least 12 characters. A short sentence is strong and easy to remember.")


class EmailField(forms.EmailField):
    """An address as people type it: surrounding spaces and invisible characters do not matter."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("E-mail address"))
        kwargs.setdefault("max_length", 254)
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("autocomplete", "email")
        # Our own check comes with a reason.
        self.validators = []

    def to_python(self, value: Any) -> str:
        return clean_email(value or "")

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and (problem := check_email(value)) is not None:
            raise ValidationError(str(problem.message), code=problem.value)


class NewPasswordField(forms.CharField):
    """A password to be chosen; may be pasted."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Password"))
        kwargs.setdefault("help_text", PASSWORD_HELP)
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": "12"})
        super().__init__(strip=False, widget=widget, max_length=1000, **kwargs)


class CurrentPasswordField(forms.CharField):
    """The password somebody has."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Password"))
        widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        super().__init__(strip=False, widget=widget, max_length=1000, **kwargs)


class NameFields(forms.Form):
    """First and last name."""

    first_name = forms.CharField(
        label=_("First name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )

    @property
    def chosen_name(self) -> ChosenName:
        return ChosenName(self.cleaned_data["first_name"], self.cleaned_data["last_name"])


class LoginForm(allauth_forms.LoginForm):  # type: ignore[misc]
    """Sign-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = EmailField()
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"] = CurrentPasswordField()
        self.fields["remember"] = forms.BooleanField(label=STAY_SIGNED_IN, required=False)
        self.order_fields(["login", "password", "remember"])

    def clean_login(self) -> str:
        return email_key(self.cleaned_data["login"])


class AskForCodeForm(forms.Form):
    """Asks for a mail with a code. The field is named as on the sign-in page, which posts here too."""

    login = EmailField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class CodeForm(forms.Form):
    """The mailed code. Whatever surrounds its digits does not matter: it may be pasted with spaces or words."""

    code = forms.CharField(
        label=_("Code"),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
    )
    remember = forms.BooleanField(label=STAY_SIGNED_IN, required=False)

    def clean_code(self) -> str:
        digits = "".join(str(decimal(sign)) for sign in self.cleaned_data["code"] if sign.isdecimal())
        if len(digits) != CODE_DIGITS:
            raise ValidationError(
                _("A code has %(count)s digits. You find it in our mail.") % {"count": CODE_DIGITS}
            )
        return digits


class SignupForm(allauth_forms.SignupForm):  # type: ignore[misc]
    """Sign-up. Its answer is the same whether the address is known or not; only the mail differs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= NameFields.base_fields
        self.fields["email"] = EmailField(help_text=_("We write to it to make sure that it is yours."))
        self.fields["password1"] = NewPasswordField()
        self.order_fields(["first_name", "last_name", "email", "password1"])

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email

    def try_save(self, request: HttpRequest) -> tuple[Person | None, HttpResponse | None]:
        """Make the person, or let the owner of a known address know by mail; both take as long."""
        data = self.cleaned_data
        entry = NewPerson(
            data["email"], data["first_name"], data["last_name"], language=get_language() or "fr"
        )
        # Hashed before anything is known of the address: the hash is what takes time.
        hashed = make_password(data["password1"])
        with transaction.atomic():
            person, created = ensure_person(entry)
            if created:
                person.password = hashed
                person.save(update_fields=["password"])
                unverified_address(person)
                return person, None
        return None, prevent_enumeration(request, email=email_key(data["email"]))


class ResetPasswordForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Asks for a mail with a link. Its answer is the same for every address."""

    email = EmailField()

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """One mail for a known address as for an unknown one; the link is made while it is sent."""
        email: str = self.cleaned_data["email"]
        person = find_person(email)
        if person is not None and person.is_active:
            queue(mails.reset(person, next_path=next_of(request)))
        else:
            queue(mails.unknown(email))
        return email


class ResetPasswordKeyForm(allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """Behind the mailed link: who chooses a password here owns the mailbox, and with it the login."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]
        self.fields["password1"] = NewPasswordField(label=_("New password"))

    def clean_password1(self) -> str:
        return checked_password(self.cleaned_data["password1"], self.user)

    @transaction.atomic
    def save(self) -> None:
        super().save()
        verify_address(self.user)
        signed_in_now(self.user)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """Changes one's own password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]
        self.fields["oldpassword"] = CurrentPasswordField(label=_("Current password"))
        self.fields["password1"] = NewPasswordField(label=_("New password"))

    def clean_password1(self) -> str:
        return checked_password(self.cleaned_data["password1"], self.user)


class ConfirmEmailForm(forms.Form):
    """Confirms an address from another browser than the one of the sign-up: only who chose the password may.

    Otherwise anybody could sign up with somebody else's address and wait for him to press the button.
    """

    password = CurrentPasswordField(label=_("The password you chose"))

    def __init__(self, *args: Any, request: HttpRequest, address: EmailAddress, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.address = address

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        adapter = get_adapter(self.request)
        person = adapter.authenticate(self.request, email=self.address.email, password=password)
        if person is None or person.pk != self.address.user_id:
            raise ValidationError(_("This is not the password chosen at the sign-up."))
        return password


class ChoosePasswordForm(forms.Form):
    """A person's first password of his own."""

    password = NewPasswordField(label=_("Choose a password"))

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        password = checked_password(self.cleaned_data["password"], self.person)
        if self.person.must_change_password and self.person.check_password(password):
            raise ValidationError(_("Choose another password than the temporary one."))
        return password


class FirstVisitForm(NameFields, ChoosePasswordForm):
    """First visit of somebody whom an account brought in: a password, and the name confirmed or corrected."""

    field_order = ("first_name", "last_name", "password")


def checked_password(password: str, person: Person | None) -> str:
    """The password, if it is strong enough for this person; raises ValidationError."""
    validate_password(password, person)
    return password
