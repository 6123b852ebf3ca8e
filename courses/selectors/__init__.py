"""What reads courses, each in a constant number of queries."""

from courses.selectors.matching import course_matches, matching_any, matching_courses, names_match

__all__ = ["course_matches", "matching_any", "matching_courses", "names_match"]
