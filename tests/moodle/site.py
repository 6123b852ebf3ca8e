"""The loopback peer as the course platform of this installation."""

from __future__ import annotations

from typing import Any

from accounts.models import Person
from courses.models import Course, PlatformLogin
from courses.moodle.platform import MoodlePlatform
from courses.platforms import get_platform
from tests.courses.factories import make_category
from tests.moodle.peer import MoodlePeer
from tests.moodle.peer.records import Course as PeerCourse
from tests.moodle.peer.records import Role, User

OWNER_ROLE = 10
CUSTOMER_ROLE = 11
ROLES = f"student:5,teacher:4,editingteacher:3,courseowner:{OWNER_ROLE},customer:{CUSTOMER_ROLE}"
SECONDS = 10  # for a call; a test that waits for one to fail takes less


def use_peer(settings: Any, peer: MoodlePeer, *, timeout: float = SECONDS) -> MoodlePlatform:
    """Make the peer the course platform, with all roles mapped; `settings` is pytest-django's fixture."""
    for number, name in ((OWNER_ROLE, "courseowner"), (CUSTOMER_ROLE, "customer")):
        peer.site.roles.setdefault(number, Role(number, name, frozenset({"course"}), number))
        peer.site.assignable.add(number)
    settings.COURSE_PLATFORM = "moodle"
    settings.MOODLE_URL = peer.url
    settings.MOODLE_TOKEN = peer.token
    settings.MOODLE_ROLES = ROLES
    settings.MOODLE_TIMEOUT = timeout
    settings.SHOPSEATS_PRIVATE_HOSTS = ["127.0.0.1"]
    platform = get_platform()
    assert isinstance(platform, MoodlePlatform)
    return platform


def mirror(there: PeerCourse, **fields: Any) -> Course:
    """Our row of a course of the peer, as a synchronisation writes it."""
    values = {
        "shortname": there.shortname,
        "fullname": there.fullname,
        "visible": there.visible,
        "remote_id": there.id,
    }
    if "category" not in fields:
        values["category"] = make_category()
    return Course.objects.create(**(values | fields))


def peer_course(peer: MoodlePeer, course: Course) -> PeerCourse:
    """The course on the peer."""
    assert course.remote_id is not None
    return peer.site.courses[course.remote_id]


def peer_user(peer: MoodlePeer, person: Person | int) -> User:
    """The person's login on the peer."""
    login = PlatformLogin.objects.get(person=person)
    assert login.remote_id is not None
    return peer.site.users[login.remote_id]
