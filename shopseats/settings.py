"""Settings, read from the environment only. The README lists every variable."""

import secrets
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

# Lets classes such as ModelForm carry the type arguments that mypy checks.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Everything the running product writes lies here: database, mails, uploads, key.
VAR_DIR = Path(env("SHOPSEATS_VAR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _secret_key() -> str:
    """The key from the environment, or one made at the first start and kept in the var directory."""
    given: str = env("SHOPSEATS_SECRET_KEY", default="")
    if given:
        return given
    path = VAR_DIR / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


SECRET_KEY = _secret_key()
DEBUG = env.bool("SHOPSEATS_DEBUG", default=False)
SHOPSEATS_URL = env("SHOPSEATS_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("SHOPSEATS_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SHOPSEATS_URL]
HTTPS = SHOPSEATS_URL.startswith("https://")

SHOPSEATS_TIME_ZONE = env("SHOPSEATS_TIME_ZONE", default="Europe/Paris")
SHOPSEATS_CREDENTIALS = env("SHOPSEATS_CREDENTIALS", default="link")  # link | password
SHOPSEATS_MAIL = env("SHOPSEATS_MAIL", default="send")  # send | hold
SHOPSEATS_TEST_CARD = env.bool("SHOPSEATS_TEST_CARD", default=False)
SHOPSEATS_RUN_LEASE = env.int("SHOPSEATS_RUN_LEASE", default=300)  # seconds
SHOPSEATS_INVITATION_DAYS = env.int("SHOPSEATS_INVITATION_DAYS", default=30)
COURSE_PLATFORM = env("COURSE_PLATFORM", default="builtin")
# The one outbound client speaks plain http, and to private addresses, with these hosts only.
SHOPSEATS_PRIVATE_HOSTS = [host.strip().lower() for host in env.list("SHOPSEATS_PRIVATE_HOSTS", default=[])]

# Read as text: courses/checks.py says what is wrong with them.
MOODLE_URL = env("MOODLE_URL", default="").rstrip("/")
MOODLE_TOKEN = env("MOODLE_TOKEN", default="")
MOODLE_ROLES = env("MOODLE_ROLES", default="")  # student:5,teacher:4
MOODLE_OVERSIGHT_ROLE = env("MOODLE_OVERSIGHT_ROLE", default="")
MOODLE_TIMEOUT = env.int("MOODLE_TIMEOUT", default=60)  # seconds

INSTALLED_APPS = [
    "common",
    "accounts",
    "courses",
    "delegation",
    "seats",
    "handlers",
    "catalog",
    "billing",
    "portal",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    # Packages that bring handlers: docs/write-a-handler.md.
    *env.list("SHOPSEATS_APPS", default=[]),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.ChoosePasswordMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "shopseats.urls"
WSGI_APPLICATION = "shopseats.wsgi.application"
FORM_RENDERER = "common.forms.DesignRenderer"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.identity",
                "catalog.context.seller",
                "billing.context.cart",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'shopseats.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at BEGIN, which is what select_for_update does on PostgreSQL.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("SHOPSEATS_DB_MAX_AGE", default=120)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: cache, sessions, queue ---------------------------------------------------------

REDIS_URL = env("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
else:
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "shopseats"}
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_TASK_ALWAYS_EAGER = not REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A web request must not wait for a broker that is away: rows hold the work, the sweeper finds it.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    # Of one publication; workers have their own setting and go on trying.
    "max_retries": 0,
    "socket_timeout": 30,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "billing.sweep", "schedule": 60.0},
    "expire": {"task": "seats.expire", "schedule": 3600.0},
    "tell_endings": {"task": "seats.tell_endings", "schedule": crontab(hour=6, minute=0)},
    "report_credits": {"task": "billing.report_credits", "schedule": 3600.0},
    "sync_courses": {"task": "courses.sync", "schedule": 900.0},
    "note_openings": {"task": "seats.note_openings", "schedule": 900.0},
    "note_space_openings": {"task": "portal.note_space_openings", "schedule": 900.0},
}

# --- People ------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.Person"
# Uniqueness is that of `email_key`, the normalised address; `email` keeps what was typed.
# W005 and W021: subdomains and preload lists are for the owner of the domain to decide.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W005", "security.W021"]
AUTHENTICATION_BACKENDS = ["accounts.backends.EmailBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:start"
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds
# How many proxies of ours stand in front: rate limits count the address that the outermost one saw.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("SHOPSEATS_PROXIES", default=0)
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGIN_TIMEOUT = 24 * 3600  # a sign-up waits that long for its address to be confirmed
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.signing.LoginForm",
    "signup": "accounts.forms.signing.SignupForm",
    "reset_password": "accounts.forms.signing.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.signing.ResetPasswordKeyForm",
    "change_password": "accounts.forms.signing.ChangePasswordForm",
}
# Per address of the visitor (ip), and per e-mail address (key).
ACCOUNT_RATE_LIMITS = {
    "signup": "20/m/ip",
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/180s/key",
    # A class comes in at nine, all from one address.
    "request_login_code": "30/m/ip,5/m/key,20/h/key",
    "use_login_code": "30/m/ip",
    "change_password": "5/m/user",
}

# --- Mail ----------------------------------------------------------------------------------

if env("EMAIL_URL", default=""):
    _email: dict[str, Any] = env.email_url("EMAIL_URL")
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    EMAIL_HOST = _email["EMAIL_HOST"]
    EMAIL_PORT = _email["EMAIL_PORT"]
    EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
    EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("SHOPSEATS_FROM_EMAIL", default="shopseats@localhost")

# --- Languages and zone ----------------------------------------------------------------------

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = SHOPSEATS_TIME_ZONE
USE_TZ = True

# --- Files -------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns at each start when it is missing
MEDIA_URL = "media/"
MEDIA_ROOT = VAR_DIR / "media"
_collected = (STATIC_ROOT / "staticfiles.json").exists() and not DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Served by no address: backups of courses.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR_DIR / "private"), "file_permissions_mode": 0o600},
    },
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if _collected
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not _collected
WHITENOISE_ROOT = None

# --- Safety --------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("SHOPSEATS_LOG_LEVEL", default="WARNING")},
}
