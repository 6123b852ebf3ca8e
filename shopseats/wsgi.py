"""Entry point of the web server: `gunicorn shopseats.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopseats.settings")

application = get_wsgi_application()
