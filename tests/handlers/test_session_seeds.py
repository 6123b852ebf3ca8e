"""What the documents promise of a training session, sentence by sentence.

(A) « Mise en place d'une session de formation - Mise en oeuvre », (B) « Mise en place d'une formation » (parameters).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Person
from billing.production import produce
from billing.services import OrderLine, record_payment
from common.audit import OPERATOR
from common.models import OutboxMail
from courses.models import Course, Enrolment
from courses.selectors import visible_people
from delegation.models import Delegation
from handlers.contract import Delivered, ParticipantEntry, SeatMode
from seats.models import Seat, SeatPool, Session
from tests.accounts.factories import make_account, make_person
from tests.billing.factories import Customer, plain_item
from tests.courses.factories import make_enrolment
from tests.handlers.factories import PURCHASED, make_offer
from tests.handlers.sessions import (
    HANDLER,
    NAME,
    SECOND_LINE,
    bought,
    deliver,
    enrolments,
    sitting,
    spoc,
)

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
GROUP = ("CMD-2026-000007",)


@pytest.fixture
def course() -> Course:
    return spoc()


def one_end(params: str, **fields: object) -> datetime | None:
    deliver("ada@a.example", params=params, **fields)
    return Enrolment.objects.get(person__email="ada@a.example").ends_at


# --- (A) the scenario ---------------------------------------------------------------------------------


def test_the_operator_is_not_the_one_who_learns_nor_even_the_one_who_supervises(course):
    """(A) « l'opérateur (titulaire du compte client) n'est pas celui qui se forme (et parfois pas même celui qui
    supervise les formations) »"""
    buyer = make_person(email="buyer@a.example")
    deliver("ada@a.example", "tom@a.example tutor", buyer=buyer)
    assert [email for email, *_ in enrolments(course)] == ["ada@a.example", "tom@a.example"]


def test_one_act_of_purchase_sets_up_a_training_with_everybody_in_it(course):
    """(A) « Il permet à travers un acte d'achat, de mettre en place une formation avec ses intervenants, en collectant
    les données minimales permettant de créer les comptes et en produisant en une seule opération l'ensemble des
    inscriptions nécessaires. »"""
    item = plain_item("SPOCM1", handler=NAME, params="coursename=SPOC", seat_mode="quantity")
    # The least there is: an address.
    people = [ParticipantEntry("ada@a.example"), ParticipantEntry("tom@a.example", role="tutor")]
    bill = Customer().place(OrderLine(item, 2, participants=people))
    record_payment(number=bill.number, actor=OPERATOR)
    produce(numbers=[bill.number], actor=OPERATOR)
    bill.refresh_from_db()
    assert enrolments(course) == [
        ("ada@a.example", "student", bill.opened_at, None, (bill.number,)),
        ("tom@a.example", "teacher", bill.opened_at, None, (bill.number,)),
    ]
    ada = Person.objects.get(email="ada@a.example")
    assert (ada.name, ada.name_is_guess, ada.possessed_at) == ("ada", True, None)


def test_learners_and_tutors_are_declared_for_one_course(course):
    """(A) « La mise en place d'une formation vise un cours particulier, et permet de déclarer les apprenants et les
    tuteurs »"""
    deliver("ada@a.example", "ben@a.example", "tom@a.example tutor")
    assert [(email, role) for email, role, *_ in enrolments(course)] == [
        ("ada@a.example", "student"),
        ("ben@a.example", "student"),
        ("tom@a.example", "teacher"),
    ]
    assert set(Enrolment.objects.values_list("course__shortname", flat=True)) == {"SPOC"}


def test_a_tutors_seat_is_a_seat_like_any_other(course):
    """(A) « les sièges de tuteurs sont indifférenciés des sièges d'apprenants. Il est donc nécessaire d'acheter un
    siège de tuteur pour chaque tuteur »"""
    delivery = deliver("tom@a.example tutor", "ada@a.example", "tim@a.example tutor")
    assert delivery.delivered == Delivered(seats=3, enrolments=3, accounts_created=3)
    pool = SeatPool.objects.get()
    assert pool.size == 3
    assert sitting(pool) == [
        (1, "tom@a.example", "teacher"),
        (2, "ada@a.example", "student"),
        (3, "tim@a.example", "teacher"),
    ]


def test_one_course_group_is_made_and_named_after_the_order(course):
    """(A) « création automatique d'un groupe de cours indexé sur l'identifiant du bon de commande »"""
    deliver("ada@a.example", "tom@a.example tutor", bill_number="CMD-2026-000042")
    assert list(course.groups.values_list("name", flat=True)) == ["CMD-2026-000042"]
    assert {groups for *_, groups in enrolments(course)} == {("CMD-2026-000042",)}
    assert Session.objects.get().group_name == "CMD-2026-000042"


def two_sessions(course: Course) -> dict[str, list[str]]:
    """Two organisations buy a session of the course, everybody opens it: whom each person sees there."""
    deliver("ada@a.example", "tom@a.example tutor", bill_number="CMD-1")
    deliver("zoe@b.example", "tim@b.example tutor", bill_number="CMD-2", line_key=SECOND_LINE)
    now = datetime.fromisoformat("2026-12-01T10:00:00+01:00")
    Enrolment.objects.update(opened_at=now)
    seen = {}
    for viewer in Enrolment.objects.select_related("course", "person").order_by("person__email"):
        people = visible_people(viewer, now=now)
        seen[viewer.person.email] = sorted(row.person.email for row in people)
    return seen


def test_with_separate_groups_two_sessions_neither_communicate_nor_see_each_other(course):
    """(A) « Si les groupes de cours sont séparés, alors les différentes sessions ne pourront pas en principe communiquer
    entre elles ni se voir »"""
    first, second = ["ada@a.example", "tom@a.example"], ["tim@b.example", "zoe@b.example"]
    assert two_sessions(course) == {
        "ada@a.example": first,
        "tom@a.example": first,
        "tim@b.example": second,
        "zoe@b.example": second,
    }


@pytest.mark.parametrize("mode", ["none", "visible"])
def test_without_separate_groups_two_sessions_do_see_each_other(mode: str):
    everybody = ["ada@a.example", "tim@b.example", "tom@a.example", "zoe@b.example"]
    assert two_sessions(spoc(groups_mode=mode)) == dict.fromkeys(everybody, everybody)


def test_logins_are_only_made_when_necessary_and_the_address_decides(course):
    """(A) « Les comptes ne sont créés que lorsque nécessaire. L'adresse mail fait alors foi pour l'identification du
    candidat. »"""
    known = make_person(email="ada@a.example")
    before = Person.objects.count()
    delivery = deliver("ADA@A.example", "new@a.example")
    assert delivery.delivered == Delivered(seats=2, enrolments=2, accounts_created=1)
    assert Person.objects.count() == before + 1
    assert known.enrolments.get().course == course


def test_an_existing_user_is_enrolled_and_nothing_of_his_is_changed(course):
    """(A) « Si une adresse courriel présentée est trouvée dans Moodle, alors c'est l'utilisateur existant qui sera
    inscrit à la formation, sans création d'un nouvel utilisateur. »"""
    known = make_person(email="Ada@A.example", password="hers alone", first_name="Ada", last_name="Byron")
    before = Person.objects.filter(pk=known.pk).values().get()
    deliver("aDA@a.EXAMPLE")
    assert Person.objects.filter(pk=known.pk).values().get() == before
    assert [row[:2] for row in enrolments(course)] == [("Ada@A.example", "student")]


def test_everybody_existing_people_too_is_delegated_to_the_operator(course):
    """(A) « Tous les comptes sont rattachés à l'opérateur, au sens de la délégation d'administration. »"""
    account = make_account()
    make_person(email="ada@a.example")
    make_enrolment(course, make_person(email="eve@a.example"))
    make_person(email="staff@a.example", is_staff=True)
    deliver(
        "ada@a.example", "eve@a.example", "new@a.example", "tom@a.example tutor", "staff@a.example",
        account=account,
    )  # fmt: skip
    delegations = Delegation.objects.filter(account=account, ended_at=None).order_by("person__email")
    assert list(delegations.values_list("person__email", "created_login")) == [
        ("ada@a.example", False),
        ("eve@a.example", False),
        ("new@a.example", True),
        ("tom@a.example", True),
    ]


def test_the_buyer_is_enrolled_in_the_support_course_before_payment(course):
    """(A) « Si un cours destiné au support utilisateur existe, il est possible de déclencher une inscription secondaire au
    support client. »"""
    support = spoc("AIDE", is_support=True)
    buyer = make_person(email="buyer@a.example")
    purchase = bought("ada@a.example", params="coursename=SPOC&customersupport=AIDE", buyer=buyer)
    assert HANDLER.prepare(purchase).delivered == Delivered(enrolments=1)
    assert [row[:2] for row in enrolments(support)] == [("buyer@a.example", "customer")]
    assert enrolments(course) == []


def test_the_role_of_tutors_can_be_one_made_for_them(course):
    """(A) « Le nom court du rôle à utiliser pour les tuteurs de formation »"""
    deliver("ada@a.example", "tom@a.example tutor", params="coursename=SPOC&supervisor=editingteacher")
    assert [row[:2] for row in enrolments(course)] == [
        ("ada@a.example", "student"),
        ("tom@a.example", "editingteacher"),
    ]


# --- (B) the parameters -------------------------------------------------------------------------------


def test_the_course_is_found_by_its_short_name(course):
    """(B) « coursename(*) : Le nom court du cours cible. » « (*) Paramètres obligatoires »"""
    spoc("SCI")
    deliver("ada@a.example", params="coursename=SCI")
    assert Enrolment.objects.get().course.shortname == "SCI"
    assert [(error.key, error.message) for error in HANDLER.read("role=student").errors] == [
        ("coursename", "This field is required.")
    ]


def test_learners_are_students_unless_the_item_says_otherwise(course):
    """(B) « role : nom court du rôle, (par défaut 'student'). »"""
    deliver("ada@a.example")
    deliver("ben@a.example", params="coursename=SPOC&role=customer", line_key=SECOND_LINE)
    assert [row[:2] for row in enrolments(course)] == [
        ("ada@a.example", "student"),
        ("ben@a.example", "customer"),
    ]


def test_the_enrolment_method_is_manual_by_default_and_one_that_the_platform_offers(course):
    """(B) « enrolname : Méthode d'inscription résultante (par défaut, 'manual') »"""
    assert HANDLER.typed("coursename=SPOC")["enrolname"] == "manual"
    findings = HANDLER.check(make_offer("coursename=SPOC&enrolname=self", seat_mode=SeatMode.QUANTITY))
    assert [(one.level, one.key, one.message) for one in findings] == [
        ("error", "enrolname", "The course platform does not enrol by self. It does by: manual.")
    ]


def test_enrolments_start_with_the_purchase_and_have_no_end_by_default(course):
    """(B) « starttime : Date de début de l'inscription (par défaut, date de l'achat) », « endtime : … (par défaut,
    illimité) »"""
    deliver("ada@a.example")
    assert enrolments(course) == [("ada@a.example", "student", PURCHASED, None, GROUP)]


def test_dates_are_timestamps(course):
    """(B) « 'startdate' - un timestamp au sens Linux. 'enddate' - un timestamp (au sens Linux) »"""
    deliver("ada@a.example", params="coursename=SPOC&startdate=1800000000&enddate=1810000000")
    [(_email, _role, starts, ends, _groups)] = enrolments(course)
    assert (starts and starts.timestamp(), ends and ends.timestamp()) == (1_800_000_000, 1_810_000_000)


def test_an_end_may_be_days_and_hours_from_the_start(course):
    """(B) « une forme relative contenant un décalage en jour et/ou en heures (ex: +7D +10H, pour 7 jours et 10 heures à
    partir de la date de début) »"""
    ends = one_end("coursename=SPOC&starttime=2027-01-04T09:00&endtime=+7D +10H")
    assert ends == datetime(2027, 1, 11, 19, tzinfo=PARIS)


def test_a_duration_is_in_whole_days_of_24_hours(course):
    """(B) « 'duration' - un entier en jours (24 heures) »; « duration=180 »"""
    assert one_end("coursename=SPOC&duration=180") == PURCHASED + timedelta(days=180)


def test_a_renewable_session_whose_end_cannot_be_computed_lasts_365_calendar_days(course):
    """(B) note 3: « si le produit est marqué comme renouvelable, mais que la date de fin ne peut être calculée …, alors
    la date de fin par défaut est définie à la date de début calculée augmentée de 365 jours calendaires »"""
    # Over two changes of the clocks the hour stays.
    assert one_end("coursename=SPOC", renewable=True) == datetime(2027, 11, 20, 10, tzinfo=PARIS)


def test_a_renewable_session_with_a_duration_keeps_it(course):
    """(B) example: « Produit renouvelable avec durée de vie de produit de 180 jours »"""
    ends = one_end("coursename=SPOC&duration=180", renewable=True)
    assert ends == PURCHASED + timedelta(days=180)
    session, pool = Session.objects.get(), SeatPool.objects.get()
    assert (session.starts_at, session.ends_at) == (PURCHASED, PURCHASED + timedelta(days=180))
    assert (pool.renewable, pool.access_ends_at) == (True, session.ends_at)


@pytest.mark.parametrize("mode", [SeatMode.NONE, SeatMode.ONE])
def test_the_seat_mode_must_be_on(course, mode: SeatMode):
    """(B) note 2: « Ce produit nécessite l'activation du mode "sièges". »"""
    offer = make_offer("coursename=SPOC", seat_mode=mode)
    assert [(one.level, one.key) for one in HANDLER.check(offer)] == [("error", "seat_mode")]
    assert HANDLER.is_available(offer, None).reason == "This item is not available for now."


def test_nothing_is_asked_of_the_customer_but_the_people():
    """(B) « Paramètres front-office : néant. »"""
    assert HANDLER.CustomerData is None


# --- each of them is told -------------------------------------------------------------------------------


def test_every_person_gets_one_private_mail(course):
    make_person(email="old@a.example", possessed_at=PURCHASED)
    purchase = bought("new@a.example", "old@a.example")
    HANDLER.deliver(purchase)
    HANDLER.deliver(purchase)
    assert sorted(OutboxMail.objects.values_list("to", "kind")) == [
        ("new@a.example", "invitation"),
        ("old@a.example", "enrolled"),
    ]


def test_each_seat_and_the_session_have_references_of_their_own(course):
    deliver("ada@a.example", "ben@a.example")
    references = [*Seat.objects.values_list("reference", flat=True), Session.objects.get().reference]
    assert len(set(references)) == 3
    assert {len(reference) for reference in references} == {19}
