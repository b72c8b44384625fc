"""A CRM that tells changes and does nothing else: a list of what people did, read in pages of any size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.crm.promise import Changes, Record


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Telling:
    """Records in the order in which they changed; the cursor is the place in that list.

    Attributes:
        records: What people did, oldest first.
        sizes: How many records each page has; the last one counts for all behind it.
        overlap: How many records of before the cursor come again.
        pages_until_killed: Pages given before the process is gone; negative = it lives.
        meanwhile: Called before each page.
    """

    records: list[Record] = field(default_factory=list)
    sizes: Sequence[int] = (2,)
    overlap: int = 0
    pages_until_killed: int = -1
    meanwhile: Callable[[], None] = lambda: None
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def tell(self, key: str, changed_at: datetime | None = None, **fields: str | None) -> None:
        """Let a person change a record."""
        self.records.append(Record(key, fields, changed_at))

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return the next page."""
        if self.pages_until_killed == 0:
            raise Killed
        self.pages_until_killed -= 1
        self.meanwhile()
        self.asked.append((cursor, tuple(names)))
        begin = int(cursor or 0)
        size = self.sizes[min(len(self.asked) - 1, len(self.sizes) - 1)]
        end = min(begin + max(size, 1), len(self.records))
        given = [
            Record(one.key, {name: one.fields.get(name) for name in names if name in one.fields}, one.changed_at)
            for one in self.records[max(begin - self.overlap, 0) : end]
        ]
        return Changes(given, str(end), is_more=end < len(self.records))
