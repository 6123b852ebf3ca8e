from django.urls import path

from catalog.views import store

app_name = "catalog"
urlpatterns = [
    path("", store.home, name="home"),
    path("category/<slug:slug>/", store.category, name="category"),
    path("items/<str:code>/", store.item, name="item"),
    path("search/", store.search, name="search"),
]
