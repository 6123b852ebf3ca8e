"""The shop admin's pages: seller, categories, items."""

from catalog.admin.items import CatalogItemAdmin
from catalog.admin.shop import CategoryAdmin, SellerAdmin

__all__ = ["CatalogItemAdmin", "CategoryAdmin", "SellerAdmin"]
