"""The team: who is a member of the organisation, with which role. Owners only."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import AccountRequest, account_required, fetch, signed_in
from accounts.forms.organisations import MemberForm, RoleForm
from accounts.models import Member, Role
from accounts.selectors import members_of
from accounts.services.organisations import LastOwner, change_role, remove_member, set_member, write_again
from common.audit import Actor
from common.emailkey import email_key
from common.ratelimit import hit

PAGE = 50
NEW_MEMBERS_PER_HOUR = 60
MAILS_PER_MEMBER_AND_HOUR = 3


@account_required("members")
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: AccountRequest) -> HttpResponse:
    """List the members, and add one. The answer is the same for known and unknown addresses."""
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _may_be_added(request, form):
        set_member(
            account=request.account,
            email=form.cleaned_data["email"],
            role=form.cleaned_data["role"],
            actor=Actor.person(request.user.pk),
        )
        messages.success(
            request, _("A mail is on its way to %(email)s.") % {"email": form.cleaned_data["email"]}
        )
        return redirect("accounts:team")
    page = Paginator(members_of(request.account), PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/team.html", {"form": form, "page": page, "roles": Role.choices})


def _may_be_added(request: AccountRequest, form: MemberForm) -> bool:
    if members_of(request.account).filter(person__email_key=email_key(form.cleaned_data["email"])).exists():
        form.add_error("email", _("This person is in the team already: change the role in the list below."))
        return False
    if not hit(f"team:{request.account.pk}", NEW_MEMBERS_PER_HOUR, 3600):
        form.add_error(None, _("That was many new members in an hour. Please go on later."))
        return False
    return True


def _fetch(request: HttpRequest, pk: int) -> Member:
    rows = Member.objects.filter(pk=pk).select_related("account", "person")
    return fetch(request, rows, "members")


def _actor(request: HttpRequest) -> Actor:
    person = signed_in(request)
    return Actor.person(person.pk) if person else Actor("anonymous")


def _keep_an_owner(request: HttpRequest) -> None:
    messages.error(
        request,
        _(
            "An organisation keeps at least one owner: make somebody else an owner first. Nothing was changed."
        ),
    )


@login_required
@require_POST
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a member another role."""
    member = _fetch(request, pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            member = change_role(member=member, role=form.cleaned_data["role"], actor=_actor(request))
            messages.success(
                request,
                _("%(email)s: the role is now %(role)s.")
                % {"email": member.person.email_key, "role": member.get_role_display()},
            )
        except LastOwner:
            _keep_an_owner(request)
    return redirect("accounts:team")


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """End a membership."""
    member = _fetch(request, pk)
    try:
        remove_member(member=member, actor=_actor(request))
    except LastOwner:
        _keep_an_owner(request)
        return redirect("accounts:team")
    messages.success(request, _("%(email)s is no longer in the team.") % {"email": member.person.email_key})
    return redirect("/" if member.person == request.user else "accounts:team")


@login_required
@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Write once more to a member who has not come yet."""
    member = _fetch(request, pk)
    if not hit(f"team-write:{member.pk}", MAILS_PER_MEMBER_AND_HOUR, 3600):
        messages.warning(
            request,
            _("%(email)s was written to just now. Please wait an hour.") % {"email": member.person.email_key},
        )
        return redirect("accounts:team")
    write_again(member=member, actor=_actor(request))
    messages.success(request, _("A mail is on its way to %(email)s.") % {"email": member.person.email_key})
    return redirect("accounts:team")
