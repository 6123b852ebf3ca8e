"""What people read: one word for one thing, in both languages, and nothing left untranslated."""

import re

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from tests.house.house import ROOT, assert_none, files, name_of

CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"

FORBIDDEN = {
    "en": re.compile(
        r"\binvoic\w*|\bbills?\b|\bbilled\b|\blicen[cs]\w*|\bunexpected error|\bunassigned products?\b|\baccounts?\b",
        re.IGNORECASE,
    ),
    "fr": re.compile(
        r"\bfactur\w*|\blicences?\b|\baffect(?:ation|é|er)\w*|\bcomptes?\b|\berreurs? inattendues?\b"
        r"|\bproduits? non attribués?\b",
        re.IGNORECASE,
    ),
}

# Uses of a forbidden word that mean something else, each with the reason.
ALLOWED = {
    "en": [
        r"bank account",  # where money is sent, not an organisation
    ],
    "fr": [
        r"compte bancaire",  # where money is sent, not an organisation
        r"(?:en|tient|tenir|tenant|tenu) compte|compte tenu|rendre compte|se rend compte",  # fixed expressions
    ],
}

UNTRANSLATED_NAMES = {
    "Shopseats", "CSV", "XLSX", "Excel", "PDF", "IBAN", "BIC", "SIREN", "JSON", "URL", "Moodle", "HTML",
    "Markdown", "EUR", "SEPA", "Français", "English", "FR", "EN",
}  # fmt: skip


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    with CATALOGUE.open("rb") as stream:
        catalogue = read_po(stream, locale="fr")
    assert not catalogue.fuzzy, "the header is marked fuzzy, and then the catalogue is not compiled"
    return [message for message in catalogue if message.id]


def texts(value: object) -> list[str]:
    """The one text of a message, or its plural forms."""
    return [str(text) for text in value] if isinstance(value, list | tuple) else [str(value)]


def forbidden_words(language: str, text: str) -> list[str]:
    for allowed in ALLOWED[language]:
        text = re.sub(allowed, "", text, flags=re.IGNORECASE)
    # Names in placeholders are never shown.
    text = re.sub(r"%\(\w+\)[sd]|\{\w*\}|%s", "", text)
    return [match.group() for match in FORBIDDEN[language].finditer(text)]


def visible_text(source: str) -> str:
    """What a template shows outside translation tags: its text and the attributes that are read out."""
    source = re.sub(r"{#.*?#}|{% comment .*?%}.*?{% endcomment %}|<!--.*?-->", " ", source, flags=re.DOTALL)
    source = re.sub(r"{%-?\s*comment\s*%}.*?{%\s*endcomment\s*%}", " ", source, flags=re.DOTALL)
    source = re.sub(
        r"{%\s*blocktrans(late)?\b.*?{%\s*endblocktrans(late)?\s*%}", " ", source, flags=re.DOTALL
    )
    source = re.sub(r"{%.*?%}|{{.*?}}", " ", source, flags=re.DOTALL)
    read_out = re.findall(r"\b(?:alt|title|placeholder|aria-label)=\"([^\"]*)\"", source)
    source = re.sub(r"<(script|style)\b.*?</\1>", " ", source, flags=re.DOTALL)
    source = re.sub(r"<[^>]*>|&#?\w+;", " ", source, flags=re.DOTALL)
    return " ".join([source, *read_out])


def test_every_text_is_translated_and_none_is_fuzzy(messages):
    assert_none(message.id for message in messages if message.fuzzy)
    assert_none(message.id for message in messages if not all(texts(message.string)))


def test_the_translations_keep_the_placeholders(messages):
    def names(text: str) -> set[str]:
        return set(re.findall(r"%\((\w+)\)|\{(\w+)\}", text))

    # A singular may spell its number out; the last form may not lose or invent anything.
    wrong = [m.id for m in messages if names(texts(m.string)[-1]) != names(texts(m.id)[-1])]
    assert_none(wrong)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_words_that_must_not_appear_do_not_appear(messages, language):
    found = [
        (words, text)
        for message in messages
        for text in texts(message.id if language == "en" else message.string)
        if (words := forbidden_words(language, text))
    ]
    assert_none(found)


def test_words_that_must_not_appear_do_not_appear_in_templates():
    found = [
        (name_of(path), words)
        for path in files(".html", ".txt", under="templates")
        if (text := visible_text(path.read_text(encoding="utf-8")))
        if (words := forbidden_words("en", text) + forbidden_words("fr", text))
    ]
    assert_none(found)


def test_every_text_of_a_template_can_be_translated():
    found = []
    for path in files(".html", ".txt", under="templates"):
        words = set(re.findall(r"[^\W\d_]{2,}", visible_text(path.read_text(encoding="utf-8"))))
        if words - UNTRANSLATED_NAMES:
            found.append((name_of(path), sorted(words - UNTRANSLATED_NAMES)))
    assert_none(found)


def test_french_has_its_narrow_spaces(messages):
    """A narrow no-break space stands before ; : ! ? and inside « »."""
    wrong = []
    for message in messages:
        for text in texts(message.string):
            plain = re.sub(r"&#?\w+;|https?://\S*", "", text)
            if re.search(r"(?<!\u202f)[;:!?](?=[\s<»)]|$)|«(?!\u202f)|(?<!\u202f)»", plain):
                wrong.append(text)
    assert_none(wrong)


def test_english_has_no_space_before_punctuation(messages):
    wrong = [
        text for message in messages for text in texts(message.id) if re.search(r"\s[;:!?](?:\s|$)", text)
    ]
    assert_none(wrong)
