"""People and organisations in the back office."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount, Member, Person, Role
from accounts.services import find_person
from common.emailkey import check_email, clean_email, email_key

# One way to sign in for everybody, with its rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def _free_address(email: str, person: Person | None) -> str:
    """The cleaned address, if it is valid and nobody else's."""
    email = clean_email(email)
    if (problem := check_email(email)) is not None:
        raise ValidationError(str(problem.message))
    known = find_person(email)
    if known is not None and (person is None or known.pk != person.pk):
        raise ValidationError(_("Somebody has this address already."))
    return email


class NewPersonForm(AdminUserCreationForm[Person]):
    """A person made by staff, with or without a password."""

    class Meta:
        model = Person
        fields = ("email", "first_name", "last_name")

    def clean_email(self) -> str:
        return _free_address(self.cleaned_data["email"], None)


class PersonForm(UserChangeForm[Person]):
    class Meta:
        model = Person
        fields = "__all__"

    def clean_email(self) -> str:
        return _free_address(self.cleaned_data["email"], self.instance)


@admin.register(Person)
class PersonAdmin(UserAdmin[Person]):
    """People: found by address or name. Possession and the last sign-in are facts, not fields."""

    form = PersonForm
    add_form = NewPersonForm
    ordering = ("-id",)
    list_display = ("email", "first_name", "last_name", "is_staff", "possessed_at")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email_key", "first_name", "last_name")
    readonly_fields = ("possessed_at", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password", "must_change_password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "name_is_guess", "language")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("possessed_at", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "email",
                    "first_name",
                    "last_name",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Person], search_term: str
    ) -> tuple[QuerySet[Person], bool]:
        """Addresses are searched in the form that identifies them."""
        if "@" in search_term:
            search_term = email_key(search_term)
        return super().get_search_results(request, queryset, search_term)


class MemberFormSet(BaseInlineFormSet[Member, CustomerAccount, forms.ModelForm[Member]]):
    """The members of an organisation: at least one of them is an owner."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        if not any(data.get("role") == Role.OWNER for data in kept):
            raise ValidationError(_("An organisation keeps at least one owner."))


class MemberInline(admin.TabularInline[Member, CustomerAccount]):
    model = Member
    formset = MemberFormSet
    autocomplete_fields = ("person",)
    readonly_fields = ("accepted_at",)
    fields = ("person", "role", "accepted_at")
    extra = 0
    min_num = 1


@admin.register(CustomerAccount)
class CustomerAccountAdmin(admin.ModelAdmin[CustomerAccount]):
    """Organisations with their members."""

    list_display = ("name", "slug", "siren", "city", "created_at")
    search_fields = ("name", "slug", "legal_name", "siren", "members__person__email_key")
    readonly_fields = ("created_at",)
    inlines = (MemberInline,)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: CustomerAccount | None = None
    ) -> dict[str, Any]:
        """The short name is proposed once; commands and scripts use it afterwards."""
        return {} if obj else {"slug": ("name",)}
