from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HelloLetterConfig(AppConfig):
    name = "helloletter"
    verbose_name = _("Welcome letters")
    default_auto_field = "django.db.models.BigAutoField"
