"""Addresses of the cart, the checkout and the orders."""

from django.urls import path

from billing.views import cart, checkout, purchases

app_name = "billing"
urlpatterns = [
    path("buy/<str:code>", cart.buy, name="buy"),
    path("buy/<str:code>/", cart.buy),
    path("cart/", cart.cart, name="cart"),
    path("cart/remove/", cart.remove, name="cart_remove"),
    path("cart/restore/", cart.restore, name="cart_restore"),
    path("checkout/", checkout.start, name="checkout"),
    path("checkout/<slug:code>/", checkout.step, name="checkout_step"),
    path("purchases/", purchases.purchases, name="purchases"),
    path("purchases/<str:number>/", purchases.order, name="bill"),
    path("purchases/<str:number>/pay/", purchases.pay, name="bill_pay"),
]
