"""What reads orders, each with a constant number of queries."""

from billing.selectors.documents import bill_document, mail_documents, run_documents
from billing.selectors.figures import Figures, figures, with_figures
from billing.selectors.pages import BillPage, LineView, PurchaseRow, bill_page, line_seats, purchases
from billing.selectors.watch import PlatformHealth, Watch, platform_health, watch

__all__ = [
    "BillPage",
    "Figures",
    "LineView",
    "PlatformHealth",
    "PurchaseRow",
    "Watch",
    "bill_document",
    "bill_page",
    "figures",
    "line_seats",
    "mail_documents",
    "platform_health",
    "purchases",
    "run_documents",
    "watch",
    "with_figures",
]
