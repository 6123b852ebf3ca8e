# Two commands matter: `make demo` and `make test`. Both build .venv from the hashed lock files in
# requirements/ and need nothing but Python 3.11 or newer (with venv) and make. They use DATABASE_URL,
# REDIS_URL and EMAIL_URL when those are set, and need no server when they are not.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
VENV := .venv
PY := $(VENV)/bin/python
MANAGE := $(PY) manage.py
SERVE ?= 1
ADDRESS ?= 127.0.0.1:8000
TEST_WORKERS ?= auto
PYTEST_ARGS ?=

.PHONY: help demo test bench lint format messages compile lock clean
help:
	@echo "make demo      install, load the sample shop, carry one order, serve on http://$(ADDRESS)"
	@echo "               (make demo SERVE=0 stops before serving)"
	@echo "make test      the whole test suite"
	@echo "make bench     the measurements in bench/"
	@echo "make lint      format, lint, types, layers, templates, migrations"
	@echo "make messages  collect new texts into locale/ (needs GNU gettext) and compile them"
	@echo "make lock      write requirements/*.txt anew from pyproject.toml (needs uv)"

# --- environment ----------------------------------------------------------------------------------

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, with its venv module." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# One stamp per lock file: the environment is installed again only when that file has changed.
define install
	@echo "Installing $(1) into $(VENV) ..."
	@if [ -x $(VENV)/bin/uv ]; then uv=$(VENV)/bin/uv; else uv=$$(command -v uv || true); fi; \
	if [ -n "$$uv" ]; then "$$uv" pip install --quiet --python $(PY) --require-hashes -r $(1); \
	else $(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r $(1); fi
endef

$(VENV)/.base: requirements/base.txt | $(PY)
	$(call install,$<)
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(PY)
	$(call install,$<)
	@touch $(VENV)/.base $@

# --- translations: compiled by Babel, so running needs no gettext -----------------------------------

CATALOGUES := $(wildcard locale/*/LC_MESSAGES/*.po)

%.mo: %.po
	@$(PY) -m babel.messages.frontend --quiet compile -i $< -o $@

compile: $(VENV)/.base $(CATALOGUES:.po=.mo)

# --- the two commands -------------------------------------------------------------------------------

demo: compile
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) demo
ifneq ($(SERVE),0)
	@# With a broker somebody must do the work; without one it is done in the web process.
	@if [ -n "$${REDIS_URL:-}" ]; then \
	  $(VENV)/bin/celery -A shopseats worker --beat --schedule var/beat --concurrency 1 --loglevel WARNING & \
	  trap 'kill $$!' EXIT; \
	fi; \
	$(MANAGE) runserver --noreload $(ADDRESS)
endif

test: $(VENV)/.dev compile
	@$(PY) -m pytest -q -n $(TEST_WORKERS) --maxprocesses 8 --dist worksteal $(PYTEST_ARGS)

# --- for developers ---------------------------------------------------------------------------------

bench: $(VENV)/.dev
	@$(PY) -m bench $(BENCH)

lint: $(VENV)/.dev
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy --no-error-summary .
	@$(VENV)/bin/lint-imports --no-logo > var/lint-imports.log || { cat var/lint-imports.log; exit 1; }
	@$(MANAGE) makemigrations --check --dry-run --verbosity 1 | { grep -v '^No changes detected' || true; }

format: $(VENV)/.dev
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --quiet --fix .

messages: $(VENV)/.dev
	@command -v xgettext msgmerge > /dev/null || { echo "GNU gettext is needed to collect texts." >&2; exit 1; }
	@$(MANAGE) makemessages --locale fr --no-obsolete --no-location --ignore .venv --ignore var --verbosity 0
	@$(MAKE) compile

LOCK := pip compile --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet

lock: $(VENV)/.dev
	@uv=$$(command -v $(VENV)/bin/uv uv | head -n 1); test -n "$$uv" || { echo "uv is needed." >&2; exit 1; }; \
	"$$uv" $(LOCK) pyproject.toml -o requirements/base.txt; \
	"$$uv" $(LOCK) pyproject.toml --group dev -c requirements/base.txt -o requirements/dev.txt

clean:
	@rm -rf $(VENV) var .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name '*.mo' -path './locale/*' -delete
