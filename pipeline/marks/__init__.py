"""Marks that people make on leads: hold, contacted, and their withdrawal; who made them and when.

marks = marks_of(settings)         the database: SQLite in the workspace, or another by URL
marks.hold(lead_id, …)             leave it alone until a day; its owner looks after it
marks.contacted(lead_id, …)        somebody called or wrote
marks.withdraw(mark_id, …)         a row of its own: nothing is ever deleted or changed
marks.held(moment)                 who is held at a moment, for the next run of scores
"""

from pipeline.marks.place import marks_of
from pipeline.marks.rows import CONTACTED
from pipeline.marks.store import Mark, Marks, hold_of

__all__ = ["CONTACTED", "Mark", "Marks", "hold_of", "marks_of"]
