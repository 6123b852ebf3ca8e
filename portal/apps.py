"""Pages over several apps."""

from importlib import import_module

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        # Mails need the models of several apps, which are loaded by now only.
        import_module("portal.mails").register()
