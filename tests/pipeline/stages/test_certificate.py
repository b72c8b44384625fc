"""The certificate of a small synthetic shop: clean it passes, and each planted fault is caught by name."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from features import moments
from features.catalog import Measure
from features.errors import GateFailedError
from features.leak_checks import Recounting
from features.sweeping import compute
from features.training_table import members
from models import registry, training
from models.splits import forward_split
from models.training import HoldOut, moments_of
from pipeline import shipped
from pipeline.cli.exits import code_of
from pipeline.exit_codes import DONE_WITH_REJECTS
from pipeline.histories import asked
from pipeline.settings import load
from pipeline.stages import certificate, train
from pipeline.stages.certificate import certify, keep, refused
from pipeline.stages.features import compute_training_table
from pipeline.stages.ingest import ingest
from pipeline.synthetic.shop import generate
from pipeline.workspace import Workspace

FOLDER = Path(__file__).parents[3]
UNSEEN = "features unchanged when the future is deleted"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A synthetic shop of 600 leads with half of the features, its table and a forward split."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copyfile(shipped.config("synthetic_shop"), folder / "leadlight.yaml")
    settings = load(folder / "leadlight.yaml")
    chosen = settings.features.model_copy(update={"families": ["engagement", "fit"], "windows": [7, 28]})
    few = settings.certificate.model_copy(update={"leads": 200})
    settings = settings.model_copy(update={"features": chosen, "certificate": few})
    generate(settings.data_folder, leads=600, seed=11, threads=1)
    ingest(settings, now=datetime(2025, 2, 1, tzinfo=UTC))
    tables = Workspace(settings.shop.workspace).tables()
    question, features = asked(settings, tables)
    table = compute_training_table(settings)
    return SimpleNamespace(
        settings=settings, tables=tables, question=question, features=features, table=table, hold_out=held_out(table)
    )


def held_out(table):
    """Return the forward split of a table as training hands it over."""
    split = forward_split(moments_of(table))
    none = np.empty(0)
    return HoldOut(split.train, split.test, split.test_from, none, none.astype(bool), none.astype(np.uint64))


def certified(shop, **other):
    """Return the certificate of the shop, with some of its parts replaced."""
    parts = SimpleNamespace(**{**vars(shop), **other})
    again = {"recounting": other["recounting"]} if "recounting" in other else {}
    return certify(parts.settings, parts.tables, parts.question, parts.features, parts.table, parts.hold_out, **again)


def failed(found):
    """Return what failed: the names of the checks, and all that they name."""
    return {check.name: {finding.what for finding in check.findings} for check in found.failed}


def test_a_clean_shop_passes_and_says_where_it_looked(shop):
    """Nothing is raised; every check says how many rows and which moments it looked at, or why it does not apply."""
    found = certified(shop)
    assert failed(found) == {}
    assert len(found.checks) == certificate.N_CHECKS
    assert all(check.as_ofs and check.rows and check.threshold for check in found.checks if check.outcome == "passed")
    assert [check.name for check in found.checks if check.outcome == "not applicable"] == [
        "the cohort is not chosen on the outcome"
    ]


def test_the_order_of_rows_changes_no_word(shop):
    """The certificate of a shuffled table is the same, to the byte."""
    order = np.random.default_rng(0).permutation(len(shop.table))
    table = shop.table.take(order)
    assert certified(shop, table=table, hold_out=held_out(table)).as_plain() == certified(shop).as_plain()


def peeking(shop, days):
    """Return a recount whose `sessions_count_7d` looks *days* beyond as_of."""

    def columns(timelines, asked_for):
        table = compute(timelines, asked_for, shop.features, zone=shop.question.zone)
        later = replace(asked_for, as_of=asked_for.as_of + days * moments.DAY)
        one = [feature for feature in shop.features if feature.name == "sessions_count_7d"]
        peeked = compute(timelines, later, one, zone=shop.question.zone).columns["sessions_count_7d"]
        place = table.columns.column_names.index("sessions_count_7d")
        return replace(table, columns=table.columns.set_column(place, "sessions_count_7d", peeked))

    return Recounting(columns, lambda timelines, rows: members(timelines, rows, shop.question, shop.features))


def test_a_feature_that_looks_a_day_ahead_is_named(shop):
    """Read a day after as_of by whatever computed the table, it differs without the future; nothing else does."""
    peek = peeking(shop, 1)
    wrong = compute_by(shop, peek)
    assert failed(certified(shop, table=wrong, recounting=peek)) == {UNSEEN: {"sessions_count_7d"}}
    assert failed(certified(shop, table=wrong)) == {UNSEEN: {"sessions_count_7d"}}


def compute_by(shop, recounting):
    """Return the training table as *recounting* computes it."""
    from features.training_table import ripe_snapshots

    timelines = shop.tables.timelines(0, columns=shop.question.columns_read(shop.features))
    asked_for, labels = ripe_snapshots(timelines, shop.question)
    return replace(recounting.features(timelines, asked_for), labels=labels)


def test_a_cohort_that_looks_ahead_is_found(shop):
    """A table that keeps only snapshots with a visit in the week to come is not what the past would choose."""
    later = compute_by(shop, peeking(shop, 7)).columns["sessions_count_7d"].to_numpy()
    table = shop.table.take(np.flatnonzero(later > 0))
    found = failed(certified(shop, table=table, hold_out=held_out(table)))
    assert found["cohort unchanged when the future is deleted"] == {"cohort"}


def test_snapshots_that_nobody_asks_about_are_found(shop):
    """Rows at moments off the grid belong to another question."""
    keys = shop.table.keys
    moved = pa.array(keys["as_of"].cast("int64").to_numpy() + moments.DAY).cast(keys["as_of"].type)
    table = replace(shop.table, keys=keys.set_column(1, "as_of", moved))
    found = failed(certified(shop, table=table, hold_out=held_out(table)))
    assert "snapshots" in found["cohort unchanged when the future is deleted"]


def test_a_label_that_the_rows_do_not_tell_is_found(shop):
    """Turned labels, and labels decided after the data end, are no labels."""
    labels = shop.table.labels
    turned = pa.array(~labels["converted"].to_numpy())
    table = replace(shop.table, labels=labels.set_column(0, "converted", turned))
    assert failed(certified(shop, table=table))["labels ripe"] == {"label"}
    late = pa.array(labels["decided_at"].cast("int64").to_numpy() + 90 * moments.DAY).cast(labels["decided_at"].type)
    table = replace(shop.table, labels=labels.set_column(2, "decided_at", late))
    assert failed(certified(shop, table=table))["labels ripe"] == {"label window"}


def test_a_feature_that_reads_an_undeclared_source_is_named(shop):
    """A count of sessions that says it counts orders moves when the clock of the sessions does."""
    name = "sessions_count_28d"
    lying = tuple(
        replace(feature, measure=Measure("count", "orders", window=28)) if feature.name == name else feature
        for feature in shop.features
    )
    table = replace(shop.table, features=lying)
    again = Recounting(
        lambda timelines, rows: compute(timelines, rows, shop.features, zone=shop.question.zone),
        lambda timelines, rows: members(timelines, rows, shop.question, shop.features),
    )
    assert failed(certified(shop, table=table, recounting=again)) == {
        "a shifted clock moves only its own features": {name}
    }


def test_a_split_that_is_not_purged_is_found(shop):
    """Training rows whose windows are open when the test begins stop the model."""
    rows = moments_of(shop.table)
    train_rows = np.flatnonzero(rows.as_of < shop.hold_out.test_from)
    found = certified(shop, hold_out=replace(shop.hold_out, train_rows=train_rows))
    assert failed(found) == {"no training label window reaches into the test": {"label window"}}


def test_what_a_person_has_looked_at_is_told_and_stops_nothing(shop):
    """An attribute filled by the outcome fails by name; named under certificate.trusted it is told and passes."""
    rows = moments_of(shop.table)
    ever = np.isin(rows.lead, rows.lead[rows.converted])
    plan = pa.array(np.where(ever, "signed", None)).dictionary_encode()
    place = shop.table.columns.column_names.index("country")
    table = replace(shop.table, columns=shop.table.columns.set_column(place, "country", plan))
    found = failed(certified(shop, table=table))
    assert found["nothing is filled by the outcome"] == {"country"}
    section = shop.settings.certificate.model_copy(update={"trusted": ["country"]})
    settings = shop.settings.model_copy(update={"certificate": section})
    told = certified(shop, table=table, settings=settings)
    assert "nothing is filled by the outcome" not in failed(told)
    assert "trusted by the config" in keep(settings, told).read_text(encoding="utf-8")


def test_a_failure_registers_nothing_and_leaves_the_page(shop, monkeypatch):
    """`train` stops with the failed check's name and the way out, exit code 1, and the page in the workspace."""
    rows = moments_of(shop.table)
    train_rows = np.flatnonzero(rows.as_of < shop.hold_out.test_from)
    leaking = SimpleNamespace(hold_out=replace(shop.hold_out, train_rows=train_rows))
    monkeypatch.setattr(training, "train", lambda *_, **__: leaking)
    monkeypatch.setattr(registry, "prepare", lambda _: None)
    monkeypatch.setattr(registry, "log_training", lambda *_: pytest.fail("it was registered"))
    with pytest.raises(GateFailedError, match="not registered: its leak certificate failed") as caught:
        train.train(shop.settings, table=shop.table)
    assert "no training label window reaches into the test" in str(caught.value)
    assert code_of(caught.value) == DONE_WITH_REJECTS
    folder = shop.settings.shop.workspace / "training"
    assert {path.name for path in folder.glob("certificate.*")} == {
        "certificate.json", "certificate.md", "certificate.html",
    }  # fmt: skip
    assert json.loads((folder / "certificate.json").read_text(encoding="utf-8"))["passed"] is False


def test_the_message_names_what_failed_and_what_to_do(shop):
    """Each failed check has its name, its findings and its hint."""
    rows = moments_of(shop.table)
    found = certified(
        shop, hold_out=replace(shop.hold_out, train_rows=np.flatnonzero(rows.as_of < shop.hold_out.test_from))
    )
    message = str(refused(found, Path("certificate.html")))
    assert "label window: " in message
    assert "must be left out" in message
    assert message.endswith("Hint: the whole certificate is at 'certificate.html'.")


BROKEN = """
import numpy as np, pyarrow as pa, sys
sys.path.append("tests/features/support")
import random, worlds
from dataclasses import replace
from features import kernel
from features.catalog import Measure
from features.cohorts import Cohort
from features.labels import Conversion
from features.leak_checks import features_without_future
from features.sampled import sampled
from features.snapshots import Grid
from features.sweeping import compute
from features.training_table import Question, training_table

how = random.Random(1)
rows = {name: worlds.timeline_rows(how, name, n=60) for name in ("orders", "events")}
span = (worlds.START - 9 * worlds.DAY, worlds.START + 12 * worlds.DAY)
world = worlds.TimelineWorld(rows, dict.fromkeys(rows, span), [span[0]] * 3)
features = (
    worlds.number("events_5d", Measure("count", "events", window=5)),
    worlds.number("orders_ever", Measure("count", "orders")),
    worlds.number("lead_age", Measure("lead_age")),
)
question = Question(Conversion("orders"), Grid(days=1), horizon_days=1)
if sys.argv[1] == "broken":
    kernel._is_past = lambda occurred, as_of: True
    kernel._is_visible = lambda known, superseded, as_of: True
timelines = world.timelines()
table = training_table(timelines, question, features)
one = sampled(timelines, question, table, np.ones(3, dtype=bool))
recount = lambda t, asked: compute(t, asked, features)
check = features_without_future([one], table, recount, [np.array([0.1, 0.5, 0.9])])
print(check.outcome, *sorted(finding.what for finding in check.findings))
"""


@pytest.mark.parametrize(("how", "said"), [("whole", "passed"), ("broken", "failed events_5d orders_ever")])
def test_a_sweep_that_sees_the_future_is_caught(how, said):
    """With the kernel's own rule of visibility broken, its features fail and the lead's age does not."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, how],
        cwd=FOLDER,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == said.split(), done.stderr
