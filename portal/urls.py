from django.urls import URLPattern, URLResolver, path

from portal.views import backups, doors, learn, learn_edit, passwords, people, space_people, spaces

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("start/", doors.start, name="start"),
    path("password/", doors.own_password, name="choose_password"),
    path("invitation/<str:token>/", doors.invitation, name="invitation"),
    path("invitation/<str:token>/renew/", doors.renew, name="invitation_renew"),
    path("courses/password/", passwords.course_password, name="course_password"),
    path("courses/password/set/", passwords.course_password_set, name="course_password_set"),
    path("people/", people.people, name="people"),
    path("people/<int:person_id>/", people.person, name="person"),
    path("people/<int:person_id>/name/", people.rename, name="person_name"),
    path("people/<int:person_id>/end/", people.end, name="person_end"),
    path("answering/", people.answering, name="answering"),
    path("answering/<int:account_id>/end/", people.end_answering, name="answering_end"),
    path("learn/", learn.courses, name="my_courses"),
    path("learn/<path:shortname>/pages/", learn_edit.pages, name="pages"),
    path("learn/<path:shortname>/pages/new/", learn_edit.new_page, name="new_page"),
    path("learn/<path:shortname>/backups/", backups.course_backups, name="backups"),
    path("learn/<path:shortname>/backups/<int:backup_id>/", backups.course_backup, name="backup"),
    path("learn/<path:shortname>/<int:page_id>/", learn.page, name="page"),
    path("learn/<path:shortname>/<int:page_id>/mark/", learn.mark, name="mark_page"),
    path("learn/<path:shortname>/<int:page_id>/edit/", learn_edit.edit_page, name="edit_page"),
    path("learn/<path:shortname>/<int:page_id>/move/", learn_edit.move, name="move_page"),
    path("learn/<path:shortname>/<int:page_id>/delete/", learn_edit.delete, name="delete_page"),
    path("learn/<path:shortname>/", learn.course, name="course"),
    path("spaces/<slug:reference>/", spaces.space, name="space"),
    path("spaces/<slug:reference>/way/", spaces.under_way, name="space_way"),
    path("spaces/<slug:reference>/people/", space_people.add, name="space_add"),
    path("spaces/<slug:reference>/people/<int:person_id>/out/", space_people.remove, name="space_out"),
    path("spaces/<slug:reference>/people/<int:person_id>/in/", space_people.readmit, name="space_in"),
    path("spaces/<slug:reference>/backups/", spaces.back_up, name="space_backups"),
    path("spaces/<slug:reference>/backups/<int:backup_id>/", spaces.backup, name="space_backup"),
    path("spaces/<slug:reference>/backups/<int:backup_id>/restore/", spaces.restore, name="space_restore"),
    path(
        "spaces/<slug:reference>/backups/<int:backup_id>/delete/",
        spaces.forget_backup,
        name="space_delete_backup",
    ),
]
