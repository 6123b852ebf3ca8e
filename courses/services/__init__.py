"""What changes courses."""

from courses.services.editing import PageChangedMeanwhile, delete_page, move_page, save_page
from courses.services.learning import mark_page, open_course, unmark_page
from courses.services.setup import set_course

__all__ = [
    "PageChangedMeanwhile",
    "delete_page",
    "mark_page",
    "move_page",
    "open_course",
    "save_page",
    "set_course",
    "unmark_page",
]
