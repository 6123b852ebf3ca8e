"""The token, passwords and addresses are in no log and no error; a call is one line of the log."""

from __future__ import annotations

import logging
import traceback

import pytest

from courses.moodle.client import MoodleClient
from courses.moodle.errors import MoodleRefused, OutcomeUnknown
from courses.platform import PlatformAway
from tests.common.scripted import Talk, polite, serving
from tests.moodle.speaking import CREATE, new_user, speaking_to

PASSWORD = "Pass-Word-1"
EMAIL = "anna@example.org"


@pytest.fixture
def client(moodle_peer) -> MoodleClient:
    return speaking_to(moodle_peer.url, moodle_peer.token)


def test_a_redirect_does_not_take_the_token_along():
    with serving(polite) as elsewhere:

        def moved(talk: Talk) -> None:
            talk.read()
            talk.answer(b"", status="307 Temporary Redirect", headers=f"Location: {elsewhere.url}\r\n")
            talk.hold()

        with serving(moved) as server, pytest.raises(OutcomeUnknown, match="a redirect: is MOODLE_URL"):
            speaking_to(server.url).call("f", {})
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "kind", ["", "refuse_connection", "bad_gateway_after", "garbage_after", "maintenance", "redirect"]
)
def test_no_secret_is_logged_or_shown(client, moodle_peer, caplog, kind):
    caplog.set_level(logging.DEBUG)
    if kind:
        moodle_peer.faults.add(CREATE, kind)
    secrets = [moodle_peer.token, PASSWORD, EMAIL]
    shown = repr(client) + str(client)
    try:
        client.call(CREATE, {"users": [new_user("anna", password=PASSWORD)]})
    except (PlatformAway, OutcomeUnknown) as error:
        shown += "".join(traceback.format_exception(error)) + repr(error)
    else:
        assert kind == ""
    shown += caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert [secret for secret in secrets if secret in shown] == []


def test_the_key_of_the_service_user_is_dropped(client, moodle_peer, caplog):
    caplog.set_level(logging.DEBUG)
    answer = client.call("core_webservice_get_site_info", {})
    assert "userprivateaccesskey" not in answer
    assert answer["userid"] == moodle_peer.site.service_user.id


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("", "ok"), ("maintenance", "away"), ("garbage_after", "unknown"), ("policy", "misconfigured sitepolicynotagreed"),
        ("refused", "refused invalidparameter"),
    ],
)  # fmt: skip
def test_each_call_is_one_line_of_the_log(client, moodle_peer, site, caplog, kind, outcome):
    caplog.set_level(logging.INFO)
    if kind == "policy":
        site.set_policy()
    elif kind == "refused":
        site.add_user("anna")
    elif kind:
        moodle_peer.faults.add(CREATE, kind)
    try:
        client.call(CREATE, {"users": [new_user("anna")]})
    except (PlatformAway, OutcomeUnknown, MoodleRefused):
        assert kind
    lines = [record.getMessage() for record in caplog.records if record.name == "courses.moodle.client"]
    assert len(lines) == 1
    name, _, rest = lines[0].partition(": ")
    variables, spent, said = rest.split(", ")
    assert (name, variables, said) == (CREATE, "8 variables", outcome)
    assert spent.removesuffix(" ms").isdigit()
