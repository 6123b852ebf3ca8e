"""Uploads of the shop admin: images are re-encoded, leaflets must be PDF, names are random."""

from __future__ import annotations

import secrets
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError
from pypdf import PdfReader
from pypdf.errors import PyPdfError

MAX_IMAGE_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 1600
MAX_LEAFLET_BYTES = 20 * 1024 * 1024


def clean_image(upload: UploadedFile[Any]) -> ContentFile[bytes]:
    """The picture re-encoded as WebP under a random name: metadata and anything hidden in the file are gone.

    Raises ValidationError for what is not a picture (SVG is not), or is too large.
    """
    if (upload.size or 0) > MAX_IMAGE_BYTES:
        raise ValidationError(_("This image is larger than 10 MB."))
    try:
        upload.seek(0)
        with Image.open(upload, formats=["JPEG", "PNG", "WEBP", "GIF"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValidationError(_("This image has too many pixels."))
            picture.thumbnail((MAX_SIDE, MAX_SIDE))
            clean: Any = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, ValueError):
        raise ValidationError(_("This is not an image we can read: use JPEG, PNG, WebP or GIF.")) from None
    out = BytesIO()
    clean.save(out, "WEBP", quality=85)
    return ContentFile(out.getvalue(), name=f"{secrets.token_urlsafe(12)}.webp")


def check_leaflet(upload: UploadedFile[Any]) -> None:
    """Refuse what is not a readable PDF, or is too large; give it a random name. Raises ValidationError."""
    if (upload.size or 0) > MAX_LEAFLET_BYTES:
        raise ValidationError(_("This leaflet is larger than 20 MB."))
    not_pdf = _("This is not a PDF file.")
    upload.seek(0)
    if upload.read(5) != b"%PDF-":
        raise ValidationError(not_pdf)
    upload.seek(0)
    try:
        pages = len(PdfReader(upload).pages)
    except (PyPdfError, ValueError, OSError, RecursionError):
        raise ValidationError(not_pdf) from None
    if not pages:
        raise ValidationError(not_pdf)
    upload.seek(0)
    upload.name = f"{secrets.token_urlsafe(12)}.pdf"
