"""The shop admin's pages on courses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from courses.models import Course, CourseCategory, Enrolment, Page
from courses.platform import EnrolmentRow
from courses.platforms import get_platform


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

    @admin.display(boolean=True, description=_("open to unassigned seats"))
    def is_open(self, course: Course) -> bool:
        return course.is_open()


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
