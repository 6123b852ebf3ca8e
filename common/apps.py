from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CommonConfig(AppConfig):
    name = "common"

    def ready(self) -> None:
        # Tasks are woken by name, so every process must know them, not only workers.
        autodiscover_modules("tasks")
