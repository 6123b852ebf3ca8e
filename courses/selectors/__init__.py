"""What reads courses, each in a constant number of queries."""

from courses.selectors.documents import course_documents
from courses.selectors.learning import MyCourse, PageLine, find_page, my_course, my_courses, page_lines
from courses.selectors.logins import course_address, course_login, course_logins
from courses.selectors.matching import course_matches, matching_any, matching_courses, names_match
from courses.selectors.people import group_names, named, visible_people
from courses.selectors.spaces import (
    SpaceLine,
    SpacePlace,
    backups_of,
    learners_coming,
    on_their_way,
    product_events,
    space_documents,
    space_givers,
    space_line,
    space_places,
    spaces_of,
)

__all__ = [
    "MyCourse",
    "PageLine",
    "SpaceLine",
    "SpacePlace",
    "backups_of",
    "course_address",
    "course_documents",
    "course_login",
    "course_logins",
    "course_matches",
    "find_page",
    "group_names",
    "learners_coming",
    "matching_any",
    "matching_courses",
    "my_course",
    "my_courses",
    "named",
    "names_match",
    "on_their_way",
    "page_lines",
    "product_events",
    "space_documents",
    "space_givers",
    "space_line",
    "space_places",
    "spaces_of",
    "visible_people",
]
