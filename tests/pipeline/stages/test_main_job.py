"""The main job on a small synthetic shop: tables, features, model, scores, one lead told."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from features import moments
from features.errors import LeadlightError
from features.training_table import scoring_table
from models import bundle, registry
from pipeline import asking
from pipeline.champion import champion, place_of, plots_of
from pipeline.cli.show_lead import show_lead
from pipeline.score_store import ScoreStore
from pipeline.settings import Settings, load
from pipeline.stages.demo import DemoPaths, demo
from pipeline.stages.explain import explain
from pipeline.stages.features import FeaturesReport
from pipeline.stages.score import score
from pipeline.stages.score_report import ScoreReport
from pipeline.stages.train_report import TrainReport, _doubts
from pipeline.synthetic.judge import BestPossible
from pipeline.workspace import Workspace

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime(2025, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """The whole job on 1,200 leads: its folder and the report of each step."""
    folder = tmp_path_factory.mktemp("job")
    steps = list(demo("synthetic", folder=folder, now=NOW, leads=1_200, seed=3))
    return folder, {type(step): step for step in steps}


@pytest.fixture(scope="module")
def settings(job) -> Settings:
    """The settings that the job ran with."""
    return load(job[0] / "leadlight.yaml")


def test_every_path_that_the_demo_names_exists(job):
    """What the demo says to open next is there to be opened."""
    paths = job[1][DemoPaths]
    for path in (paths.config, paths.data_dictionary, paths.plots, paths.card, paths.scores):
        assert Path(path).exists()


def test_another_synthetic_shop_does_not_mix_with_the_one_there(job):
    """A shop of another seed has the same ids, so its rows would rewrite the first one's leads."""
    folder = job[0]
    before = {path: path.read_bytes() for path in (folder / "synthetic_shop").iterdir()}
    with pytest.raises(LeadlightError, match=r"holds another synthetic shop\.\n\nHint: .*--leads 1200 --seed 3"):
        next(demo("synthetic", folder=folder, now=NOW, leads=1_200, seed=4))
    assert {path: path.read_bytes() for path in (folder / "synthetic_shop").iterdir()} == before


def test_the_demo_run_again_reads_nothing_new_and_draws_the_same(job):
    """The same shop asked for again is the one that is there."""
    again = next(demo("synthetic", folder=job[0], now=NOW, leads=1_200, seed=3))
    assert not again.is_changed


def test_the_training_table_has_a_dictionary_entry_for_each_column(job):
    """Every column of the written table is explained, and nothing else is."""
    report = job[1][FeaturesReport]
    table = pq.read_table(report.table)
    entries = json.loads(report.data_dictionary.with_suffix(".json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in entries] == table.column_names
    assert len(table) == report.snapshots


def test_the_model_lies_between_guessing_and_the_best_possible(job):
    """A model that is better than the best possible would have seen the future."""
    judged = job[1][BestPossible]
    assert 0.5 < judged.model.auc <= judged.auc
    assert judged.log_loss <= judged.model.log_loss < judged.constant_log_loss


def test_stored_points_add_up_exactly(job, settings):
    """Points per feature, per family and per axis each sum to the total, in whole hundredths."""
    scores = _published(settings)
    total = scores["points_total"].to_numpy()
    for column in ("points", "points_family"):
        parts = scores[column].combine_chunks().flatten()
        assert (np.sum([part.fill_null(0).to_numpy(zero_copy_only=False) for part in parts], axis=0) == total).all()
    assert (scores["fit"].to_numpy() + scores["engagement"].to_numpy() == total).all()


def test_scoring_twice_changes_nothing(job, settings):
    """The second run finds the first one's rows and leaves every byte of them."""
    store = ScoreStore(Workspace(settings.shop.workspace))
    part = settings.shop.workspace / "scores" / store.published().part
    before = part.read_bytes()
    again = score(settings, scored_at=datetime(2025, 3, 1, tzinfo=UTC))
    assert not again.is_new
    assert part.read_bytes() == before


def test_a_lead_scored_alone_gets_the_scores_it_gets_in_its_batch(job, settings):
    """Probability and score depend on the lead alone."""
    model, _ = champion(settings)
    tables = Workspace(settings.shop.workspace).tables()
    question = asking.question(settings)
    moment = moments.to_us(datetime.fromisoformat(job[1][ScoreReport].as_of))
    together = scoring_table(tables.timelines(0), question, model.features, as_of=moment)
    predicted = model.predict(together)
    for row in range(0, len(together), max(len(together) // 7, 1)):
        alone = model.predict(together.take(np.asarray([row])))
        assert alone.log_odds[0] == predicted.log_odds[row]


def test_the_pyfunc_model_gives_the_scores_of_the_command_line(job, settings):
    """MLflow's model and the stored scores agree on the same matrix rows."""
    mlflow = pytest.importorskip("mlflow")
    found = registry.champion(place_of(settings))
    mlflow.set_tracking_uri(place_of(settings).uri)
    served = mlflow.pyfunc.load_model(f"models:/{place_of(settings).name}@champion")
    tables = Workspace(settings.shop.workspace).tables()
    model = bundle.load(found.bundle)
    moment = moments.to_us(datetime.fromisoformat(job[1][ScoreReport].as_of))
    rows = scoring_table(tables.timelines(0), asking.question(settings), model.features, as_of=moment)
    frame = rows.columns.select(list(model.feature_names)).to_pandas(strings_to_categorical=False)
    for name in frame.columns[frame.dtypes == "category"]:
        frame[name] = frame[name].astype(object)
    answered = served.predict(frame)
    stored = {row["lead_id"]: row for row in _published(settings).select(["lead_id", "probability"]).to_pylist()}
    leads = rows.keys["lead_id"].cast(pa.string()).to_pylist()
    expected = [stored[lead]["probability"] for lead in leads]
    np.testing.assert_allclose(answered["probability"].to_numpy(), expected, rtol=0, atol=1e-12)


def test_the_told_lines_add_up_to_the_score(job, settings):
    """Fifty and all the lines shown make the score shown."""
    for lead in job[1][ScoreReport].best:
        told = explain(settings, lead["lead_id"])[0]
        lines = sum(line.points for line in (*told.speaks_for, *told.speaks_against))
        assert 50 + lines + told.everything_else + told.limits == told.score
        assert told.score_low <= told.score <= told.score_high


def test_a_timeline_tells_nothing_that_was_unknown(job, settings):
    """The newest thing told of a lead happened before its as_of."""
    told = explain(settings, job[1][ScoreReport].best[0]["lead_id"])[0]
    assert told.timeline
    assert all(datetime.fromisoformat(one.at) < datetime.fromisoformat(told.as_of) for one in told.timeline)


def test_an_unknown_lead_is_refused_with_the_nearest(job, settings):
    """A mistyped id gets one clear message with the id that was meant."""
    known = job[1][ScoreReport].best[0]["lead_id"]
    with pytest.raises(LeadlightError, match=known):
        explain(settings, known + "x")


def test_the_export_ranks_everyone_once(job, settings):
    """The CSV has one line per stored score, best first, and its reasons in words."""
    report = job[1][ScoreReport]
    exported = pa_csv.read_csv(report.csv)
    assert len(exported) == report.leads
    assert exported["rank"].to_pylist() == list(range(1, report.leads + 1))
    assert pc.sum(pc.not_equal(exported["reasons"], "")).as_py() > 0


def test_a_spreadsheet_runs_no_lead(tmp_path):
    """Text that begins like a formula is exported as text."""
    store = ScoreStore(Workspace(tmp_path))
    run = store.add(pa.table({"lead_id": ["=1+1"]}), as_of=0, model_version="1-a", scored_at=NOW)
    _, csv = store.export(run, pa.table({"lead_id": ["=1+1", "@a", "-3", "plain"]}))
    assert pa_csv.read_csv(csv)["lead_id"].to_pylist() == ["'=1+1", "'@a", "'-3", "plain"]


def test_the_first_model_becomes_champion_and_has_its_pictures(job, settings):
    """The first training scores from now on, and its curves can be looked at."""
    trained = job[1][TrainReport]
    assert trained.is_champion
    plots = plots_of(settings, trained.run_id)
    assert plots is not None
    assert {"roc.png", "gains.png", "calibration.png"} <= {path.name for path in plots.glob("*.png")}


def test_the_model_carries_its_leak_certificate(job, settings):
    """A clean shop's certificate is passed; it lies in the workspace, in the run and in the bundle that scores."""
    trained = job[1][TrainReport]
    assert trained.certificate.startswith("Leak certificate: 9 checks passed")
    kept = json.loads(trained.certificate_page.with_suffix(".json").read_text(encoding="utf-8"))
    bundled = registry.champion(place_of(settings)).bundle / "certificate.json"
    logged = plots_of(settings, trained.run_id).parent
    assert kept["passed"] is True
    assert json.loads(bundled.read_text(encoding="utf-8")) == kept
    assert {path.name for path in logged.glob("certificate.*")} == {
        "certificate.json", "certificate.md", "certificate.html",
    }  # fmt: skip


def test_the_report_holds_the_segments_and_the_card_lies_beside_it(job, settings):
    """The figures by segment are in the report, and in the card that train and demo name; the bundle carries both."""
    bundled = registry.champion(place_of(settings)).bundle
    report = json.loads((bundled / "training.json").read_text(encoding="utf-8"))
    by_name = {one["name"]: one for one in report["segments"]["attributes"]}
    assert list(by_name) == ["country", "signup_source", "age_band", "customer_type"]
    assert by_name["age_band"]["is_sensitive"]
    assert by_name["age_band"]["is_in_model"]  # model.use_sensitive: age is part of this shop's truth
    assert by_name["age_band"]["error_gaps"]
    card = job[1][DemoPaths].card
    assert "By age band" in card.read_text(encoding="utf-8")
    assert card.read_bytes() == (bundled / "model_card.html").read_bytes()
    assert card.with_suffix(".md").read_bytes() == (bundled / "model_card.md").read_bytes()


def _published(settings: Settings) -> pa.Table:
    store = ScoreStore(Workspace(settings.shop.workspace))
    return store.read(store.published())


@pytest.mark.parametrize(("low", "is_doubted"), [(0.48, True), (0.5, True), (0.51, False)])
def test_a_model_no_better_than_chance_says_so_first(low, is_doubted):
    """Where the interval of the ROC-AUC reaches down to chance, nobody should act on the scores."""
    metrics = SimpleNamespace(roc_auc=SimpleNamespace(value=0.62, low=low))
    assert bool(_doubts(metrics)) == is_doubted


def test_codes_for_terminals_in_a_leads_id_reach_no_terminal(job, settings):
    """An id may hold escape codes and markup; what is printed holds neither."""
    with pytest.raises(LeadlightError) as caught:
        explain(settings, "\x1b[31mred\x1b]0;title\x07")
    assert "\x1b" not in str(caught.value)
    told = explain(settings, job[1][ScoreReport].best[0]["lead_id"])
    console = Console(file=io.StringIO())
    show_lead(console, [replace(told[0], lead_id="\x1b[31mred [bold]x")])
    printed = console.file.getvalue()
    assert "\x1b" not in printed
    assert "red" in printed
    assert "bold" in printed  # said, not obeyed
