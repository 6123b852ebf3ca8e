"""Pages that come before all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import signed_in
from accounts.links import safe_next, with_next

_ALLOWED = frozenset({"portal:choose_password", "account_logout", "set_language", "health"})


class ChoosePasswordMiddleware:
    """Whoever signed in with a temporary password chooses his own before he sees anything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.view_name in _ALLOWED:
            return None
        person = signed_in(request)
        if person is None or not person.must_change_password:
            return None
        back = request.get_full_path() if request.method == "GET" else ""
        return redirect(with_next(reverse("portal:choose_password"), safe_next(back)))
