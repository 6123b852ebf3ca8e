"""Pages about organisations, their teams and oneself."""

from django.urls import path

from accounts.views import organisations, team

app_name = "accounts"
urlpatterns = [
    path("organisation/", organisations.create, name="create"),
    path("switch/", organisations.switch, name="switch"),
    path("settings/", organisations.settings_page, name="settings"),
    path("profile/", organisations.profile, name="profile"),
    path("team/", team.team, name="team"),
    path("team/<int:pk>/role/", team.role, name="member_role"),
    path("team/<int:pk>/remove/", team.remove, name="member_remove"),
    path("team/<int:pk>/write/", team.write, name="member_write"),
]
