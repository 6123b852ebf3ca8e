"""Files: uploads that everybody may fetch, and private ones that only a page of ours hands out."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from django.views.static import serve


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """An upload: re-encoded or checked when it came, under a name nobody can guess.

    A name never gets other content, so browsers may keep it.
    """
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    response.headers["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, private=True, max_age=31_536_000, immutable=True)
    return response


def private_storage() -> Storage:
    """Where files lie that no address leads to, such as backups; a view checks who asks and reads them itself."""
    return storages["private"]
