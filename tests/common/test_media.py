"""Uploaded files are served as what they are, and nothing else is."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    (tmp_path / "secret_key").write_text("secret")
    (settings.MEDIA_ROOT / "courses").mkdir()
    (settings.MEDIA_ROOT / "courses" / "x.webp").write_bytes(b"RIFF")
    return settings.MEDIA_ROOT


def test_an_upload_is_served_without_sniffing(client, root):
    response = client.get("/media/courses/x.webp")
    assert b"".join(response.streaming_content) == b"RIFF"
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in response.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    ["", "courses", "courses/", "courses/y.webp", "../secret_key", "%2e%2e/secret_key", "courses/%00", "//x"],
)
def test_nothing_else_is_served(client, root, path):
    assert client.get(f"/media/{path}").status_code == (400 if "secret_key" in path else 404)


def test_uploads_are_only_read(client, root):
    assert client.post("/media/courses/x.webp").status_code == 405
