"""What changes courses."""

from courses.services.learning import mark_page, open_course, unmark_page

__all__ = ["mark_page", "open_course", "unmark_page"]
