"""The shop admin's pages on courses."""

from __future__ import annotations

from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from common.audit import Actor
from courses.builtin.places import learners_of, limits_of
from courses.builtin.roles import LEARNERS
from courses.models import Course, CourseCategory, CourseSpace, Enrolment, Page, SpaceState
from courses.platform import EnrolmentRow
from courses.platforms import get_platform
from courses.services import make_backup, request_sync

Row = TypeVar("Row", bound=Model)

STATE_WORDS = {
    SpaceState.OPEN: pgettext_lazy("course space", "open"),
    SpaceState.EXPIRED: pgettext_lazy("course space", "expired"),
    SpaceState.WITHDRAWN: pgettext_lazy("course space", "withdrawn"),
}


class MirrorAdmin(admin.ModelAdmin[Row]):
    """Rows that on a remote platform only follow what it has."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not get_platform().is_remote and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return not get_platform().is_remote and super().has_delete_permission(request, obj)


@admin.register(CourseCategory)
class CourseCategoryAdmin(MirrorAdmin[CourseCategory]):
    """Shows the number of a category: parameters of automations name it."""

    list_display = ("id", "name", "parent", "position")
    list_display_links = ("name",)
    list_editable = ("position",)
    list_select_related = ("parent",)
    search_fields = ("name",)
    ordering = ("position", "name", "id")

    def has_change_permission(self, request: HttpRequest, obj: CourseCategory | None = None) -> bool:
        return not get_platform().is_remote and super().has_change_permission(request, obj)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return ("number", "name", "parent", "is_there") if get_platform().is_remote else self.list_display

    @admin.display(description=_("number"), ordering="remote_id")
    def number(self, category: CourseCategory) -> int:
        return category.number

    @admin.display(boolean=True, description=_("on the course platform"))
    def is_there(self, category: CourseCategory) -> bool:
        return category.remote_id is not None and category.missing_since is None


class PageInline(admin.StackedInline[Page, Course]):
    model = Page
    extra = 0
    fields = ("position", "title", "body")


OUR_MARKS = ("not_for_seats", "is_template", "is_support")


@admin.register(Course)
class CourseAdmin(MirrorAdmin[Course]):
    """On a remote platform only our marks are ours to change."""

    change_list_template = "admin/courses/course/change_list.html"
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

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        more = ("takes_enrolments", "missing_since") if get_platform().is_remote else ()
        return (*self.list_display, *more)

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        more = ("takes_enrolments", ("missing_since", admin.EmptyFieldListFilter))
        return (*self.list_filter, *(more if get_platform().is_remote else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Course | None = None) -> tuple[str, ...]:
        if not get_platform().is_remote:
            return self.readonly_fields
        fields = flatten_fieldsets(self.get_fieldsets(request, obj))
        return tuple(name for name in fields if name not in OUR_MARKS)

    def get_fieldsets(self, request: HttpRequest, obj: Course | None = None) -> tuple[Any, ...]:
        if not get_platform().is_remote:
            return self.fieldsets
        there = ("remote_id", "takes_enrolments", "groups_found", "missing_since")
        return (*self.fieldsets, (_("Course platform"), {"fields": there}))

    def get_inlines(self, request: HttpRequest, obj: Course | None) -> tuple[Any, ...]:
        return () if get_platform().is_remote else self.inlines

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if get_platform().is_remote:
            actions.pop("back_up", None)
        return actions

    def save_model(
        self, request: HttpRequest, obj: Course, form: forms.ModelForm[Course], change: bool
    ) -> None:
        """Of a template on a remote platform it is asked whether it has groups."""
        super().save_model(request, obj, form, change)
        if get_platform().is_remote and "is_template" in form.changed_data and obj.is_template:
            request_sync(actor=Actor.person(request.user.pk or 0))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.synchronise))
        return [path("synchronise/", view, name="courses_course_synchronise"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = (extra_context or {}) | {"is_remote": get_platform().is_remote}
        return super().changelist_view(request, context)

    def synchronise(self, request: HttpRequest) -> HttpResponse:
        """A worker asks the remote platform for all its courses."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if get_platform().is_remote:
            request_sync(actor=Actor.person(request.user.pk or 0))
            text = _("The courses are being fetched: look at this list again in a moment.")
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:courses_course_changelist"))

    @admin.display(boolean=True, description=_("open to unassigned seats"))
    def is_open(self, course: Course) -> bool:
        return course.is_open()

    @admin.action(description=_("Make a backup without participants"), permissions=["change"])
    def back_up(self, request: HttpRequest, courses: QuerySet[Course]) -> None:
        """What course spaces are made from: the newest one of a template counts."""
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

    list_display = (
        "reference",
        "account",
        "course",
        "owner",
        "state_now",
        "learners",
        "starts_at",
        "ends_at",
    )
    list_select_related = ("account", "course", "owner")
    search_fields = ("reference", "course__shortname", "account__slug", "owner__email_key", "bill_number")
    ordering = ("-id",)
    fields = (
        "reference", "account", "course", "owner", "item_name", "bill_number", "starts_at", "ends_at", "closed_at",
        "withdrawn_at", "max_participants", "renewable",
    )  # fmt: skip

    @admin.display(description=_("participants found / places"))
    def learners(self, space: CourseSpace) -> str:
        """On a remote platform others may enrol people too: then more may learn there than places were sold."""
        if space.learners_found is None:
            return "–" if space.max_participants is None else f"– / {space.max_participants}"
        return f"{space.learners_found} / {space.max_participants}"

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
