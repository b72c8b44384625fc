"""Marks that people make on leads: hold, contacted, and their withdrawal; who made them and when.

marks = Marks(url)                 the database: SQLite in the workspace, or another by URL
marks.override(lead_id, …)         leave a lead alone until a day, give it an owner, …
marks.contacted(lead_id, …)        somebody called or wrote
marks.withdraw(mark_id, …)         a row of its own: nothing is ever deleted or changed
marks.active(moment)               what holds at a moment, for the next run of scores
"""

from pipeline.marks.place import marks_of
from pipeline.marks.store import Mark, Marks

__all__ = ["Mark", "Marks", "marks_of"]
