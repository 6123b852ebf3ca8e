from django.urls import URLPattern, URLResolver, path

from portal.views import doors, learn, learn_edit, people

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("start/", doors.start, name="start"),
    path("password/", doors.own_password, name="choose_password"),
    path("invitation/<str:token>/", doors.invitation, name="invitation"),
    path("invitation/<str:token>/renew/", doors.renew, name="invitation_renew"),
    path("people/", people.people, name="people"),
    path("people/<int:person_id>/", people.person, name="person"),
    path("people/<int:person_id>/name/", people.rename, name="person_name"),
    path("people/<int:person_id>/end/", people.end, name="person_end"),
    path("answering/", people.answering, name="answering"),
    path("answering/<int:account_id>/end/", people.end_answering, name="answering_end"),
    path("learn/", learn.courses, name="my_courses"),
    path("learn/<path:shortname>/pages/", learn_edit.pages, name="pages"),
    path("learn/<path:shortname>/pages/new/", learn_edit.new_page, name="new_page"),
    path("learn/<path:shortname>/<int:page_id>/", learn.page, name="page"),
    path("learn/<path:shortname>/<int:page_id>/mark/", learn.mark, name="mark_page"),
    path("learn/<path:shortname>/<int:page_id>/edit/", learn_edit.edit_page, name="edit_page"),
    path("learn/<path:shortname>/<int:page_id>/move/", learn_edit.move, name="move_page"),
    path("learn/<path:shortname>/<int:page_id>/delete/", learn_edit.delete, name="delete_page"),
    path("learn/<path:shortname>/", learn.course, name="course"),
]
