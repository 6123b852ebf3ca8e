"""Items of the sample shop, in French and English."""

from __future__ import annotations

from typing import Any

CATEGORIES = {
    "sessions": (
        "Sessions de formation",
        "Training sessions",
        "Des dates, des participants nommés, un tuteur.",
        "",
    ),
    "sieges": (
        "Sièges à attribuer",
        "Seats to give",
        "Achetez aujourd’hui, nommez les participants quand vous le voulez.",
        "Buy today, name the participants whenever you like.",
    ),
    "espaces": (
        "Espaces de cours",
        "Course spaces",
        "Un cours à vous, pour un an.",
        "A course of your own, for a year.",
    ),
}

TERMS_FR = (
    "Les sièges sont ouverts dès réception du paiement. Un siège peut changer de personne tant que le cours n’a pas "
    "été ouvert par celle-ci. Règlement par virement à 30 jours."
)
TERMS_EN = (
    "Seats are opened as soon as the payment is received. A seat may pass to another person until that person has "
    "opened the course. Payment by bank transfer within 30 days."
)
NOTICE_FR = (
    "Votre organisation nous a transmis votre nom et votre adresse pour vous donner une place dans un cours. Nous ne "
    "nous en servons que pour cela. Votre organisation voit si vous avez ouvert le cours et terminé ; elle ne voit ni "
    "vos réponses ni vos messages. Vous pouvez demander l’accès à ces données, leur correction ou leur effacement."
)
NOTICE_EN = (
    "Your organisation gave us your name and address so that you get a place in a course. We use them for nothing "
    "else. Your organisation sees whether you have opened and finished the course; it sees neither your answers nor "
    "your messages. You may ask to see these data, to have them corrected or erased."
)

SELLER = {
    "name": "Atelier des savoirs",
    "legal_name": "Atelier des savoirs SAS",
    "legal_form": "SAS au capital de 10 000 €",
    "siren": "732829320",
    "vat_number": "FR44732829320",
    "address": "12 rue des Tanneurs",
    "postcode": "37000",
    "city": "Tours",
    "iban": "FR7630006000011234567890189",
    "bic": "AGRIFRPP",
    "terms_fr": TERMS_FR,
    "terms_en": TERMS_EN,
    "terms_version": "2026-11",
    "notice_fr": NOTICE_FR,
    "notice_en": NOTICE_EN,
    "notice_version": "2026-11",
    "mail_sender": "bonjour@atelier.example",
    "help_email": "aide@atelier.example",
    "help_phone": "02 47 00 00 00",
}

ITEMS: dict[str, dict[str, Any]] = {
    "SPOCM1": {
        "category": "sessions",
        "name_fr": "SPOC Appropriation Moodle",
        "name_en": "SPOC Getting to know Moodle",
        "summary_fr": "Cinq semaines pour construire et animer un cours en ligne, en groupe, avec un tuteur.",
        "summary_en": "Five weeks to build and run an online course, in a group, with a tutor.",
        "description_fr": (
            "Vous nommez les participants et leur tuteur au moment de la commande ; la session est prête dès le "
            "paiement.\n\n- 5 semaines, environ 2 heures par semaine\n- un groupe à vous, que les autres clients ne "
            "voient pas\n- un siège par apprenant et un siège par tuteur"
        ),
        "description_en": (
            "You name the participants and their tutor when you order; the session is ready as soon as it is paid."
            "\n\n- 5 weeks, about 2 hours a week\n- a group of your own, which other customers do not see\n- one seat "
            "per learner and one per tutor"
        ),
        "price": "10.00",
        "price_includes_tax": True,
        "handler": "setuponecoursesession",
        "params": "coursename=SPOCMOODLE&duration=180&customersupport=AIDE",
        "seat_mode": "quantity",
        "renewable": True,
    },
    "SEATS": {
        "category": "sieges",
        "name_fr": "Siège à attribuer, tous les cours ouverts",
        "name_en": "Seat to give, every open course",
        "summary_fr": "Un siège vaut une personne dans un cours, au choix, quand vous voulez.",
        "summary_en": "One seat is one person in one course, of your choice, whenever you like.",
        "description_fr": (
            "Achetez le nombre de sièges dont vous aurez besoin. Plus tard, collez une liste d’adresses : chacun "
            "reçoit son invitation, et qui est déjà inscrit ne coûte rien."
        ),
        "description_en": (
            "Buy as many seats as you will need. Later, paste a list of addresses: everybody gets an invitation, and "
            "whoever is already enrolled costs nothing."
        ),
        "price": "25.00",
        "handler": "generateseats",
        "params": "duration=180&customersupport=AIDE",
        "tiers": ((9, "25.00"), (49, "22.00")),
        "base": "19.00",
    },
    "PACK10": {
        "category": "sieges",
        "name_fr": "Lot de 10 sièges bureautique et RGPD",
        "name_en": "Pack of 10 seats, office tools and GDPR",
        "summary_fr": "Dix sièges pour les cours Excel et RGPD, à attribuer dans l’année.",
        "summary_en": "Ten seats for the Excel and GDPR courses, to be given within the year.",
        "description_fr": "Valable pour *Excel : les bases*, *Excel : les tableaux croisés* et *Le RGPD au quotidien*.",
        "description_en": "Good for the two Excel courses and the GDPR course.",
        "price": "180.00",
        "handler": "generateseats",
        "params": "courselist=EXCEL*,RGPD1&packsize=10&validity=365&duration=90",
        "max_quantity": 50,
    },
    "SPACE": {
        "category": "espaces",
        "name_fr": "Espace de cours",
        "name_en": "Course space",
        "summary_fr": "Un cours prêt à remplir : vous l’écrivez, vous y inscrivez vos participants.",
        "summary_en": "A course ready to be filled: you write it and put your participants into it.",
        "description_fr": "Créé à partir de notre modèle, à votre nom, pour 365 jours. Prolongeable.",
        "description_en": "Made from our template, in your name, for 365 days. Renewable.",
        "price": "240.00",
        "handler": "buycourse",
        "params": "coursecategory={spaces}&template=MODELE&duration=365&maxparticipants=200",
        "renewable": True,
        "max_quantity": 10,
    },
    "EXTEND": {
        "category": "espaces",
        "name_fr": "Prolongation de 180 jours",
        "name_en": "180 more days",
        "summary_fr": "Pour un siège, une session ou un espace de cours déjà acheté, par sa référence.",
        "summary_en": "For a seat, a session or a course space you already own, by its reference.",
        "description_fr": "La prolongation part de la fin prévue, ou d’aujourd’hui si elle est passée.",
        "description_en": "The extension counts from the planned end, or from today if that has passed.",
        "price": "40.00",
        "handler": "extendenrolperiod",
        "params": "extension=180",
        "max_quantity": 4,
    },
}
