"""The peer's accounts: made, changed and looked up as a Moodle site does it."""

from __future__ import annotations

import http.client
import threading

import pytest

CREATE, UPDATE = "core_user_create_users", "core_user_update_users"
BY_FIELD, SEARCH = "core_user_get_users_by_field", "core_user_get_users"


def person(username="p1", **changes):
    return {
        "username": username,
        "password": "Aa1-aaaa",
        "firstname": "P",
        "lastname": "One",
        "email": f"{username}@e.example",
    } | changes


def search(raw, **criteria):
    sent = [{"key": key, "value": value} for key, value in criteria.items()]
    return [row["username"] for row in raw.call(SEARCH, criteria=sent)["users"]]


# --- making ------------------------------------------------------------------------------------------


def test_a_batch_is_all_or_nothing(raw, site):
    before = len(site.users)
    assert raw.code(CREATE, users=[person("p1"), person("p2", email="nope")]) == "invalidparameter"
    assert len(site.users) == before
    made = raw.call(CREATE, users=[person("p1"), person("p2")])
    assert [row["username"] for row in made] == ["p1", "p2"]
    user = site.user_named("p1")
    assert (user.confirmed, user.policy_agreed, user.auth, user.firstaccess) == (True, False, "manual", 0)
    assert user.preferences == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "known"},
        {"email": "Known@Site.example"},
        {"email": "nope"},
        {"email": "é@e.example"},
        {"username": "P5"},
        {"username": "p6+tag@example.org"},
        {"firstname": "  "},
        {"lastname": ""},
        {"lang": "xx"},
        {"auth": "nothing"},
        {"password": ""},
    ],
)
def test_whatever_is_wrong_with_an_account_the_answer_is_the_same(raw, site, wrong):
    site.add_user("known", "known@site.example")
    before = len(site.users)
    answer = raw.call(CREATE, users=[person(**wrong)])
    assert (answer["errorcode"], answer["message"]) == (
        "invalidparameter",
        "Invalid parameter value detected",
    )
    assert len(site.users) == before


def test_an_address_may_be_a_user_name_and_an_id_number_may_be_there_twice(raw, site):
    site.add_user("known", idnumber="N1")
    raw.call(CREATE, users=[person("p5@example.org", email="p5@e.example", idnumber="N1")])
    assert site.user_named("p5@example.org").idnumber == "N1"


def test_the_password_policy_of_a_creation_is_html_in_the_errorcode(raw, site):
    answer = raw.call(CREATE, users=[person(), person("p2", password="short")])
    assert answer["errorcode"].startswith("<div>Passwords must be at least 8 characters long.</div>")
    assert answer["message"] == f"error/{answer['errorcode']}"
    assert site.user_named("p1") is None


def test_createpassword_mails_inside_the_request_even_when_the_batch_fails(raw, site):
    generated = person("p1", createpassword=1)
    del generated["password"]
    assert raw.code(CREATE, users=[generated, person("p2", email="nope")]) == "invalidparameter"
    assert site.user_named("p1") is None
    assert [(mail.kind, mail.to) for mail in site.mails] == [("newpassword", "p1@e.example")]
    raw.call(CREATE, users=[generated])
    assert site.user_named("p1").must_change_password


def test_preferences_are_named_by_type_not_by_name(raw, site):
    flag = [{"type": "auth_forcepasswordchange", "value": 1}]
    raw.call(CREATE, users=[person(preferences=flag)])
    assert site.user_named("p1").must_change_password
    wrong = [{"name": "auth_forcepasswordchange", "value": 1}]
    assert raw.code(CREATE, users=[person("p2", preferences=wrong)]) == "invalidparameter"


@pytest.mark.parametrize(("what", "rows"), [("email", 2), ("username", 1)])
def test_two_creations_at_once_both_pass_the_check_and_only_the_user_name_is_unique(raw, site, what, rows):
    both_checked = threading.Barrier(2, timeout=20)
    site.between_check_and_insert = lambda function: both_checked.wait()
    first, second = (
        (person("p1", email="same@e.example"), person("p2", email="Same@e.example"))
        if what == "email"
        else (person("same", email="a@e.example"), person("same", email="b@e.example"))
    )
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda item=item: answers.append(raw.call(CREATE, users=[item])))
        for item in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [user for user in site.living_users() if user.username in {"p1", "p2", "same"}]
    assert len(made) == rows
    refused = [answer for answer in answers if isinstance(answer, dict)]
    assert [answer["errorcode"] for answer in refused] == ["dmlwriteexception"] * (2 - rows)


# --- changing ----------------------------------------------------------------------------------------


def test_a_refused_password_is_invalidresponse_and_the_others_are_done(raw, site):
    one, two = site.add_user("one"), site.add_user("two")
    answer = raw.call(
        UPDATE,
        users=[
            {"id": one.id, "password": "short", "suspended": 1},
            {"id": two.id, "password": "Bb2-bbbb"},
        ],
    )
    assert answer == {
        "exception": "invalid_response_exception",
        "errorcode": "invalidresponse",
        "message": "Invalid response value detected",
    }
    assert (one.password, one.suspended) == ("Aa1-password", False)
    assert two.password == "Bb2-bbbb"


def test_updates_fail_one_by_one_as_warnings(raw, site):
    one, two = site.add_user("one"), site.add_user("two")
    answer = raw.call(
        UPDATE,
        users=[
            {"id": 9999, "suspended": 1},
            {"id": one.id, "email": "TWO@example.org"},
            {"id": 2, "suspended": 1},
            {"id": two.id, "suspended": 1, "email": "new@e.example"},
        ],
    )
    assert [(row["itemid"], row["warningcode"]) for row in answer["warnings"]] == [
        (9999, "invaliduserid"),
        (one.id, "useremailduplicate"),
        (2, "usernotupdatedadmin"),
    ]
    assert (two.suspended, two.email) == (True, "new@e.example")
    assert one.email == "one@example.org"


def test_a_password_leaves_the_force_flag_and_a_preference_clears_it(raw, site):
    user = site.add_user("one")
    site.force_password_change(user)
    assert raw.call(UPDATE, users=[{"id": user.id, "password": "Bb2-bbbb"}]) == {"warnings": []}
    assert user.must_change_password
    off = [{"type": "auth_forcepasswordchange", "value": 0}]
    raw.call(UPDATE, users=[{"id": user.id, "preferences": off}])
    assert not user.must_change_password
    assert user.password == "Bb2-bbbb"


def test_an_odd_password_is_kept_exactly(raw, site):
    user = site.add_user("one")
    raw.call(UPDATE, users=[{"id": user.id, "password": "Pä ss-1234 "}])
    assert user.password == "Pä ss-1234 "


def test_confirmed_cannot_be_set(raw, site):
    user = site.add_user("one", confirmed=False)
    assert raw.code(UPDATE, users=[{"id": user.id, "confirmed": 1}]) == "invalidparameter"
    assert raw.call(BY_FIELD, field="id", values=[user.id])[0]["confirmed"] is False


def test_without_the_capability_nothing_is_changed(raw, site):
    user = site.add_user("one")
    site.remove_capability("moodle/user:update")
    answer = raw.call(UPDATE, users=[{"id": user.id, "suspended": 1}])
    assert (answer["exception"], answer["errorcode"]) == ("required_capability_exception", "nopermissions")
    assert "(Update user profiles)" in answer["message"]
    assert user.suspended is False


def test_deleting_twice(raw, site):
    user = site.add_user("one")
    assert raw.call("core_user_delete_users", userids=[user.id]) is None
    answer = raw.call("core_user_delete_users", userids=[user.id])
    assert (answer["exception"], answer["errorcode"]) == ("dml_missing_record_exception", "invaliduser")


# --- looking up --------------------------------------------------------------------------------------


def test_by_field_is_case_sensitive_though_a_creation_takes_it_for_a_duplicate(raw, site):
    site.add_user("one", "P1@Example.org")
    assert raw.call(BY_FIELD, field="email", values=["p1@example.org", "P1@EXAMPLE.ORG"]) == []
    (row,) = raw.call(BY_FIELD, field="email", values=["p1@example.org", "P1@Example.org"])
    assert row["username"] == "one"
    assert raw.code(CREATE, users=[person(email="p1@example.org")]) == "invalidparameter"
    assert search(raw, email="p1@example.org") == ["one"]


def test_absent_users_are_left_out_and_one_bad_value_spoils_the_call(raw, site):
    site.add_user("one")
    assert len(raw.call(BY_FIELD, field="username", values=["one", "nobody"])) == 1
    assert raw.code(BY_FIELD, field="username", values=["one", " two"]) == "invalidparameter"
    assert raw.code(BY_FIELD, field="email", values=["one@example.org", "nope"]) == "invalidparameter"


def test_not_found_and_not_allowed_look_the_same(raw, site):
    site.add_user("one")
    site.remove_capability("moodle/user:viewdetails")
    assert raw.call(BY_FIELD, field="username", values=["one"]) == []
    assert search(raw, email="one@example.org") == []


def test_nobody_is_found_by_an_address_that_the_caller_may_not_see(raw, site):
    one = site.add_user("one")
    site.remove_capability("moodle/site:viewuseridentity")
    assert raw.call(BY_FIELD, field="email", values=["one@example.org"]) == []
    (told,) = raw.call(BY_FIELD, field="id", values=[one.id])
    assert "email" not in told


def test_search_by_address_is_a_pattern_with_live_wildcards(raw, site):
    for name, email in (("a", "a_b@e.example"), ("b", "axb@e.example"), ("c", "a%b@e.example"), ("d", "O'Neil@e.example")):  # fmt: skip
        site.add_user(name, email)
    assert search(raw, email="a_b@e.example") == ["a", "b", "c"]
    assert search(raw, email=r"A\_B@E.EXAMPLE") == ["a"]
    assert search(raw, email=r"a\%b@e.example") == ["c"]
    assert search(raw, email="o'neil@e.example") == ["d"]
    assert search(raw, email="%@e.example") == ["a", "b", "c", "d"]
    assert search(raw, email="") == []


def test_a_misspelt_key_returns_everybody(raw, site):
    site.add_user("one")
    answer = raw.call(SEARCH, criteria=[{"key": "mail", "value": "one@example.org"}])
    assert [row["username"] for row in answer["users"]] == ["admin", "webservice", "one"]
    assert [row["warningcode"] for row in answer["warnings"]] == ["invalidfieldparameter"]


def test_several_keys_are_and_and_one_key_twice_is_an_error(raw, site):
    site.add_user("one")
    site.add_user("two")
    assert search(raw, email="one@example.org", username="two") == []
    assert search(raw, email="one@example.org", username="ONE") == ["one"]
    twice = [{"key": "email", "value": "a"}, {"key": "email", "value": "b"}]
    assert raw.code(SEARCH, criteria=twice) == "keyalreadyset"
    assert raw.code(SEARCH, criteria=[]) == "invalidparameter"


# --- who the service user is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("happen", "code"),
    [
        (lambda site: site.set_policy(), "sitepolicynotagreed"),
        (lambda site: site.require_profile_field(), "usernotfullysetup"),
        (lambda site: site.force_password_change(site.service_user), "forcepasswordchangenotice"),
    ],
)
def test_what_is_asked_of_every_user_stops_the_service_user_and_the_probe_stays_green(
    raw, site, happen, code
):
    course, user = site.add_course("C1"), site.add_user("one")
    happen(site)
    assert raw.code(BY_FIELD, field="id", values=[3]) == code
    row = {"roleid": 5, "userid": user.id, "courseid": course.id}
    assert raw.code("enrol_manual_enrol_users", enrolments=[row]) == code
    assert site.enrolments == {}
    assert raw.call("core_webservice_get_site_info")["userid"] == 3


def test_agreeing_to_the_policy_with_the_same_token_cures_it(raw, site):
    site.set_policy()
    assert raw.call("core_user_agree_site_policy") == {"status": True, "warnings": []}
    assert raw.call(BY_FIELD, field="id", values=[3])[0]["username"] == "webservice"


def test_a_reset_answers_the_same_whether_a_mail_leaves_or_not(raw, site):
    site.add_user("one")
    site.add_user("away", suspended=True)
    reset = "core_auth_request_password_reset"
    answers = [raw.call(reset, email=f"{name}@example.org") for name in ("ONE", "away", "nobody")]
    assert {answer["status"] for answer in answers} == {"emailpasswordconfirmmaybesent"}
    assert [mail.to for mail in site.mails] == ["one@example.org"]
    for _ in range(3):
        raw.call(reset, username="one")
    assert len(site.mails) == 2
    assert raw.call(reset)["status"] == "dataerror"


def test_maintenance_is_503_and_html(raw, site):
    site.maintenance()
    answer = raw.send("core_webservice_get_site_info")
    assert answer.status == http.client.SERVICE_UNAVAILABLE
    assert b"<!DOCTYPE html>" in answer.body
    site.maintenance(False)
    assert raw.send("core_webservice_get_site_info").status == http.client.OK
