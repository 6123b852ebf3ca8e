"""Celery tasks of `billing`: each calls one service and does nothing else."""

from celery import shared_task
from django.utils import timezone

from billing import production, sweeper
from billing.services.credits import report_credits


@shared_task(name="billing.run")
def run(run_id: int) -> None:
    production.run(run_id)


@shared_task(name="billing.sweep")
def sweep() -> None:
    sweeper.sweep()


@shared_task(name="billing.report_credits")
def tell_credits() -> None:
    report_credits(now=timezone.now())
