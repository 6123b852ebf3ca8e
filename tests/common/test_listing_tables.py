"""Columns, headers, cells and quotes."""

import pytest

from common.listing import ListError, PersonEntry, Problem, from_rows, read_list


def people(data: str) -> list[tuple[str, str, str, str]]:
    return [(entry.email, entry.firstname, entry.lastname, entry.role) for entry in read_list(data).rows]


ZOE = ("zoe@example.org", "Zoë", "Müller", "")


@pytest.mark.parametrize(
    "header",
    [
        "email;firstname;lastname",
        "E-mail;First name;Last name",
        "E-MAIL;FIRST NAME;LAST NAME",
        "mail;prenom;nom",
        "Courriel;Prénom;Nom",
        "Adresse e-mail;Prénom(s);Nom de famille",
        "Adresse de courriel;PRÉNOM;NOM",
        "Votre adresse mail professionnelle;Prénom *;Nom *",
        "Adresse électronique (obligatoire);1er prénom;Nom d’usage",
        "Adresse @;Prénom;Nom",
        "Adresse;Prenom;Nom",
        "Mél;Prénom;Name",
        "Email Address;Given Name;Family Name",
        "E-mail;Name;Surname",
        "\ufeffemail ; firstname ; lastname ",
        '"email";"firstname";"lastname"',
    ],
)
def test_headers_in_french_and_english(header):
    read = read_list(f"{header}\nzoe@example.org;Zoë;Müller")
    assert [(e.email, e.firstname, e.lastname, e.role) for e in read.rows] == [ZOE]
    assert read.ignored_columns == ()


def test_columns_may_come_in_any_order_and_unknown_ones_are_named():
    read = read_list(
        "Société,Nom,Rôle,Téléphone,Courriel,Prénom,\nACME,Müller,Tutrice,+33 1,zoe@example.org,Zoë,\n"
    )
    assert [(e.email, e.firstname, e.lastname, e.role) for e in read.rows] == [(*ZOE[:3], "tutor")]
    assert read.ignored_columns == ("Société", "Téléphone")


def test_cells_beyond_the_header_are_named_by_their_number():
    assert read_list("email;nom\nzoe@example.org;M;x;y").ignored_columns == ("3", "4")
    assert read_list("email;;nom\nzoe@example.org;x;M").ignored_columns == ("2",)


def test_names_of_other_things_are_no_names():
    read = read_list("username,firstname,lastname,email,Nom du cours\nzm,Zoë,Müller,zoe@example.org,SCI")
    assert [(e.email, e.firstname, e.lastname, e.role) for e in read.rows] == [ZOE]
    assert read.ignored_columns == ("username", "Nom du cours")


def test_the_better_column_of_addresses_is_taken():
    read = read_list("Adresse;Email du responsable;Email;Nom\n1 rue X;chef@example.org;zoe@example.org;M")
    assert read.rows[0].email == "zoe@example.org"
    assert read.ignored_columns == ("Adresse", "Email du responsable")
    assert read_list("Adresse;Identifiant;Nom\n1 rue X;zoe@example.org;M").rows[0].email == "zoe@example.org"


@pytest.mark.parametrize(
    ("header", "name", "first", "last"),
    [
        ("Nom complet", "Zoë Müller", "Zoë", "Müller"),
        ("Name", "Zoë von Müller", "Zoë", "von Müller"),
        ("Full name", "Müller, Zoë", "Zoë", "Müller"),
        ("Nom et prénom", "MÜLLER KLEIN Zoë", "Zoë", "MÜLLER KLEIN"),
        ("Nom Prénom", "Müller Zoë", "Zoë", "Müller"),
        ("Nom, prénom", "Müller", "", "Müller"),
        ("Prénom et nom", "Zoë Müller", "Zoë", "Müller"),
        ("Nom", "Zoë Müller", "", "Zoë Müller"),
    ],
)
def test_a_column_may_hold_the_whole_name(header, name, first, last):
    delimiter = "\t"
    assert people(f"{header}{delimiter}Courriel\n{name}{delimiter}zoe@example.org") == [
        ("zoe@example.org", first, last, "")
    ]


@pytest.mark.parametrize(
    ("cell", "role"),
    [
        ("", ""),
        ("learner", "learner"),
        ("Apprenante", "learner"),
        ("apprenant(e)", "learner"),
        ("Apprenant·e", "learner"),
        ("STAGIAIRE", "learner"),
        ("étudiant", "learner"),
        ("tutor", "tutor"),
        ("Tuteur ", "tutor"),
        ("tutrice", "tutor"),
        ("Formateur", "tutor"),
    ],
)
def test_roles_in_french_and_english(cell, role):
    [entry] = read_list(f"email;rôle\nzoe@example.org;{cell}").rows
    assert (entry.role, entry.problems) == (role, ())


def test_an_unknown_role_is_a_problem_of_that_field():
    [entry] = read_list("email;rôle\nzoe@example.org;directeur").rows
    assert entry == PersonEntry(1, "zoe@example.org", problems=(Problem("role", "unknown_role"),))


def test_blank_rows_do_not_count_and_a_role_alone_is_nobody():
    read = read_list(
        "Prénom;Nom;Courriel;Rôle\n\n;;;\nZoë;M;zoe@example.org;\n;;;apprenant\n \t;;;\nA;B;a@example.org;"
    )
    assert [(entry.row, entry.firstname) for entry in read.rows] == [(1, "Zoë"), (2, "A")]


def test_titles_above_the_header_are_skipped():
    assert people("Stage du 4 mai\n\nListe;;\nPrénom;Nom;Courriel\nZoë;Müller;zoe@example.org") == [ZOE]


def test_excel_may_name_the_delimiter_in_the_first_line():
    assert people("sep=|\nPrénom|Nom|Courriel\nZoë|Müller|zoe@example.org") == [ZOE]


def test_rows_with_something_wrong_stay_with_their_problems():
    long = "x" * 151
    read = read_list(
        f'Prénom;Nom;Courriel\n{long};Y;a@example.org\nA;;\nB;C;b.example.org\nD;E;=A1&"@example.org"\n;{long};zoe@'
    )
    assert [entry.problems for entry in read.rows] == [
        (Problem("firstname", "name_too_long"),),
        (Problem("email", "missing"),),
        (Problem("email", "no_at"),),
        (Problem("email", "formula"),),
        (Problem("email", "no_dot"), Problem("lastname", "name_too_long")),
    ]
    assert read.rows[0].firstname == long
    assert all(str(problem.message) for entry in read.rows for problem in entry.problems)


def test_repeated_addresses_stay():
    assert len(read_list("zoe@example.org\nZOE@example.org\nzoe@example.org").rows) == 3


def test_cells_are_trimmed_and_their_case_is_kept():
    assert people("Prénom;Nom;Courriel\n \u00a0Zoë  \u202fAnne ; MÜLLER\t; Zoe@Example.ORG\u200b ") == [
        ("Zoe@Example.ORG", "Zoë Anne", "MÜLLER", "")
    ]


def test_control_characters_and_surrogates_are_stripped_and_accents_composed():
    assert people(
        "Prénom;Nom;Courriel\nZo\x00e\u0308\x07;Mu\u0308\ud800ller\u202e;\ufeffzoe@exam\x00ple.org"
    ) == [ZOE]


def test_an_apostrophe_that_neutralised_a_cell_is_taken_away():
    assert people("Prénom;Nom;Courriel\n'=1+1;'t Hooft;zoe@example.org") == [
        ("zoe@example.org", "=1+1", "'t Hooft", "")
    ]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_breaks():
    text = 'Prénom,Nom,Courriel,Note\r\n"Zoë, dite ""Zo""","Müller\r\nKlein",zoe@example.org,"a\r\n\r\nb"\r\nA,B,a@example.org,'
    assert people(text) == [
        ("zoe@example.org", 'Zoë, dite "Zo"', "Müller Klein", ""),
        ("a@example.org", "A", "B", ""),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        '"Zoë;Müller;zoe@example.org\nA;B;a@example.org\nC;"D;c@example.org',
        '"Zoë;Müller;zoe@example.org\nA;B;a@example.org\nC;D";c@example.org',
        'Zoë;"Müller;zoe@example.org\nA;B;a@example.org\nC;D;c@example.org',
    ],
)
def test_a_stray_quote_swallows_nobody(rows):
    assert people(f"Prénom;Nom;Courriel\n{rows}") == [
        ZOE,
        ("a@example.org", "A", "B", ""),
        ("c@example.org", "C", "D", ""),
    ]


# --- without a header ---------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", ["\t", ";", ",", "|"])
def test_without_a_header_names_come_first_and_last_whereever_the_address_is(delimiter):
    for cells in (["Zoë", "Müller", "zoe@example.org"], ["zoe@example.org", "Zoë", "Müller"]):
        rows = [delimiter.join(cells), delimiter.join(cells)]
        assert people("\n".join(rows)) == [ZOE, ZOE]


def test_without_a_header_roles_are_recognised_and_the_rest_is_numbered():
    read = read_list("Zoë\tMüller\tACME\tzoe@example.org\ttuteur\nA\tB\t\ta@example.org\t")
    assert [(e.email, e.firstname, e.lastname, e.role) for e in read.rows] == [
        (*ZOE[:3], "tutor"),
        ("a@example.org", "A", "B", ""),
    ]
    assert read.ignored_columns == ("3",)


def test_without_a_header_one_column_beside_the_addresses_is_the_whole_name():
    assert people("Zoë Müller;zoe@example.org\nMüller, Zoë;zoe@example.org") == [ZOE, ZOE]


def test_an_address_in_the_wrong_cell_is_found():
    assert people("Zoë;Müller;zoe@example.org\na@example.org\nA;B;b@example.org")[1] == (
        "a@example.org",
        "",
        "",
        "",
    )


def test_cells_of_a_mail_program_are_taken_apart():
    assert people("Courriel\nMüller, Zoë <zoe@example.org>\nmailto:a@example.org\n<b@example.org>") == [
        ZOE,
        ("a@example.org", "", "", ""),
        ("b@example.org", "", "", ""),
    ]
    assert people("Nom;Courriel\nM.;Zoë Müller <zoe@example.org>")[0] == ("zoe@example.org", "", "M.", "")


# --- the rows of a form -------------------------------------------------------------------------


def test_the_rows_of_a_form_are_read_by_the_same_rules():
    read = from_rows(
        [
            {"email": " Zoe@Example.org", "firstname": "Zoë ", "lastname": None, "role": "tuteur", "id": 4},
            {"email": "", "firstname": " ", "role": "learner"},
            {"email": "nobody", "lastname": "B", "role": "x"},
        ]
    )
    assert read.rows == (
        PersonEntry(1, "Zoe@Example.org", "Zoë", "", "tutor"),
        PersonEntry(2, "nobody", "", "B", "", (Problem("email", "no_at"), Problem("role", "unknown_role"))),
    )
    assert (read.source, read.ignored_columns) == ("form", ("id",))


def test_a_form_without_anybody_or_with_too_many_is_refused():
    with pytest.raises(ListError) as refused:
        from_rows([{"email": ""}, {}])
    assert refused.value.code == "empty"
    with pytest.raises(ListError) as refused:
        from_rows([{"email": "a@example.org"}] * 3, max_rows=2)
    assert refused.value.code == "too_many_rows"
