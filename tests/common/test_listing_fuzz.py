"""Whatever is sent, the answer is a list or a ListError."""

import contextlib
import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from common.listing import ListError, PeopleList, from_rows, read_list

# Pieces that lists are made of, so that the texts come near to real ones.
PIECES = st.sampled_from(
    [
        "zoe@example.org", "a@b", "@", "Zoë", "Müller, Zoë", "Courriel", "email", "Prénom", "Nom", "Rôle", "tuteur",
        ";", ",", "\t", "|", '"', "'", "<", ">", "(", ")", "\n", "\r\n", "\r", " ", "\u00a0", "\x00", "\ufeff", "sep=;\n",
        "=1+1", "mailto:", "\u2028", "\ufffd", "\ud800", "À :", "\\", "x" * 200,
    ]
)  # fmt: skip


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Prénom", "Courriel"])
    sheet.append(["Zoë", "zoe@example.org"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


BOOK = workbook()
PARTS = zipfile.ZipFile(io.BytesIO(BOOK)).namelist()


def answer(data: bytes | str) -> PeopleList | ListError:
    try:
        return read_list(data)
    except ListError as refused:
        return refused


def check(data: bytes | str) -> None:
    read = answer(data)
    if isinstance(read, ListError):
        assert read.code
        assert str(read)
    else:
        check_people(read)
        assert any("@" in entry.email for entry in read.rows)


def check_people(read: PeopleList) -> None:
    assert [entry.row for entry in read.rows] == list(range(1, len(read.rows) + 1))
    for entry in read.rows:
        assert entry.email or entry.firstname or entry.lastname
        for text in (entry.email, entry.firstname, entry.lastname):
            assert text == text.strip()
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text)
        assert all(str(problem.message) for problem in entry.problems)


@given(st.binary(max_size=400))
def test_any_bytes(data):
    check(data)


@given(st.text(max_size=200))
def test_any_text(text):
    check(text)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_anything_like_a_list(text):
    check(text)
    check(text.encode("utf-8", "replace"))
    check(text.encode("utf-16", "replace"))
    check(text.encode("cp1252", "replace"))


@given(st.lists(st.tuples(st.integers(0, len(BOOK) - 1), st.integers(0, 255)), max_size=12))
def test_any_damage_to_a_workbook(changes):
    data = bytearray(BOOK)
    for place, byte in changes:
        data[place] = byte
    check(bytes(data))


@given(st.sampled_from(PARTS), st.data())
def test_any_damage_inside_a_workbook(name, data):
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as good, zipfile.ZipFile(stream, "w") as bad:
        for part in PARTS:
            content = good.read(part)
            if part == name:
                cut = data.draw(st.integers(0, len(content)))
                end = data.draw(st.integers(cut, len(content)))
                content = content[:cut] + data.draw(st.binary(max_size=30)) + content[end:]
            bad.writestr(part, content)
    check(stream.getvalue())


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["email", "firstname", "lastname", "role", "other"]),
            st.none() | st.text() | st.integers(),
        )
    )
)
def test_any_rows_of_a_form(rows):
    read: PeopleList | None = None
    with contextlib.suppress(ListError):
        read = from_rows(rows)
    if read:
        check_people(read)
