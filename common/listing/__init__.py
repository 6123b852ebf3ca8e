"""Reading lists of people: a file, a paste or the rows of a form become the same rows, with what is wrong in each."""

from common.listing.reading import MAX_BYTES, MAX_ROWS, from_rows, read_list
from common.listing.shapes import ListError, PeopleList, PersonEntry, Problem

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "ListError",
    "PeopleList",
    "PersonEntry",
    "Problem",
    "from_rows",
    "read_list",
]
