"""What changes courses."""

from courses.services.backups import BackupLost, delete_backup, make_backup, restore_backup
from courses.services.editing import PageChangedMeanwhile, delete_page, move_page, save_page
from courses.services.learning import mark_page, open_course, unmark_page
from courses.services.setup import set_course
from courses.services.space_life import (
    expire_spaces,
    extend_space,
    extend_space_by,
    restore_space,
    withdraw_space,
)
from courses.services.spaces import SpaceOrder, SpaceRefused, SpaceWish, run_open_spaces

__all__ = [
    "BackupLost",
    "PageChangedMeanwhile",
    "SpaceOrder",
    "SpaceRefused",
    "SpaceWish",
    "delete_backup",
    "delete_page",
    "expire_spaces",
    "extend_space",
    "extend_space_by",
    "make_backup",
    "mark_page",
    "move_page",
    "open_course",
    "restore_backup",
    "restore_space",
    "run_open_spaces",
    "save_page",
    "set_course",
    "unmark_page",
    "withdraw_space",
]
