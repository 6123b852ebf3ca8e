"""Celery tasks of `billing`: each calls one service and does nothing else."""

from celery import shared_task

from billing import production, sweeper


@shared_task(name="billing.run")
def run(run_id: int) -> None:
    production.run(run_id)


@shared_task(name="billing.sweep")
def sweep() -> None:
    sweeper.sweep()
