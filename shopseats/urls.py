"""Every address of the product, by app."""

from django.contrib import admin
from django.urls import include, path

from common.media import media
from shopseats.health import health

urlpatterns = [
    path("health/", health, name="health"),
    path("media/<path:path>", media, name="media"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("sign/", include("accounts.urls.sign")),
    path("", include("accounts.urls")),
    path("", include("seats.urls")),
    path("", include("billing.urls")),
    path("", include("portal.urls")),
    path("", include("catalog.urls")),
]
