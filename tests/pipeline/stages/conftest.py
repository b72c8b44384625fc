"""A shop small enough to check by hand: files, a config, loads at chosen moments."""

import gzip
import io
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from pipeline.ingested import Tables
from pipeline.settings import Settings, parse
from pipeline.stages.ingest import check, ingest
from pipeline.stages.ingest_report import IngestReport
from pipeline.workspace import Workspace

ORDERS = {"path": "orders.csv", "columns": {"lead_id": "customer", "order_id": "id", "ordered_at": "day"}}
QUESTION = {"conversion": {"table": "orders"}}


class Shop:
    """Files of a shop in a folder of their own, and the workspace they are read into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables: dict = {"orders": deepcopy(ORDERS)}
        self.ingest_settings: dict = {}
        self.zone = "UTC"

    def write(self, name: str, *lines: str, encoding: str = "utf-8") -> Path:
        """Write a text file, packed where its name ends in .gz."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = ("\n".join(lines) + "\n").encode(encoding)
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        return path

    def settings(self) -> Settings:
        """Return the shop's config."""
        raw = {
            "shop": {"name": "Test", "time_zone": self.zone},
            "tables": self.tables,
            "ingest": self.ingest_settings,
            "question": QUESTION,
        }
        return parse(raw, place=self.folder / "shop.yaml")

    def ingest(self, day: str = "2024-06-01", **options: bool) -> IngestReport:
        """Load at the first moment of *day*."""
        return ingest(self.settings(), now=moment(day), **options)

    def check(self, day: str = "2024-06-01") -> IngestReport:
        """Check at the first moment of *day*."""
        return check(self.settings(), now=moment(day))

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.folder / "workspace")

    def read(self) -> Tables:
        return self.workspace.tables()

    def rows(self, table: str = "orders") -> list[dict]:
        """Return a table's timeline rows of all buckets, leads by name, times as text."""
        found = []
        for bucket in range(self.read().buckets):
            timelines = self.read().timelines(bucket)
            names = dict(
                zip(timelines.leads["lead_no"].to_pylist(), timelines.leads["lead_id"].to_pylist(), strict=True)
            )
            rows = readable(timelines.tables[table]).to_pylist()
            found += [{"lead": names[row.pop("lead_no")], **row} for row in rows]
        return found

    def snapshot_of_files(self) -> dict[str, bytes]:
        """Return every file of the workspace by name, with its content."""
        root = self.folder / "workspace"
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def moment(day: str) -> datetime:
    """Return a moment from its ISO text, UTC where it says nothing else."""
    found = datetime.fromisoformat(day)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def readable(table: pa.Table) -> pa.Table:
    """Return *table* with its times as short text."""
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            texts = [None if v is None else v.strftime("%Y-%m-%d %H:%M") for v in table[field.name].to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a shop with two customers and three orders."""
    made = Shop(tmp_path)
    made.write(
        "orders.csv",
        "id,customer,day,amount",
        "1,Ann,2024-05-01 10:00:00,10.50",
        "2,Bob,2024-05-02 11:00:00,20",
        "3,Ann,2024-05-03 12:00:00,0.1",
    )
    return made


@pytest.fixture
def console_text():
    """Return a function that gives what people read of a report."""

    def read(render, report) -> str:
        console = Console(file=io.StringIO(), width=200)
        render(console, report)
        return console.file.getvalue()

    return read
