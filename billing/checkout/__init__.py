"""The way from cart to order: whose cart it is, and the steps of checkout."""
