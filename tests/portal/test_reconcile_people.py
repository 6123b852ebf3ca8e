"""Reconciling logins: gone ones are made again, other addresses are taken over only where nobody is harmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Invitation, Person, SignInCode
from common.models import AuditEntry
from courses.models import PlatformLogin
from courses.platform import OK, Outcome
from tests.accounts.factories import make_account, make_member, make_person
from tests.courses.factories import make_course, make_enrolment
from tests.portal.reconciling import reconcile
from tests.seats.remote import FarPlatform, install_as

pytestmark = pytest.mark.django_db


class Elsewhere(FarPlatform):
    """Far, with logins of its own: `moved` have another address there, `gone` none."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: dict[int, str] = {}
        self.gone: set[int] = set()
        self.made: list[int] = []

    def addresses(self, person_ids: Sequence[int]) -> list[str | None]:
        self._called("addresses")
        told = zip(person_ids, super().addresses(person_ids), strict=True)
        return [None if pk in self.gone else self.moved.get(pk, email) for pk, email in told]

    def ensure_logins(self, person_ids: Sequence[int]) -> list[Outcome]:
        self.made += person_ids
        return [OK] * len(person_ids)


@pytest.fixture
def far(monkeypatch, settings) -> Elsewhere:
    return install_as(Elsewhere(), monkeypatch, settings)


def with_login(far: Elsewhere, email: str) -> Person:
    person = Person.objects.create_user(email)
    PlatformLogin.objects.create(
        person=person, platform=far.name, username=email, remote_id=1000 + person.pk, is_ours=True
    )
    return person


@pytest.fixture
def ada(far: Elsewhere) -> Person:
    return with_login(far, "ada@x.org")


@pytest.fixture
def bob(far: Elsewhere) -> Person:
    return with_login(far, "bob@x.org")


def addresses() -> list[tuple[str, str]]:
    return list(Person.objects.order_by("pk").values_list("email", "email_key"))


# --- another address ------------------------------------------------------------------------------


def test_another_address_is_told_and_nothing_is_changed(far, ada, bob):
    far.moved[ada.pk] = "ada.lovelace@x.org"
    assert reconcile() == [
        {
            "kind": "address",
            "email": "ada@x.org",
            "seat": "",
            "space": "",
            "course": "",
            "platform": "ada.lovelace@x.org",
            "ours": "ada@x.org",
            "repair": "addresses",
            "done": False,
            "note": "",
        }
    ]
    assert addresses() == [("ada@x.org", "ada@x.org"), ("bob@x.org", "bob@x.org")]


@pytest.mark.parametrize("there", ["ADA@X.org", ""])
def test_another_case_or_silence_is_no_other_address(far, ada, there):
    far.moved[ada.pk] = there
    assert reconcile() == []


def test_a_login_that_nobody_has_used_follows_and_its_old_links_die(far, ada):
    far.moved[ada.pk] = "Ada.Lovelace@x.org"
    soon = timezone.now() + timedelta(minutes=5)
    Invitation.objects.create(account=make_account(), person=ada)
    SignInCode.objects.create(person=ada, email_key=ada.email_key, expires_at=soon)
    [finding] = reconcile("--repair", "addresses")
    assert (finding["done"], finding["note"]) == (True, "")
    assert addresses() == [("Ada.Lovelace@x.org", "ada.lovelace@x.org")]
    assert Invitation.objects.get().revoked_at is not None
    assert not SignInCode.objects.exists()
    assert AuditEntry.objects.get().counts == {"address": 1}
    assert reconcile() == []


@pytest.mark.parametrize(
    ("why", "note"),
    [
        ("possessed", "its owner uses the login here"),
        ("password", "its owner uses the login here"),
        ("member", "he is in a team here"),
        ("staff", "he is in a team here"),
        ("taken", "somebody else has that address here"),
        ("invalid", "that is no address"),
    ],
)
def test_an_address_is_never_changed_behind_anybodys_back(far, ada, why, note):
    far.moved[ada.pk] = "not an address" if why == "invalid" else "ada.lovelace@x.org"
    if why == "member":
        make_member(person=ada)
    if why == "taken":
        make_person(email="Ada.Lovelace@X.org")
    if why == "password":
        ada.set_password("a good long password")
    ada.possessed_at = timezone.now() if why == "possessed" else None
    ada.is_staff = why == "staff"
    ada.save()
    before = addresses()
    [finding] = reconcile("--repair", "addresses")
    assert finding["done"] is False
    assert finding["note"].startswith(note)
    assert addresses() == before
    assert not AuditEntry.objects.exists()


def test_a_login_that_was_there_before_is_not_followed(far, ada):
    PlatformLogin.objects.update(is_ours=False)
    far.moved[ada.pk] = "ada.lovelace@x.org"
    [finding] = reconcile("--repair", "addresses")
    assert (finding["repair"], finding["done"]) == ("", False)
    assert addresses() == [("ada@x.org", "ada@x.org")]


# --- gone -----------------------------------------------------------------------------------------


def test_a_login_that_is_gone_is_told_and_made_again_when_asked_for(far, ada, bob):
    far.gone.add(ada.pk)
    [finding] = reconcile()
    assert (finding["kind"], finding["email"], finding["platform"], finding["ours"], finding["repair"]) == (
        "login",
        "ada@x.org",
        "gone",
        "ada@x.org",
        "logins",
    )
    assert (PlatformLogin.objects.count(), far.made) == (2, [])
    [finding] = reconcile("--repair", "logins")
    assert finding["done"]
    assert far.made == [ada.pk]
    assert [row.person_id for row in PlatformLogin.objects.all()] == [bob.pk]


def test_when_all_seem_gone_it_is_our_sight_that_is_lost(far, ada, bob):
    far.gone |= {ada.pk, bob.pk}
    findings = reconcile("--repair", "logins")
    assert [(one["repair"], one["done"], one["note"][:25]) for one in findings] == [
        ("", False, "no login at all is told: "),
    ] * 2
    assert (PlatformLogin.objects.count(), far.made) == (2, [])


def test_logins_without_a_number_and_of_other_platforms_are_not_asked_about(far, ada, bob):
    PlatformLogin.objects.filter(person=ada).update(remote_id=None)
    PlatformLogin.objects.filter(person=bob).update(platform="other")
    far.gone |= {ada.pk, bob.pk}
    assert (reconcile(), far.calls) == ([], [])


def test_only_people_of_the_courses_named_are_asked_about(far, ada, bob):
    make_enrolment(make_course("SPOC"), bob)
    make_course("OTHER")
    far.moved = {ada.pk: "a@x.org", bob.pk: "b@x.org"}
    assert [one["email"] for one in reconcile("SPOC")] == ["bob@x.org"]
    assert reconcile("OTHER") == []


@pytest.mark.parametrize("number", [2, 60])
def test_people_cost_the_same_however_many_they_are(far, django_assert_num_queries, number):
    for person in range(number):
        with_login(far, f"p{person}@x.org")
    with django_assert_num_queries(6):
        assert reconcile() == []
    assert far.calls == ["addresses"]
