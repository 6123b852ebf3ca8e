"""A small site to click through by hand; its courses are named as those of the sample shop."""

from __future__ import annotations

from tests.moodle.peer.site import Site

TEACHER, STUDENT = 4, 5
EDITING_TEACHER = 3
SEPARATE_GROUPS = 1

COURSES = (
    ("SPOCMOODLE", "SPOC Appropriation Moodle", "Numérique", ("Semaine 1", "Semaine 2", "Semaine 3")),
    ("EXCEL1", "Excel : les bases", "Bureautique", ("Saisir", "Calculer", "Trier")),
    ("EXCEL2", "Excel : les tableaux croisés", "Bureautique", ("Construire le tableau",)),
    ("SECU1", "Sécurité : gestes et postures", "Santé et sécurité", ("Porter une charge",)),
    ("MODELE", "Modèle d’espace de cours", "Espaces des clients", ("Bienvenue", "Première étape")),
    ("AIDE", "Aide aux clients", "Espaces des clients", ("Attribuer un siège",)),
)


def seed(site: Site) -> None:
    """Courses in categories and two people, each with the password `Aa1-password`.

    Paul's address is stored with capitals, as a stranger typed it.
    """
    site.sitename = "Campus"
    categories = {name: site.add_category(name) for name in dict.fromkeys(row[2] for row in COURSES)}
    made = {
        shortname: site.add_course(
            shortname, fullname, categories[category], pages=pages, visible=shortname != "MODELE"
        )
        for shortname, fullname, category, pages in COURSES
    }
    made["SPOCMOODLE"].groupmode = SEPARATE_GROUPS
    teacher = site.add_user("ines", "ines@school.example", firstname="Inès", lastname="Martin")
    learner = site.add_user("paul", "Paul@School.example", firstname="Paul", lastname="Durand")
    site.enrol(teacher, made["SPOCMOODLE"], EDITING_TEACHER)
    site.enrol(learner, made["EXCEL1"], STUDENT, groups=[site.add_group(made["EXCEL1"], "Groupe A")])
    site.visit(learner, made["EXCEL1"])
