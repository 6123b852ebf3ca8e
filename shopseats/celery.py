"""The Celery application. Without a broker, tasks run in the calling process after the commit."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopseats.settings")

app = Celery("shopseats")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
