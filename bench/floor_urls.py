"""Tables and view of the floor."""

from __future__ import annotations

from typing import ClassVar

from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

ROWS = 30


class Item(models.Model):
    objects: ClassVar[models.Manager[Item]] = models.Manager()
    name = models.CharField(max_length=200)
    text = models.TextField()

    class Meta:
        app_label = "floor"
        db_table = "bench_floor_item"

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    objects: ClassVar[models.Manager[Price]] = models.Manager()
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="prices")
    up_to = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=9, decimal_places=2)

    class Meta:
        app_label = "floor"
        db_table = "bench_floor_price"

    def __str__(self) -> str:
        return f"{self.up_to}: {self.amount}"


def listing(request: HttpRequest) -> HttpResponse:
    """30 rows, 2 queries."""
    return render(
        request, "list.html", {"items": Item.objects.prefetch_related("prices").order_by("id")[:ROWS]}
    )


def make_tables() -> None:
    """Create and fill the two tables in the current database."""
    with connection.schema_editor() as editor:
        editor.create_model(Item)
        editor.create_model(Price)
    text = "A sentence about what this is good for, as long as such sentences are. " * 2
    items = Item.objects.bulk_create(Item(name=f"Item number {n}", text=text) for n in range(ROWS))
    Price.objects.bulk_create(Price(item=item, up_to=n, amount=n) for item in items for n in (9, 49))


urlpatterns = [path("", listing)]
