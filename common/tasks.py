"""Celery tasks of `common`: each calls one service and does nothing else."""

from celery import shared_task

from common import jobs, outbox


@shared_task(name="common.send_due_mails")
def send_due_mails() -> None:
    outbox.deliver_due()


@shared_task(name="common.run_job")
def run_job(pk: int) -> None:
    jobs.run(pk)
