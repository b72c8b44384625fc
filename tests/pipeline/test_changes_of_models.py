"""What changed on a synthetic shop, between two moments and across a retrain, beside a shop cut at the first."""

import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import duckdb
import numpy as np
import pyarrow.compute as pc
import pytest

from features import moments
from features.training_table import scoring_table
from models import what_changed as why
from models.points import total_hundredths
from pipeline import asking, shipped
from pipeline.champion import labelled
from pipeline.changes import all_changes, what_changed
from pipeline.score_store import ScoreStore
from pipeline.settings import load
from pipeline.stages.ingest import ingest
from pipeline.stages.registered import promote
from pipeline.stages.score import score
from pipeline.stages.train import train
from pipeline.synthetic.shop import generate
from pipeline.workspace import Workspace

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NOW = datetime(2025, 2, 1, tzinfo=UTC)
OLD, NEW = datetime(2024, 11, 25), datetime(2024, 12, 23)
LEADS = 700


def config_of(folder, **changes):
    """Return the synthetic shop's config in a folder of its own, with a quick model."""
    shutil.copyfile(shipped.config("synthetic_shop"), folder / "leadlight.yaml")
    settings = load(folder / "leadlight.yaml")
    return settings.model_copy(update={"model": settings.model.model_copy(update={"max_trees": 12, **changes})})


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return the shop scored at two moments by one model, and at the second one by the next model too."""
    folder = tmp_path_factory.mktemp("shop")
    settings = config_of(folder)
    generate(settings.data_folder, leads=LEADS, seed=5)
    ingest(settings, now=NOW)
    first = train(settings).version
    for as_of in (OLD, NEW):
        score(settings, as_of=as_of, scored_at=NOW)
    second = train(config_of(folder, seed=9, max_trees=20)).version
    promote(settings, second, at=NOW)
    score(settings, as_of=NEW, scored_at=NOW)
    store = ScoreStore(Workspace(settings.shop.workspace))
    by = {(run.as_of, run.model_version): run for run in store.runs()}
    t0, t1 = sorted({as_of for as_of, _ in by})
    return SimpleNamespace(folder=folder, settings=settings, store=store, first=first, second=second, t0=t0, t1=t1,
                           old=by[t0, first], same=by[t1, first], next=by[t1, second])  # fmt: skip


@pytest.fixture(scope="module")
def changes(shop):
    """Return every lead's change with the same model, and across the retrain."""
    return {name: all_changes(shop.settings, shop.old, getattr(shop, name)) for name in ("same", "next")}


def steps_of(table):
    """Return the steps of the leads that have them, and what they must sum to."""
    told = table.filter(pc.is_null(table["why_not"]))
    steps = np.stack([told[name].to_numpy() for name in why.STEPS], axis=1)
    return steps, told["new_hundredths"].to_numpy() - told["old_hundredths"].to_numpy()


@pytest.mark.parametrize("name", ["same", "next"])
def test_the_steps_of_every_lead_sum_to_its_difference(shop, changes, name):
    """No scored lead of the shop is without its steps, and all of them sum exactly."""
    steps, difference = steps_of(changes[name])
    assert (steps.sum(axis=1) == difference).all()
    then, now = (set(shop.store.read(run)["lead_id"].to_pylist()) for run in (shop.old, getattr(shop, name)))
    assert len(steps) == len(then & now)
    codes = {row["values"]: row["counts"] for row in changes[name]["why_not"].drop_null().value_counts().to_pylist()}
    assert codes == {why.NOT_SCORED_THEN: len(now - then)}


def test_one_model_never_moves_a_score_and_the_next_one_moves_it_alone(changes):
    """With one model the last step is nothing; the first three are of the old model, so a retrain leaves them be."""
    same, other = (changes[name].sort_by("lead_id").to_pydict() for name in ("same", "next"))
    assert set(same["model"]) == {0, None}
    assert any(other["model"])
    for step in ("time", "activity", "facts"):
        assert any(same[step])
        assert same[step] == other[step]


def test_a_lead_alone_gets_the_steps_that_it_gets_among_all(shop, changes):
    """Read from its own rows, a lead has bitwise the steps of the whole shop's table."""
    rows = changes["next"].to_pylist()
    for row in rows[:: len(rows) // 12]:
        alone = what_changed(shop.settings, row["lead_id"], None, old=shop.old, new=shop.next)
        assert alone.steps == (None if row["why_not"] else {name: row[name] for name in why.STEPS})
        if alone.steps:
            assert alone.shown.old + sum(alone.shown.lines) + alone.shown.limits == alone.new_score


CUT = {
    "leads": "recorded_at < $t0",
    "orders": "recorded_at < $t0",
    "sessions": "recorded_at < $t0",
    "events": "recorded_at < $t0",
    "identities": "linked_at <= $t0",
}


def test_time_is_what_a_shop_without_any_later_row_would_say(shop, changes, tmp_path):
    """Files cut at the old moment, loaded anew and scored at the new one, give the old score and the step of time."""
    settings = config_of(tmp_path)
    settings.data_folder.mkdir(parents=True)
    at = moments.from_us(shop.t0).isoformat()
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        for name, known in CUT.items():
            source = shop.settings.data_folder / f"{name}.parquet"
            told = ""
            if name == "orders":
                told = "REPLACE (CASE WHEN cancelled_at < $t0 THEN cancelled_at END AS cancelled_at)"
            query = f"SELECT * {told} FROM read_parquet('{source}') WHERE {known}".replace("$t0", f"TIMESTAMPTZ '{at}'")
            database.execute(f"COPY ({query}) TO '{settings.data_folder / name}.parquet' (FORMAT parquet)")
    ingest(settings, now=NOW)
    model = labelled(shop.settings, shop.first)
    tables = Workspace(settings.shop.workspace).tables()
    aged = {}
    for bucket in range(tables.buckets):
        table = scoring_table(tables.timelines(bucket), asking.question(settings), model.features, as_of=shop.t1)
        totals = total_hundredths(model.margins(table), model)
        aged |= dict(zip(table.keys["lead_id"].to_pylist(), totals.tolist(), strict=True))
    rows = [row for row in changes["same"].to_pylist() if row["why_not"] is None]
    assert {row["lead_id"]: row["old_hundredths"] + row["time"] for row in rows} == aged


def test_a_bundle_that_is_gone_leaves_the_total(shop):
    """Once the old model's files are removed, the total alone is told, though the model was read a moment ago."""
    lead = shop.store.read(shop.old)["lead_id"][0].as_py()
    assert what_changed(shop.settings, lead, None, old=shop.old, new=shop.next).steps
    bundles = [path.parent for path in shop.folder.rglob("bundle/model.json")]
    aside = [(bundle, bundle.with_name("aside")) for bundle in bundles]
    for bundle, beside in aside:
        bundle.rename(beside)
    try:
        found = what_changed(shop.settings, lead, None, old=shop.old, new=shop.next)
        assert (found.why_not, found.steps, len(found.shown.lines)) == (why.MODEL_GONE, None, 1)
        assert found.shown.old + sum(found.shown.lines) + found.shown.limits == found.new_score
        codes = set(all_changes(shop.settings, shop.old, shop.next)["why_not"].to_pylist())
        assert codes == {why.MODEL_GONE, why.NOT_SCORED_THEN}
    finally:
        for bundle, beside in aside:
            beside.rename(bundle)
    assert what_changed(shop.settings, lead, None, old=shop.old, new=shop.next).steps
