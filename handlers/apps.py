from importlib import import_module

from django.apps import AppConfig


class HandlersConfig(AppConfig):
    name = "handlers"

    def ready(self) -> None:
        # Registers the system checks; it needs the models of the apps below, which are loaded by now.
        import_module("handlers.checks")
