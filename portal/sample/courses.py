"""Courses of the sample shop, with pages a participant can read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleCourse:
    shortname: str
    fullname: str
    category: str
    summary: str
    pages: tuple[tuple[str, str], ...]
    groups: str = "none"
    kind: str = ""  # "", "template" or "support"


COURSES = (
    SampleCourse(
        "SPOCMOODLE",
        "SPOC Appropriation Moodle",
        "Numérique",
        "Cinq semaines pour construire et animer votre premier cours en ligne.",
        (
            (
                "Semaine 1 : entrer dans un cours",
                (
                    "Vous suivez un cours **avant** d’en construire un : c’est la meilleure façon de voir ce que vos "
                    "participants verront.\n\n- Complétez votre profil.\n- Présentez-vous en trois phrases.\n- Repérez "
                    "ce qui vous aide, et ce qui vous gêne."
                ),
            ),
            (
                "Semaine 2 : déposer des ressources",
                (
                    "Une ressource répond à une question. Posez d’abord la question, puis choisissez la forme : une page, "
                    "un document, une vidéo courte."
                ),
            ),
            (
                "Semaine 3 : faire faire",
                (
                    "On apprend en faisant. Choisissez une activité, écrivez la consigne en deux phrases, donnez un "
                    "exemple, dites comment elle sera relue."
                ),
            ),
            (
                "Semaine 4 : évaluer",
                "Un test de dix questions bien écrites en dit plus qu’un examen de cent.",
            ),
            (
                "Semaine 5 : animer",
                "Un message par semaine, des réponses sous deux jours, un bilan à la fin.",
            ),
        ),
        groups="separate",
    ),
    SampleCourse(
        "EXCEL1",
        "Excel : les bases",
        "Bureautique",
        "Saisir, calculer, trier, présenter : une demi-journée en quatre étapes.",
        (
            (
                "Saisir sans se tromper",
                "Une ligne par chose, une colonne par information, jamais de ligne vide.",
            ),
            ("Calculer", "`=SOMME(B2:B20)` : une formule commence toujours par le signe égal."),
            ("Trier et filtrer", "Sélectionnez une cellule du tableau, puis *Données › Trier*."),
            ("Présenter", "Un titre, des nombres alignés à droite, deux couleurs au plus."),
        ),
    ),
    SampleCourse(
        "EXCEL2",
        "Excel : les tableaux croisés",
        "Bureautique",
        "Répondre à une question avec mille lignes, sans en relire une seule.",
        (
            ("Poser la question", "« Combien avons-nous vendu, par mois et par région ? »"),
            ("Construire le tableau", "Les mois en lignes, les régions en colonnes, les montants au milieu."),
            ("Le faire vivre", "Clic droit, *Actualiser* : le tableau suit les données."),
        ),
    ),
    SampleCourse(
        "SECU1",
        "Sécurité : gestes et postures",
        "Santé et sécurité",
        "Porter, s’asseoir, se relever : ménager son dos au travail.",
        (
            (
                "Porter une charge",
                "Approchez-vous, pliez les genoux, gardez le dos droit, ne tournez pas le buste.",
            ),
            (
                "Travailler assis",
                "Les pieds à plat, l’écran à hauteur des yeux, une pause toutes les heures.",
            ),
            (
                "Signaler un risque",
                "Dites-le le jour même à votre responsable, par écrit si le risque demeure.",
            ),
        ),
    ),
    SampleCourse(
        "RGPD1",
        "Le RGPD au quotidien",
        "Santé et sécurité",
        "Les six réflexes de qui tient un fichier de personnes.",
        (
            ("Pourquoi cette donnée ?", "Si vous ne savez pas à quoi elle sert, ne la demandez pas."),
            ("Qui la voit ?", "Autant de personnes que nécessaire, pas une de plus."),
            ("Jusqu’à quand ?", "Une date d’effacement se décide le jour de la collecte."),
        ),
    ),
    SampleCourse(
        "MODELE",
        "Modèle d’espace de cours",
        "Espaces des clients",
        "Le point de départ des espaces de cours vendus.",
        (
            (
                "Bienvenue",
                "Présentez ici votre cours : à qui il s’adresse, ce qu’on y fera, combien de temps il dure.",
            ),
            ("Première étape", "Remplacez ce texte par le vôtre."),
        ),
        kind="template",
    ),
    SampleCourse(
        "AIDE",
        "Aide aux clients",
        "Espaces des clients",
        "Comment attribuer vos sièges, et à qui poser vos questions.",
        (("Attribuer un siège", "Ouvrez *Mes sièges*, choisissez le cours, collez la liste des adresses."),),
        kind="support",
    ),
)
