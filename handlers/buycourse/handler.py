"""`buycourse`: a course of the customer's own for a time (seed "Achat d'un espace de cours")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from courses.models import Course, CourseSpace
from courses.platform import PlatformAway, Refusal, TemplateProblem
from courses.platforms import get_platform
from courses.services import SpaceOrder, SpaceRefused, SpaceWish, run_open_spaces
from courses.services.spaces import OWNER_ROLES
from handlers.base import Handler
from handlers.buycourse.forms import BuyCourseParams, CourseWish
from handlers.contract import (
    Availability,
    Delivered,
    Delivery,
    Feedback,
    Finding,
    HandlerError,
    Message,
    Offer,
    Purchase,
    SeatMode,
)
from handlers.moments import Period, PeriodError
from handlers.support import not_answering, role_names
from handlers.words import access_dates

MOST_SPACES = 100  # units of one order line: each is a whole course
NAMED = 3  # courses named in a sentence

# Where to repair what the platform refuses.
REFUSED_FIELDS: dict[str, str] = {
    Refusal.BAD_NAME: "idnumber",
    Refusal.UNKNOWN_CATEGORY: "coursecategory",
    Refusal.UNKNOWN_TEMPLATE: "template",
    Refusal.NO_BACKUP: "template",
    Refusal.HAS_GROUPS: "template",
}
TEMPLATE_MESSAGES = {
    TemplateProblem.UNKNOWN: gettext_lazy("There is no course with the short name %(course)s."),
    TemplateProblem.UNMARKED: gettext_lazy("%(course)s is not marked as a template."),
    TemplateProblem.NO_BACKUP: gettext_lazy(
        "%(course)s has no backup without user data: make one, course spaces are restored from it."
    ),
    TemplateProblem.LOST_BACKUP: gettext_lazy(
        "The newest backup of %(course)s cannot be read any more: make another one without user data."
    ),
    TemplateProblem.HAS_GROUPS: gettext_lazy(
        "%(course)s has groups, which would come along into every course: delete them there."
    ),
}


class BuyCourse(Handler):
    """Makes one course space per unit; the buyer owns it, edits it and puts people into it until its end."""

    name = "buycourse"
    label = gettext_lazy("Course space")
    Params = BuyCourseParams
    CustomerData = CourseWish
    seat_mode = SeatMode.NONE
    messages = {
        "ready": ngettext_lazy(
            "The course space “%(names)s” is ready.",
            "%(spaces)d course spaces are ready: %(names)s.",
            "spaces",
        ),
        "ready_mail": ngettext_lazy(
            "Your course space “%(names)s” is ready. Under My courses you write its pages; under My products you put "
            "your participants into it.",
            "Your %(spaces)d course spaces are ready: %(names)s. Under My courses you write their pages; under My "
            "products you put your participants into them.",
            "spaces",
        ),
        "ready_mail_elsewhere": ngettext_lazy(
            "Your course space “%(names)s” is ready. Under My courses you open it, and choose your password for the "
            "courses first if you have none; under My products you put your participants into it.",
            "Your %(spaces)d course spaces are ready: %(names)s. Under My courses you open them, and choose your password "
            "for the courses first if you have none; under My products you put your participants into them.",
            "spaces",
        ),
        "made": ngettext_lazy(
            "%(spaces)d course space was made for order %(order)s: %(shortnames)s.",
            "%(spaces)d course spaces were made for order %(order)s: %(shortnames)s.",
            "spaces",
        ),
    }

    # --- the shop admin ---------------------------------------------------------------------------

    def examine(self, offer: Offer, values: Mapping[str, Any]) -> Iterator[Finding]:
        yield from super().examine(offer, values)
        yield from _obstacles(values)
        if not values["template"]:
            yield Finding(
                "info", "empty_course", _("Without a template each space is an empty course."), "template"
            )

    def foresee(
        self, offer: Offer, values: Mapping[str, Any], period: Period, quantity: int
    ) -> Iterator[str]:
        platform = get_platform()
        name = platform.categories([values["coursecategory"]])[0] or values["coursecategory"]
        yield ngettext(
            "%(spaces)d course space is made in the category “%(category)s”; the buyer names it.",
            "%(spaces)d course spaces are made in the category “%(category)s”; the buyer names each.",
            quantity,
        ) % {"spaces": quantity, "category": name}
        if values["template"]:
            text = (
                _("Its content is that of %(template)s at the moment of the delivery, without its people.")
                if platform.is_remote
                else _("Its content is the newest backup of %(template)s without user data.")
            )
            yield text % {"template": values["template"]}
        else:
            yield _("It starts as an empty course.")
        yield _("The buyer owns it, edits it and puts people into it.")
        if values["maxparticipants"]:
            yield ngettext(
                "At most %(most)d person may learn there.",
                "At most %(most)d people may learn there.",
                values["maxparticipants"],
            ) % {"most": values["maxparticipants"]}
        yield access_dates(period.starts, period.ends)
        yield _("A mail tells the buyer when it is ready.")

    # --- the shop -----------------------------------------------------------------------------------

    def quantity_limit(self, offer: Offer) -> int | None:
        return MOST_SPACES

    def is_available(self, offer: Offer, account_id: int | None) -> Availability:
        available = super().is_available(offer, account_id)
        if available and any(_obstacles(self.read(offer.params).values)):
            return Availability(_("This item is not available for now."))
        return available

    # --- production -----------------------------------------------------------------------------------

    def deliver(self, purchase: Purchase) -> Delivery:
        """Make the courses of the line with their spaces, or find them made. Raises HandlerError."""
        try:
            order = self._order(purchase)
            spaces = run_open_spaces(order, heartbeat=purchase.run_heartbeat)
        except PlatformAway as reason:
            raise not_answering(reason) from reason
        except SpaceRefused as refusal:
            raise HandlerError(
                refusal.message, permanent=True, field=REFUSED_FIELDS.get(refusal.code, "")
            ) from refusal
        except ValueError as error:
            # The line is known with another number of units or account: nobody can have ordered that.
            raise HandlerError(str(error), permanent=True) from error
        return _delivery(purchase, spaces)

    def _order(self, purchase: Purchase) -> SpaceOrder:
        if purchase.buyer_id is None:
            raise HandlerError(_("Nobody would own the course: the order has no buyer."), permanent=True)
        try:
            period = self.period(
                purchase.params,
                purchased_at=purchase.purchased_at,
                renewable=purchase.renewable,
                zone=purchase.zone,
            )
        except PeriodError as error:
            raise HandlerError(error.message, permanent=True, field=error.key) from error
        if period.ends is None:
            raise HandlerError(_("A course space needs an end."), permanent=True, field="duration")
        return SpaceOrder(
            line_key=purchase.line_key,
            account_id=purchase.account_id,
            owner_id=purchase.buyer_id,
            item_code=purchase.item_code,
            item_name=purchase.item_name,
            bill_number=purchase.bill_number,
            wishes=_wishes(purchase),
            category_id=purchase.params["coursecategory"],
            template_id=_template_id(purchase),
            starts_at=period.starts,
            ends_at=period.ends,
            max_participants=purchase.params["maxparticipants"],
            renewable=purchase.renewable,
        )


def _obstacles(values: Mapping[str, Any]) -> Iterator[Finding]:
    """What keeps these parameters from making a course, however sound they are."""
    platform = get_platform()
    category, template = values["coursecategory"], values["template"]
    if platform.categories([category]) == [None]:
        message = _("There is no course category with the number %(number)s.") % {"number": category}
        yield Finding("error", "category_unknown", message, "coursecategory")
    if template:
        for problem in platform.template_problems([template])[0]:
            yield Finding(
                "error", problem.value, TEMPLATE_MESSAGES[problem] % {"course": template}, "template"
            )
    if not set(OWNER_ROLES) & set(role_names(platform)):
        message = _("The course platform has none of these roles: %(roles)s.") % {
            "roles": ", ".join(OWNER_ROLES)
        }
        yield Finding("error", "role_unknown", message)


def _template_id(purchase: Purchase) -> int | None:
    """The template, if there is one and anything is to be made of it. Raises HandlerError for any obstacle."""
    if CourseSpace.objects.filter(line_key=purchase.line_key).count() >= purchase.quantity:
        return None
    for obstacle in _obstacles(purchase.params):
        raise HandlerError(obstacle.message, permanent=True, field=obstacle.key)
    template = purchase.params["template"]
    return Course.objects.only("pk").get(shortname=template).pk if template else None


def _wishes(purchase: Purchase) -> list[SpaceWish]:
    """One wish per unit, checked once more: the order froze what the form had accepted."""
    forms = [CourseWish(dict(unit), account_id=purchase.account_id) for unit in purchase.customer_data]
    if len(forms) != purchase.quantity:
        message = _("The names of %(wanted)d courses are needed, not %(given)d.") % {
            "wanted": purchase.quantity,
            "given": len(forms),
        }
        raise HandlerError(message, permanent=True, field="fullname")
    for form in forms:
        for field, messages in form.errors.items():
            raise HandlerError(str(messages[0]), permanent=True, field=field)
    return [SpaceWish(form.cleaned_data["fullname"], form.cleaned_data["idnumber"]) for form in forms]


def _delivery(purchase: Purchase, spaces: list[CourseSpace]) -> Delivery:
    data: dict[str, str | int] = {
        "spaces": len(spaces),
        "names": _shown([space.course.fullname for space in spaces]),
        "shortnames": _shown([space.course.shortname for space in spaces]),
        "order": purchase.bill_number,
    }
    mail = "ready_mail_elsewhere" if get_platform().keeps_passwords else "ready_mail"
    return Delivery(
        Feedback(Message("ready", data), Message(mail, data), Message("made", data)),
        Delivered(spaces=len(spaces), enrolments=len(spaces)),
    )


def _shown(names: list[str]) -> str:
    """The first names, and how many more there are; it is kept, so it must read alike in every language."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" (+{more})" if more > 0 else "")
