"""The peer as a process of its own, and in a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_serves_a_demo_until_it_is_told_to_end():
    command = [sys.executable, "-m", "tests.moodle.peer", "--seed", "demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip().removeprefix("export ") for _ in range(5)]
            told = dict(line.split("=", 1) for line in lines)
            assert told["MOODLE_ROLES"] == "student:5,teacher:4,editingteacher:3"
            query = (
                f"wstoken={told['MOODLE_TOKEN']}&wsfunction=core_course_get_courses&moodlewsrestformat=json"
            )
            with urlopen(f"{told['MOODLE_URL']}/webservice/rest/server.php?{query}", timeout=30) as reply:
                shortnames = {row["shortname"] for row in json.load(reply)}
            assert {"SPOCMOODLE", "MODELE", "AIDE"} <= shortnames
            with urlopen(f"{told['MOODLE_URL']}/peer/status", timeout=30) as reply:
                status = json.load(reply)
            assert status["calls"] == {"core_course_get_courses": 1}
            assert status["busy_seconds"] > 0
        finally:
            process.terminate()
        assert process.wait(30) == 0


def test_somebody_logs_in_and_lands_in_the_course(browser_page, moodle_peer):
    site = moodle_peer.site
    course, user = site.add_course("C1", "Un cours", pages=["Première page"]), site.add_user("ines")
    site.enrol(user, course)
    page = browser_page(width=360)
    page.goto(f"{moodle_peer.url}/course/view.php?id={course.id}")
    page.get_by_label("Nom d’utilisateur").fill("ines")
    page.get_by_label("Mot de passe").fill("Aa1-password")
    page.get_by_role("button", name="Connexion").click()
    page.get_by_role("heading", name="Un cours").wait_for()
    assert page.url == f"{moodle_peer.url}/course/view.php?id={course.id}"
    assert page.get_by_text("Première page").is_visible()
    assert (user.id, course.id) in site.last_access
