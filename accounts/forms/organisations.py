"""Forms about organisations, their members and oneself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren, siret

from accounts.forms.signing import EmailField, NameFields
from accounts.models import CustomerAccount, Role
from accounts.services.organisations import Identity

SIRET_LENGTH = 14
# Greek numbers begin with EL.
_IN_THE_UNION = frozenset(vat.MEMBER_STATES) | {"el"}


class SirenField(forms.CharField):
    """A SIREN; a SIRET is accepted and shortened to it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("Nine digits; a SIRET number will do."))
        super().__init__(label="SIREN", max_length=30, required=False, **kwargs)
        self.widget.attrs["class"] = "short"

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            compact = siren.compact(text)
            number: str = siret.to_siren(compact) if len(compact) == SIRET_LENGTH else compact
            return str(siren.validate(number))
        except NumberError as error:
            raise ValidationError(_("This is not a SIREN: please check the nine digits.")) from error


class OrganisationForm(forms.Form):
    """What is asked of somebody who acts for an organisation the first time."""

    name = forms.CharField(
        label=_("Name of your organisation"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    siren = SirenField()


class IdentityForm(forms.ModelForm[CustomerAccount]):
    """Who the organisation is, as printed on its documents."""

    siren = SirenField()

    class Meta:
        model = CustomerAccount
        fields = ("name", "legal_name", "siren", "vat_number", "address", "postcode", "city", "country")
        widgets = {
            "vat_number": forms.TextInput(attrs={"class": "short"}),
            "address": forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
            "postcode": forms.TextInput(attrs={"class": "short", "autocomplete": "postal-code"}),
            "city": forms.TextInput(attrs={"autocomplete": "address-level2"}),
        }
        help_texts = {
            "name": _("As your team sees it."),
            "legal_name": _("As registered, if it differs."),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        number = data.get("vat_number")
        if number:
            data["vat_number"] = self._vat_number(number, data.get("country") or "FR")
        return data

    def _vat_number(self, number: str, country: str) -> str:
        """A VAT number of the Union is checked; elsewhere nobody can say."""
        prefix, code = number.strip()[:2].lower(), str(country).lower()
        if not {prefix, code} & _IN_THE_UNION:
            return " ".join(number.split())
        try:
            return str(vat.validate(number))
        except NumberError:
            self.add_error("vat_number", _("This is not a valid VAT number; it begins with the country."))
            return number

    @property
    def identity(self) -> Identity:
        return Identity(**{name: self.cleaned_data[name] for name in Identity.__slots__})


class MemberForm(forms.Form):
    """Somebody to join the team."""

    email = EmailField()
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.MANAGER)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class ProfileForm(NameFields):
    """One's own name and language."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
