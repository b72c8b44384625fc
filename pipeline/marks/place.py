"""Which database a shop's marks lie in."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sqlalchemy import URL

from pipeline.databases import file_at, own_address
from pipeline.marks.store import DATABASE_SETTING, Marks
from pipeline.settings import Settings

DATABASE = "LEADLIGHT_APP_DATABASE"


def marks_of(settings: Settings, environment: Mapping[str, str] | None = None) -> Marks:
    """Return the marks of a shop: those of the environment's database, else the config's, else the workspace's.

    Args:
        settings: The shop's config.
        environment: Where ``LEADLIGHT_APP_DATABASE`` is looked up; None = the process's own.

    Raises:
        LeadlightError: No database can be opened there.
    """
    return Marks(marks_address(settings, environment))


def marks_address(settings: Settings, environment: Mapping[str, str] | None = None) -> URL:
    """Return where the marks of a shop lie; see `marks_of`."""
    named = (os.environ if environment is None else environment).get(DATABASE, "") or settings.app.database
    if not named:
        return file_at(settings.shop.workspace.resolve() / "app.db")
    return own_address(named, setting=DATABASE_SETTING, folder=settings.folder)
