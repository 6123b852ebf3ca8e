"""The lock under which seats are taken, freed, withdrawn and expired."""

from __future__ import annotations

from django.db.models import F

from accounts.models import CustomerAccount


def lock_account(account_id: int) -> CustomerAccount:
    """Lock the account's row for the current transaction, first of all rows but a bill's (DESIGN section 4).

    `no_key`: rows that refer to the account may still be inserted by others. Raises CustomerAccount.DoesNotExist.
    """
    return CustomerAccount.objects.select_for_update(no_key=True).get(pk=account_id)


def touch_account(account_id: int) -> None:
    """Say that what the account holds has changed: figures cached under the old stamp are void."""
    CustomerAccount.objects.filter(pk=account_id).update(stamp=F("stamp") + 1)
