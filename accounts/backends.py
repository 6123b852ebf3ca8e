"""Signing in with an e-mail address and a password."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import Person
from accounts.services.invitations import temporary_password_has_ended
from common.emailkey import email_key


class EmailBackend(AuthenticationBackend):  # type: ignore[misc]
    """Finds a person by the key of the address, whatever way it was typed.

    An unknown address costs a password hash too: the answer takes as long. A temporary password stops working when
    the invitation that carried it does.
    """

    def _authenticate_by_email(self, email: str, password: str) -> Person | None:
        person = Person.objects.filter(email_key=email_key(email)).first()
        checked: Person | None = self._check_password(person, password)
        if checked is not None and checked.must_change_password and temporary_password_has_ended(checked):
            return None
        return checked
