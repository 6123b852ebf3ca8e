"""What changes courses."""

from courses.services.backups import BackupLost, delete_backup, make_backup, restore_backup
from courses.services.editing import PageChangedMeanwhile, delete_page, move_page, save_page
from courses.services.learning import mark_page, open_course, unmark_page
from courses.services.setup import set_course
from courses.services.space_life import (
    expire_spaces,
    extend_space,
    extend_space_by,
    hold_space_later,
    restore_space,
    withdraw_space,
)
from courses.services.spaces import SpaceOrder, SpaceRefused, SpaceWish, run_open_spaces
from courses.services.syncing import Synced, SyncFinding, request_sync, run_sync_courses

__all__ = [
    "BackupLost",
    "PageChangedMeanwhile",
    "SpaceOrder",
    "SpaceRefused",
    "SpaceWish",
    "SyncFinding",
    "Synced",
    "delete_backup",
    "delete_page",
    "expire_spaces",
    "extend_space",
    "extend_space_by",
    "hold_space_later",
    "make_backup",
    "mark_page",
    "move_page",
    "open_course",
    "request_sync",
    "restore_backup",
    "restore_space",
    "run_open_spaces",
    "run_sync_courses",
    "save_page",
    "set_course",
    "unmark_page",
    "withdraw_space",
]
