"""What changes people, organisations and invitations."""

from accounts.services.invitations import (
    NOTICE_VERSION,
    InvitationClosed,
    ensure_invitations,
    issue_password,
    issue_token,
)
from accounts.services.people import NewPerson, ensure_people, ensure_person, touch_possession, unpossessed

__all__ = [
    "NOTICE_VERSION",
    "InvitationClosed",
    "NewPerson",
    "ensure_invitations",
    "ensure_people",
    "ensure_person",
    "issue_password",
    "issue_token",
    "touch_possession",
    "unpossessed",
]
