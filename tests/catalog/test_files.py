"""Uploads of the shop admin."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf import PdfWriter

from catalog.files import check_leaflet, clean_image


def picture(size=(2000, 1000), kind="PNG"):
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, kind)
    return out.getvalue()


def pdf():
    out = BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(out)
    return out.getvalue()


def test_an_image_is_re_encoded_under_a_random_name_and_at_most_1600_pixels_wide():
    clean = clean_image(SimpleUploadedFile("../../evil.png", picture() + b"<script>"))
    assert clean.name is not None
    assert clean.name.endswith(".webp")
    assert "evil" not in clean.name
    with Image.open(clean) as read:
        assert read.size == (1600, 800)
    clean.seek(0)
    assert b"<script>" not in clean.read()


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"GIF89a", picture()[:100]]
)
def test_what_is_not_a_picture_is_refused(content):
    with pytest.raises(ValidationError):
        clean_image(SimpleUploadedFile("picture.png", content))


def test_a_pdf_is_taken_under_a_random_name():
    upload = SimpleUploadedFile("brochure.pdf", pdf())
    check_leaflet(upload)
    assert upload.name is not None
    assert upload.name.endswith(".pdf")
    assert upload.name != "brochure.pdf"


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 not really", b"MZ\x90", picture()])
def test_what_is_not_a_pdf_is_refused(content):
    with pytest.raises(ValidationError):
        check_leaflet(SimpleUploadedFile("brochure.pdf", content))
