"""The shop admin's pages on courses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from common.audit import Actor
from courses.builtin.places import learners_of, limits_of
from courses.builtin.roles import LEARNERS
from courses.models import Course, CourseCategory, CourseSpace, Enrolment, Page, SpaceState
from courses.platform import EnrolmentRow
from courses.platforms import get_platform
from courses.services import make_backup

STATE_WORDS = {
    SpaceState.OPEN: pgettext_lazy("course space", "open"),
    SpaceState.EXPIRED: pgettext_lazy("course space", "expired"),
    SpaceState.WITHDRAWN: pgettext_lazy("course space", "withdrawn"),
}


@admin.register(CourseCategory)
class CourseCategoryAdmin(admin.ModelAdmin[CourseCategory]):
    """Shows the number of a category: parameters of automations name it."""

    list_display = ("id", "name", "parent", "position")
    list_display_links = ("name",)
    list_editable = ("position",)
    list_select_related = ("parent",)
    search_fields = ("name",)
    ordering = ("position", "name", "id")


class PageInline(admin.StackedInline[Page, Course]):
    model = Page
    extra = 0
    fields = ("position", "title", "body")


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin[Course]):
    list_display = ("shortname", "fullname", "category", "groups_mode", "visible", "is_open")
    list_filter = ("visible", "groups_mode", "is_template", "is_support", "not_for_seats", "category")
    list_select_related = ("category",)
    search_fields = ("shortname", "fullname")
    inlines = (PageInline,)
    readonly_fields = ("is_space", "closed_at")
    fieldsets = (
        (None, {"fields": ("shortname", "fullname", "summary", "category")}),
        (_("Access"), {"fields": ("visible", "groups_mode", "starts_at", "ends_at", "closed_at")}),
        (_("Seats"), {"fields": ("not_for_seats", "is_template", "is_support", "is_space")}),
    )

    actions = ("back_up",)

    @admin.display(boolean=True, description=_("open to unassigned seats"))
    def is_open(self, course: Course) -> bool:
        return course.is_open()

    @admin.action(description=_("Make a backup without participants"), permissions=["change"])
    def back_up(self, request: HttpRequest, courses: QuerySet[Course]) -> None:
        """What course spaces are made from: the newest one of a template counts."""
        if get_platform().is_remote:
            self.message_user(request, _("Backups are made on the course platform."), messages.ERROR)
            return
        made = [
            make_backup(course_id=course.pk, with_users=False, actor=Actor.person(request.user.pk or 0))
            for course in courses
        ]
        self.message_user(
            request,
            ngettext("%(count)d backup is made.", "%(count)d backups are made.", len(made))
            % {"count": len(made)},
            messages.SUCCESS,
        )


@admin.register(CourseSpace)
class CourseSpaceAdmin(admin.ModelAdmin[CourseSpace]):
    """What customers own; to be read, because spaces follow from orders."""

    list_display = ("reference", "account", "course", "owner", "state_now", "starts_at", "ends_at")
    list_select_related = ("account", "course", "owner")
    search_fields = ("reference", "course__shortname", "account__slug", "owner__email_key", "bill_number")
    ordering = ("-id",)
    fields = (
        "reference", "account", "course", "owner", "item_name", "bill_number", "starts_at", "ends_at", "closed_at",
        "withdrawn_at", "max_participants", "renewable",
    )  # fmt: skip

    @admin.display(description=_("state"))
    def state_now(self, space: CourseSpace) -> str:
        return str(STATE_WORDS[space.state()])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CourseSpace | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CourseSpace | None = None) -> bool:
        return False


class NewEnrolmentForm(forms.ModelForm[Enrolment]):
    """Enrols somebody of the shop, such as a teacher; participants come by their seats."""

    role = forms.ChoiceField(label=_("role"))

    class Meta:
        model = Enrolment
        fields = ("course", "person", "role", "starts_at", "ends_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(role.name, role.label) for role in get_platform().roles()]
        self.fields["role"] = forms.ChoiceField(label=_("role"), choices=choices)

    def clean(self) -> dict[str, Any]:
        """The limit of a course space holds for staff too."""
        data = super().clean() or self.cleaned_data
        course = data.get("course")
        if course is not None and data.get("role") in LEARNERS:
            limit = limits_of([course.pk])[course.pk]
            if limit is not None and len(learners_of([course.pk], now=timezone.now())[course.pk]) >= limit:
                self.add_error("course", _("This course space has no place left."))
        return data


@admin.register(Enrolment)
class EnrolmentAdmin(admin.ModelAdmin[Enrolment]):
    """Who is in which course; to be read, because enrolments follow from seats. Teachers are added here."""

    list_display = ("person", "course", "role", "status", "starts_at", "ends_at", "opened_at")
    list_filter = ("status", "role")
    list_select_related = ("person", "course")
    search_fields = ("person__email_key", "course__shortname")
    autocomplete_fields = ("course",)
    raw_id_fields = ("person",)
    form = NewEnrolmentForm
    fields = ("course", "person", "role", "starts_at", "ends_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A remote platform is not called from a web request: there, teachers are enrolled on its own pages."""
        return not get_platform().is_remote and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Enrolment | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Enrolment | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Enrolment, form: forms.ModelForm[Enrolment], change: bool
    ) -> None:
        """Enrol by way of the platform, as everybody does."""
        get_platform().ensure_enrolments(
            [EnrolmentRow(obj.course_id, obj.person_id, obj.role, obj.starts_at, obj.ends_at)]
        )
        obj.pk = Enrolment.objects.get(course=obj.course_id, person=obj.person_id).pk
