"""Small runs of scores with ties, gaps and strange texts, drawn and stored."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Phrase
from models.scoring import score_schema
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace

NOW = datetime(2025, 2, 1, tzinfo=UTC)
DAY = 86_400_000_000
NAMES = ("Zoë Żak", "zoe zak", "Łucja", "İpek", "=cmd()", "", None, "<script>", "Ana\u202eB", "José  da\nSilva")
FEATURES = tuple(
    Feature(f"f{n}", "purchase", "count", "number", f"f{n}", Phrase("{n}"), "") for n in range(3)
)  # fmt: skip


def drawn_scores(rows: int, seed: int = 0, *, as_of: int = 40 * DAY) -> pa.Table:
    """Return a run with triggers, ties, leads without a score, and sets of every size, in no order."""
    rng = np.random.default_rng(seed)
    score = np.sort(rng.integers(0, 100, rows))[::-1]
    is_scored = np.arange(rows) < rows - rows // 10
    lead_ids = [f"lead-{n % max(rows - 3, 1)}@shop.example" for n in range(rows)]
    columns = {
        "lead_id": lead_ids,
        "as_of": pa.array(np.full(rows, as_of)).cast(pa.timestamp("us", tz="UTC")),
        "trigger_id": [None if n < rows - 3 else f"t{n}" for n in range(rows)],
        "rank": pa.array(np.arange(1, rows + 1), mask=~is_scored),
        "score": pa.array(score, mask=~is_scored),
        "probability": pa.array(score / 100, mask=~is_scored),
        "grade": _drawn(rng, rows, ["A", "B", "C", None]),
        "temperature": _drawn(rng, rows, ["hot", "warm", "cold"]),
        "stage": _drawn(rng, rows, ["visitor", "cart", None]),
        "action": _drawn(rng, rows, ["call", "email"]),
        "fit": rng.integers(-3, 3, rows),
        "engagement": pa.array(rng.integers(-3, 3, rows), mask=rng.random(rows) < 0.2),
        "points_total": rng.integers(-500, 500, rows),
        "segments": [list(np.array(["new", "new buyers"])[rng.random(2) < 0.4]) for _ in range(rows)],
        "held": _drawn(rng, rows, [None, [], ["no_consent"], ["open_deal", "override"]]),
        "reason_code": _drawn(rng, rows, [None, "stale_data", "no_history,stale_data"]),
        "reasons": [[{"feature": "f0", "value": 1.0, "level": None, "points": 90 - n} for n in range(5)]] * rows,
        "points": [{"f0": 1, "f1": 2, "f2": 3}] * rows,
    }
    schema = score_schema(FEATURES)
    table = pa.table(
        [
            _column(columns[name], kind) if name in columns else pa.nulls(rows, kind)
            for name, kind in zip(schema.names, schema.types, strict=True)
        ],
        schema=schema,
    )
    return table.take(pa.array(rng.permutation(rows)))


def _drawn(rng, rows, values):
    return [values[place] for place in rng.integers(0, len(values), rows)]


def _column(values, kind):
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)


def people_of(scores: pa.Table, seed: int = 0) -> pa.Table:
    """Return what is known of the leads, some of it missing."""
    rng = np.random.default_rng(seed)
    ids = sorted(set(scores["lead_id"].to_pylist()))
    return pa.table(
        {
            "lead_id": ids,
            "display_name": pa.array(_drawn(rng, len(ids), NAMES), pa.string()),
            "company": pa.array(_drawn(rng, len(ids), ["Café Ço", "cafe co", None, "x" * 10_000]), pa.string()),
            "owner": pa.array(_drawn(rng, len(ids), ["Rui", None]), pa.string()),
            "email": pa.array([f"hidden{n}@mail.example" for n in range(len(ids))]),
            "source": pa.array(_drawn(rng, len(ids), ["ads", "mail", None]), pa.string()),
        }
    )


@pytest.fixture
def shop(tmp_path) -> Callable[..., SimpleNamespace]:
    """Return a function that stores and publishes two runs, and gives the store, the rows and the people."""

    def make(rows: int = 60, seed: int = 0, personal=("display_name", "company", "owner")) -> SimpleNamespace:
        store = ScoreStore(Workspace(tmp_path / f"{rows}-{seed}"))
        before, scores = drawn_scores(rows, seed + 100, as_of=39 * DAY), drawn_scores(rows, seed)
        people = people_of(scores, seed)
        for as_of, table in ((39 * DAY, before), (40 * DAY, scores)):
            run = store.add(
                table, as_of=as_of, model_version="1-a", scored_at=NOW, people=people, personal=personal
            )  # fmt: skip
            store.publish(run)
        workspace = Workspace(tmp_path / f"{rows}-{seed}")
        return SimpleNamespace(store=store, workspace=workspace, before=before, scores=scores, people=people, run=run)

    return make


@pytest.fixture
def draw() -> SimpleNamespace:
    """Return the functions that draw runs and people, and the moments that they are drawn for."""
    return SimpleNamespace(scores=drawn_scores, people=people_of, day=DAY, now=NOW)
