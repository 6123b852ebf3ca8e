"""Addresses of the cart, the checkout and the orders."""

from django.urls import path

from billing.views import cart, checkout, operations, purchases

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
    path("operations/", operations.jobs, name="operations"),
    path("operations/deliveries/", operations.deliveries, name="operations_deliveries"),
    path("operations/mails/", operations.mails, name="operations_mails"),
    path("operations/try/", operations.try_platform, name="operations_try"),
    path("operations/<int:pk>/again/", operations.job_again, name="job_again"),
    path("operations/deliveries/<int:pk>/again/", operations.delivery_again, name="delivery_again"),
    path("operations/mails/<int:pk>/again/", operations.mail_again, name="mail_again"),
]
