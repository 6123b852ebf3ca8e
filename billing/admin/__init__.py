"""The back office's pages on orders and deliveries."""

from billing.admin.bills import BillAdmin
from billing.admin.runs import ProductionRunAdmin

__all__ = ["BillAdmin", "ProductionRunAdmin"]
