"""A table of leads small enough to check by hand: a file, a config, loads at chosen moments."""

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.lead_table.data import LeadTable
from pipeline.lead_table.kept import KeptLeads
from pipeline.settings import Settings, parse
from pipeline.stages.ingest import check, ingest
from pipeline.stages.ingest_report import IngestReport
from pipeline.workspace import Workspace

TABLE = {
    "path": "leads.csv",
    "lead_id": "id",
    "date": "created",
    "label": {"column": "won"},
    "attributes": {"source": "text", "employees": "number"},
}


class Leads:
    """A CRM's export in a folder of its own, and the workspace it is read into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table: dict = deepcopy(TABLE)
        self.more: dict = {}

    def write(self, *lines: str, name: str = "leads.csv", encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    def settings(self) -> Settings:
        raw = {"shop": {"name": "Test"}, "lead_table": self.table, **self.more}
        return parse(raw, place=self.folder / "leads.yaml")

    def ingest(self, day: str = "2024-06-01", **options: bool) -> IngestReport:
        return ingest(self.settings(), now=moment(day), **options)

    def check(self, day: str = "2024-06-01") -> IngestReport:
        return check(self.settings(), now=moment(day))

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.folder / "workspace")

    def data(self) -> LeadTable:
        return LeadTable(self.settings())

    def kept(self) -> list[dict]:
        """Return the kept leads by place, with short names."""
        folder = KeptLeads(*self.workspace.lead_table()).folder
        rows = pq.read_table(folder / "leads.parquet").to_pylist()
        return [{name.removeprefix("attribute/"): value for name, value in row.items()} for row in rows]

    def snapshot_of_files(self) -> dict[str, bytes]:
        root = self.folder / "workspace"
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def moment(day: str) -> datetime:
    """Return the first moment of *day*, UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.fixture(scope="session")
def make_leads() -> type[Leads]:
    """Return what makes a table of leads in a folder, for jobs that several tests look at."""
    return Leads


@pytest.fixture
def leads(tmp_path: Path) -> Leads:
    """Return a table of four leads, one of them open."""
    made = Leads(tmp_path)
    made.write(
        "id,created,source,employees,won",
        "a,2024-01-01,ads,10,yes",
        "b,2024-01-02,mail,,no",
        "c,2024-01-03,ads,7,No",
        "d,2024-01-04,,3,",
    )
    return made
