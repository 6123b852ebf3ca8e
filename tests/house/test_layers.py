"""Imports and foreign keys only point down the layers."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.house.house import LAYERS, ROOT, assert_none


def test_imports_only_point_down_the_layers():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_foreign_keys_only_point_down_the_layers():
    floor = {app: len(LAYERS) - index for index, app in enumerate(LAYERS)}
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in floor
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model
        if floor.get(field.related_model._meta.app_label, 0) > floor[model._meta.app_label]
    ]
    assert_none(upward)


def test_every_app_is_installed_under_its_own_name():
    labels = {config.label for config in apps.get_app_configs()}
    without_tables = {"shopseats", "handlers"}
    assert set(LAYERS) - without_tables <= labels


@pytest.mark.django_db
def test_no_migration_is_missing(capsys):
    try:
        call_command("makemigrations", check_changes=True, dry_run=True)
    except SystemExit:
        pytest.fail(capsys.readouterr().out)
