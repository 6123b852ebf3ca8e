"""The floor that pages are measured against: a bare Django view that lists 30 rows with 2 queries.

Two tables, a prefetch, template inheritance, the middleware of a new project. Served by
`gunicorn bench.floor:application` with DATABASE_URL.
"""

from __future__ import annotations

import os
import secrets

import environ
from django.conf import settings
from django.core.wsgi import get_wsgi_application

if not settings.configured:
    settings.configure(
        SECRET_KEY=secrets.token_hex(),
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="bench.floor_urls",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ],
                    "loaders": [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                (
                                    "django.template.loaders.locmem.Loader",
                                    {
                                        "base.html": (
                                            "<!doctype html><html lang='en'><head><title>{% block title %}{% endblock %}"
                                            "</title></head><body>{% block content %}{% endblock %}</body></html>"
                                        ),
                                        "list.html": (
                                            "{% extends 'base.html' %}{% block title %}Items{% endblock %}"
                                            "{% block content %}<h1>Items</h1><ul>{% for item in items %}<li>"
                                            "<h2>{{ item.name }}</h2><p>{{ item.text }}</p><ul>"
                                            "{% for price in item.prices.all %}<li>{{ price.up_to }}: {{ price.amount }}"
                                            "</li>{% endfor %}</ul></li>{% endfor %}</ul>{% endblock %}"
                                        ),
                                    },
                                )
                            ],
                        )
                    ],
                },
            }
        ],
        DATABASES={"default": environ.Env().db("DATABASE_URL") | {"CONN_MAX_AGE": 120}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.floor")

application = get_wsgi_application()
