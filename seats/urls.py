"""Addresses of My seats and My products."""

from django.urls import path

from seats.views import changes, give, lists, overview, products, seat

app_name = "seats"
urlpatterns = [
    path("seats/", overview.my, name="my"),
    path("seats/all/", overview.every, name="all"),
    path("seats/all.csv", products.export, name="export"),
    path("seats/changes/", changes.of_account, name="changes"),
    path("seats/give/", give.give, name="give"),
    path("seats/give/list.csv", give.template_csv, name="template_csv"),
    path("seats/give/list.xlsx", give.template_xlsx, name="template_xlsx"),
    path("seats/lists/<int:pk>/", lists.show, name="list"),
    path("seats/lists/<int:pk>/progress/", lists.progress, name="list_progress"),
    path("seats/lists/<int:pk>/pool/", lists.pool, name="list_pool"),
    path("seats/lists/<int:pk>/correct/", lists.correct, name="list_correct"),
    path("seats/lists/<int:pk>/apply/", lists.apply, name="list_apply"),
    path("seats/lists/<int:pk>/discard/", lists.discard, name="list_discard"),
    path("seats/lists/<int:pk>/refused.csv", lists.refused, name="list_refused"),
    path("seats/<slug:reference>/", seat.seat, name="seat"),
    path("seats/<slug:reference>/change/", changes.of_seat, name="seat_change"),
    path("seats/<slug:reference>/release/", seat.release, name="seat_release"),
    path("seats/<slug:reference>/again/", seat.again, name="seat_again"),
    path("seats/<slug:reference>/replace/", seat.replace, name="seat_replace"),
    path("seats/<slug:reference>/correct/", seat.correct, name="seat_correct"),
    path("seats/<slug:reference>/resend/", seat.resend, name="seat_resend"),
    path("products/", products.products, name="products"),
]
