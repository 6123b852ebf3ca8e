"""The project: settings, URLs, Celery, health."""

from shopseats.celery import app as celery_app

__all__ = ["celery_app"]
