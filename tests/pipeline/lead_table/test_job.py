"""The whole job on tables of leads: the same commands and the same reasons as for a shop with a history."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from features.errors import LeadlightError
from features.moments import to_us
from models import certificate_page, scoring
from models.training import HoldOut, ripe_rows
from pipeline.card_setting import card_setting
from pipeline.champion import champion
from pipeline.cli.show_features import show_features
from pipeline.cli.show_lead import show_lead
from pipeline.cli.show_scores import show_scores
from pipeline.cli.show_training import show_training
from pipeline.lead_table.notes import AT_ONCE, TIMELESS
from pipeline.stages.certificate_rows import certify_rows
from pipeline.stages.explain import WithoutScore, explain
from pipeline.stages.features import build, compute_training_table
from pipeline.stages.fitting import training_config
from pipeline.stages.retrain import retrain
from pipeline.stages.score import score
from pipeline.stages.train import train

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime(2024, 6, 1, tzinfo=UTC)
LEADS = 1500


def export(n: int = LEADS, seed: int = 0) -> list[str]:
    """Return the lines of an export: leads of 150 days, the last hundred still open, two of them strange."""
    rng = np.random.default_rng(seed)
    source = rng.choice(["ads", "mail", "web"], n)
    employees = np.round(rng.lognormal(3, 1, n))
    odds = -1.5 + 1.2 * (source == "mail") + 0.6 * (employees > 25)
    won = np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no")
    won[-100:] = ""
    day = np.datetime64("2024-01-01") + np.arange(n) * 150 // n
    lines = [f"L{k:04d},{day[k]},{source[k]},{employees[k]:.0f},{won[k]}" for k in range(n)]
    lines[-1] = f"L{n - 1:04d},{day[-1]},carrier pigeon,{employees[-1]:.0f},"
    lines[-2] = f"L{n - 2:04d},{day[-2]},,,"
    return ["id,created,source,employees,won", *lines]


@pytest.fixture(scope="module")
def job(tmp_path_factory, make_leads):
    """A dated table, ingested, trained on and scored, and the reports of both."""
    leads = make_leads(tmp_path_factory.mktemp("job"))
    leads.write(*export())
    leads.ingest()
    trained = train(leads.settings())
    return leads, trained, score(leads.settings(), scored_at=NOW)


def printed(show, report) -> str:
    """Return what a person reads."""
    console = Console(file=io.StringIO(), width=200)
    show(console, report)
    return console.file.getvalue()


def test_the_model_is_judged_on_the_newest_leads(job):
    """Forward in time, each training label closed before the hold-out began; the missing horizon is told."""
    leads, trained, _ = job
    table = compute_training_table(leads.settings())
    hold_out = pq.read_table(trained.hold_out)
    begins = min(hold_out["as_of"].to_pylist())
    assert trained.test_from.startswith(begins.date().isoformat())
    assert trained.train_rows + trained.test_rows == len(table) == LEADS - 100
    assert sum(at < begins for at in table.keys["as_of"].to_pylist()) == trained.train_rows
    assert trained.caveat == AT_ONCE
    text = printed(show_training, trained)
    assert text.startswith(f"Split forward in time, judged from {begins.date().isoformat()} on. {trained.verdict}\n")
    assert AT_ONCE in text


def test_the_open_leads_are_scored_once(job):
    """A hundred without a label, each with the moment it came in; scoring again changes nothing."""
    leads, _, scored = job
    exported = pa_csv.read_csv(scored.csv)
    assert sorted(exported["lead_id"].to_pylist()) == [f"L{k:04d}" for k in range(LEADS - 100, LEADS)]
    assert (scored.leads, scored.unscored) == (99, 1)
    assert not score(leads.settings(), scored_at=NOW).is_new


def test_reasons_and_codes_are_told(job):
    """Points add up to the score; the strange lead and the one of whom nothing is known say so."""
    leads, _, scored = job
    strange, unknown = (explain(leads.settings(), f"L{k}")[0] for k in (LEADS - 1, LEADS - 2))
    lines = sum(line.points for line in (*strange.speaks_for, *strange.speaks_against))
    assert 50 + lines + strange.everything_else + strange.limits == strange.score
    assert strange.doubts == [
        "Unlike the leads this model learned from: source: carrier pigeon, seen in none of them.",
    ]
    assert isinstance(unknown, WithoutScore)
    assert "No score: nothing is known" in printed(show_lead, [unknown])
    assert scored.codes == {"no_history": 1, "unlike_training": 1}
    assert "no_history 1 (nothing is known of them)" in printed(show_scores, scored)
    assert "Timeline" not in printed(show_lead, [strange])


def test_a_known_lead_without_a_score_is_told_why(job):
    """Who has an outcome was not asked about; who is not known at all gets the nearest id."""
    with pytest.raises(LeadlightError, match="It is known, but was not open then"):
        explain(job[0].settings(), "L0000")
    with pytest.raises(LeadlightError, match="did you mean 'L1499'"):
        explain(job[0].settings(), "L14999")


def test_a_lead_alone_gets_the_row_it_gets_in_its_batch(job):
    """Score, interval, points, reasons and codes depend on the lead alone."""
    leads = job[0]
    model, _ = champion(leads.settings())
    (table,) = leads.data().waiting(model.features, lambda part: part, as_of=to_us(NOW))
    together = scoring.score(model, table)
    for row in (0, 50, 99):
        alone = scoring.score(model, table.take(np.array([row]))).drop_columns("rank")
        lead = together.filter(pc.equal(together["lead_id"], alone["lead_id"][0])).drop_columns("rank")
        assert alone.to_pylist() == lead.to_pylist()


def test_the_order_of_a_dated_tables_rows_changes_nothing(job, tmp_path, make_leads):
    """Shuffled, the export gives the same training table, row by row."""
    head, *lines = export()
    shuffled = make_leads(tmp_path)
    shuffled.write(head, *np.random.default_rng(1).permutation(lines))
    shuffled.ingest()
    given, other = (ripe_rows(compute_training_table(one.settings()))[0] for one in (job[0], shuffled))
    assert given.keys.equals(other.keys)
    assert given.labels.equals(other.labels)
    assert given.columns["source"].to_pylist() == other.columns["source"].to_pylist()
    np.testing.assert_array_equal(given.columns["employees"].to_numpy(), other.columns["employees"].to_numpy())


def test_the_dictionary_explains_every_column(job):
    """One entry per column of the training table."""
    report = build(job[0].settings())
    assert (report.snapshots, report.features) == (LEADS - 100, 2)
    assert printed(show_features, report).startswith("1,400 leads with a closed label, 2024-01-01 to ")
    assert "| employees | fit | number | The lead's employees. |" in report.data_dictionary.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_challenger_meets_the_champion(job):
    """The gate compares two models of a lead table as it does of any shop; another label is another question."""
    leads = job[0]
    asked = {check.name for check in retrain(leads.settings(), now=NOW).checks}
    assert {"calibration", "baselines"} <= asked
    (refused,) = [check for check in retrain(relabelled(leads), now=NOW).checks if check.name == "champion"]
    assert "another question" in refused.text


def relabelled(leads):
    """Return the settings of the same table with a horizon."""
    table = leads.table | {"horizon_days": 1}
    return leads.settings().model_copy(update={"lead_table": type(leads.settings().lead_table).model_validate(table)})


def test_a_sensitive_attribute_is_not_read(job):
    """It stands beside the features, for the report alone, as marked or as listed under auto."""
    leads = job[0]
    table = leads.settings().lead_table.model_copy(update={"attributes": "auto", "sensitive": ["source"]})
    found = compute_training_table(leads.settings().model_copy(update={"lead_table": table}))
    assert [feature.name for feature in found.features] == ["employees"]
    assert found.beside.column_names == ["segment_source"]


@pytest.mark.slow
def test_without_time_leads_are_held_out_at_random_and_it_is_said(tmp_path, make_leads):
    """A stratified split: both parts have the same share of conversions, and the report says what that is worth."""
    timeless = make_leads(tmp_path)
    timeless.table["date"] = None
    timeless.table["attributes"] = {"source": "text", "employees": "number"}
    timeless.write(*export(900))
    timeless.ingest()
    table = compute_training_table(timeless.settings())
    trained = train(timeless.settings(), table=table)
    text = " ".join(printed(show_training, trained).split())
    assert text.startswith("Split at random over leads (stratified by outcome). ")
    assert "other leads (" in text
    assert TIMELESS in text
    share = pc.mean(table.labels["converted"].cast(pa.float64())).as_py()
    assert abs(trained.base_rate - share) < 1 / trained.test_rows
    assert training_config(timeless.settings()).test_share == pytest.approx(trained.test_rows / len(table), abs=0.01)


def test_who_has_an_outcome_is_not_scored(job):
    """A table without open leads has nobody to score, and says which leads would be."""
    text = str(job[0].data().nobody_waits(to_us(NOW)))
    assert "every lead has its outcome already" in text
    assert "'won' is empty, or says label.open" in text


def test_a_card_of_rows_in_order_tells_rows_and_no_days(tmp_path, make_leads):
    """Row after row is no calendar: neither card nor certificate names a day of 1970."""
    ordered = make_leads(tmp_path)
    ordered.table |= {"date": None, "order": "rows"}
    ordered.write(*export(600))
    ordered.ingest()
    settings = ordered.settings()
    table = compute_training_table(settings)
    nothing = np.zeros(100)
    hold_out = HoldOut(np.arange(400), np.arange(400, 500), 401_000_000, nothing, nothing > 0, nothing.astype("u8"))
    certificate = certify_rows(settings, table, hold_out)
    assert "1970" not in certificate_page.markdown(certificate)
    setting = card_setting(settings, SimpleNamespace(lost_to=(), unsure_of=(), verdict=lambda: "ahead"))
    assert setting.day(401_000_000) == "row 401"
    assert setting.asked["Asked when"] == "row after row is later"
