"""The report: what is expected now, what came of earlier scores, one page that needs nothing from anywhere."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from features.catalog import Feature, Phrase
from features.moments import to_us
from models.scoring import ScoringRun, as_scores
from pipeline import languages, track_record
from pipeline.published.run_files import RunNotes
from pipeline.report_page.rendering import html
from pipeline.score_store import ScoreStore
from pipeline.stages.report import report, write_report
from pipeline.workspace import Workspace

FEATURE = Feature("age", "fit", "number", "number", "age", Phrase("{n}"), "")
QUESTION = {"conversion": {"table": "orders"}, "horizon_days": 10, "snapshots": {"every": "7d"}}


@pytest.fixture
def told(shop, monkeypatch):
    """A shop of four customers, and a function that stores a run of scores for them."""
    shop.write(
        "orders.csv",
        "id,customer,day,amount",
        "1,Ann,2024-01-01,10", "2,Bob,2024-01-01,10", "3,Cid,2024-01-01,10", "4,Dan,2024-01-01,10",
        "5,Ann,2024-03-03,10", "6,Ann,2024-03-05,10", "7,Cid,2024-03-20,10", "8,Dan,2024-04-20,10",
    )  # fmt: skip
    shop.ingest("2024-05-01")
    settings = shop.settings()
    settings = settings.model_copy(update={"question": settings.question.model_validate(QUESTION)})
    store = ScoreStore(shop.workspace)

    def score(day, probabilities, *, scored=None, source="google", pulled=None, trigger_ids=None):
        as_of = datetime.fromisoformat(day).replace(tzinfo=UTC)
        asked_at = datetime.fromisoformat(pulled).replace(tzinfo=UTC) if pulled else as_of
        scored_at = datetime.fromisoformat(scored).replace(tzinfo=UTC) if scored else as_of
        ids = list(probabilities)
        p = list(probabilities.values())
        columns = {
            "lead_id": pa.array(ids),
            "as_of": pa.repeat(pa.scalar(asked_at, pa.timestamp("us", "UTC")), len(ids)),
            "trigger_id": pa.array(trigger_ids or [None] * len(ids), pa.string()),
            "rank": pa.array(range(1, len(ids) + 1)),
            "score": pa.array([None if one is None else round(100 * one) for one in p], pa.int64()),
            "probability": pa.array(p, pa.float64()),
            "grade": pa.array([None if one is None else "A" if one >= 0.5 else "D" for one in p]),
            "temperature": pa.array([None if one is None else "hot" if one >= 0.5 else "cold" for one in p]),
            "held": pa.array([["no_consent"] if name == "Dan" else [] for name in ids]),
            "segments": pa.array([["new_buyers"] if name == "Ann" else [] for name in ids]),
        }
        scores = as_scores(columns, len(ids), run=ScoringRun("m", scored_at=scored_at), features=(FEATURE,))
        people = pa.table({"lead_id": ids, "source": [source] * len(ids)})
        run = store.add(
            scores, as_of=to_us(as_of), model_version="m", scored_at=scored_at, people=people, notes=RunNotes()
        )
        store.publish(run)
        return run

    return settings, score


EVERYONE = {"Ann": 0.75, "Bob": 0.5, "Cid": 0.25, "Dan": 0.125}


def test_what_came_is_counted_by_hand(told):
    """Of four leads scored on 1 March, Ann ordered within ten days; Cid ordered after them, and does not count."""
    settings, score = told
    score("2024-03-01", EVERYONE)
    record = report(settings).track
    assert (record.whole.leads, record.whole.converted, record.whole.expected) == (4, 1, 1.625)
    assert [(one.name, one.leads, one.converted, one.expected) for one in record.grades] == [
        ("A", 2, 1, 1.25), ("D", 2, 0, 0.375),
    ]  # fmt: skip
    assert [(one.name, one.converted) for one in record.sources] == [("google", 1)]


def test_an_order_is_counted_once_however_many_nights_foresaw_it(told):
    """Nightly runs whose label windows overlap do not count the same order again."""
    settings, score = told
    for day in ("2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"):
        score(day, EVERYONE)
    record = report(settings).track
    assert record.as_ofs == ("2024-03-02T00:00:00+00:00",)
    assert record.whole.converted == 1


def test_windows_that_do_not_touch_are_told_together(told):
    """Runs a horizon apart add up: each order belongs to one of them."""
    settings, score = told
    for day in ("2024-03-01", "2024-03-11", "2024-03-21"):
        score(day, EVERYONE)
    record = report(settings).track
    assert len(record.as_ofs) == 3
    assert (record.whole.leads, record.whole.converted) == (12, 2)


def test_a_trigger_that_two_runs_foresaw_is_counted_once(told):
    """The order that pulls a trigger is one chance to convert: two runs that score it make it one, as scored first."""
    settings, score = told
    snapshots = {"trigger": {"table": "orders"}}
    question = settings.question.model_validate({**QUESTION, "snapshots": snapshots})
    settings = settings.model_copy(update={"question": question})
    score("2024-03-03", {"Ann": 0.75}, pulled="2024-03-03", trigger_ids=["5"])
    score("2024-03-13", {"Ann": 0.25, "Cid": 0.125}, pulled="2024-03-03", trigger_ids=["5", "gone"])
    record = report(settings).track
    assert (record.whole.leads, record.whole.converted, record.whole.expected) == (1, 1, 0.75)


def test_nothing_is_said_of_outcomes_before_they_are_ripe(told):
    """A score whose window is open is no promise broken: there is no track record yet."""
    settings, score = told
    score("2024-04-15", EVERYONE)
    assert report(settings).track is None
    assert "No outcome is known yet" in html(report(settings), languages.ENGLISH)


def test_a_forecast_made_after_the_fact_is_told_as_such(told):
    """A run that was scored when its outcome was known is counted, and said to flatter."""
    settings, score = told
    score("2024-03-01", EVERYONE, scored="2024-03-11T00:00:01")
    score("2024-02-01", EVERYONE, scored="2024-02-01T03:00:00")
    shown = report(settings)
    assert shown.track.replayed == 1
    assert "1 of these runs was scored when its outcome was known already" in html(shown, languages.ENGLISH)


def test_the_whole_is_the_sum_of_its_parts(told):
    """Grades, distribution and held leads count every lead that has a score once."""
    settings, score = told
    score("2024-04-15", {**EVERYONE, "Eve": None})
    shown = report(settings)
    assert (shown.leads, shown.unscored, shown.held, shown.hot, shown.expected) == (4, 1, 1, 2, 1.625)
    assert sum(column.leads for column in shown.spread) == 4
    assert sum(group.leads for group in shown.by["grade"] if group.value) == 4
    assert sum(group.expected_conversions or 0 for group in shown.by["grade"]) == shown.expected


def test_a_card_without_probabilities_has_a_report_too(told):
    """Where nothing is expected, nothing is made up: leads are counted, and so is what came."""
    settings, score = told
    run = score("2024-03-01", EVERYONE)
    store = ScoreStore(Workspace(settings.shop.workspace))
    scores = store.read(run)
    place = scores.schema.get_field_index("probability")
    without = scores.set_column(place, "probability", pa.nulls(4, pa.float64()))
    plain = store.add(without, as_of=run.as_of + 1, model_version="m", scored_at=datetime(2024, 3, 1, tzinfo=UTC))
    store.publish(plain)
    shown = report(settings)
    assert (shown.expected, shown.track.whole.expected, shown.track.whole.converted) == (None, None, 1)
    assert "Expected conversions" not in html(shown, languages.ENGLISH)


def test_the_kept_track_record_is_the_one_that_was_told(told, shop):
    """Pages read back what the report found."""
    settings, score = told
    score("2024-03-01", EVERYONE)
    written = write_report(settings)
    assert track_record.kept(shop.workspace) == written.report.track


def test_the_page_needs_nothing_and_runs_nothing(told):
    """Hostile names are text; nothing is fetched, no script runs, and hundreds of sources stay fit to mail."""
    settings, score = told
    score("2024-04-15", EVERYONE, source="<script>alert(1)</script>" + "x" * 10_000)
    shown = report(settings)
    many = [replace(shown.by["source"][0], value=f"{place} <img src=x>" * 50) for place in range(500)]
    page = html(replace(shown, by={**shown.by, "source": many}, shop="</title><script>"), languages.ENGLISH)
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"<[^>]*\s(src|href)=|url\(|@import", page)
    assert len(page.encode()) < 2_000_000


@pytest.mark.parametrize("code", languages.LANGUAGES)
def test_the_page_speaks_each_language_whole(told, code):
    """Every word of ours is translated: no English heading is left in another language."""
    settings, score = told
    score("2024-03-01", EVERYONE)
    page = html(report(settings), languages.language(code))
    assert f'<html lang="{code}">' in page
    assert ("What was expected and what came" in page) == (code == "en")


def test_the_same_scores_give_the_same_page(told):
    """A report written twice is the same to the byte."""
    settings, score = told
    score("2024-03-01", EVERYONE)
    first = write_report(settings).page.read_bytes()
    assert write_report(settings).page.read_bytes() == first
