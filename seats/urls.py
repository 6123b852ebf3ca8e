from django.urls import URLPattern, URLResolver

app_name = "seats"
urlpatterns: list[URLPattern | URLResolver] = []
