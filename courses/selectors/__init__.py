"""What reads courses, each in a constant number of queries."""

from courses.selectors.documents import course_documents
from courses.selectors.learning import MyCourse, PageLine, find_page, my_course, my_courses, page_lines
from courses.selectors.matching import course_matches, matching_any, matching_courses, names_match
from courses.selectors.people import group_names, named, visible_people

__all__ = [
    "MyCourse",
    "PageLine",
    "course_documents",
    "course_matches",
    "find_page",
    "group_names",
    "matching_any",
    "matching_courses",
    "my_course",
    "my_courses",
    "named",
    "names_match",
    "page_lines",
    "visible_people",
]
