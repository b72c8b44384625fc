"""A card on a shop's tables: usable on the first day, told so that it adds up, blind to the future, learned."""

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from features.errors import LeadlightError
from models.errors import one_class, too_few_conversions
from models.points_card_totals import card_points
from pipeline import asking
from pipeline.card_meanwhile import with_card_meanwhile
from pipeline.points_file import read_card
from pipeline.score_store import ScoreStore
from pipeline.settings import parse
from pipeline.stages.backtest import backtest
from pipeline.stages.explain import explain
from pipeline.stages.features import compute_training_table
from pipeline.stages.ingest import ingest
from pipeline.stages.points import check, init
from pipeline.stages.points_learn import learn
from pipeline.stages.points_score import score_by_points
from pipeline.stages.retrain import retrain
from pipeline.stages.score import score
from pipeline.stages.train import train
from pipeline.stages.tune import tune
from pipeline.stored_run import Unpublished
from pipeline.workspace import Workspace

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime(2024, 3, 12, tzinfo=UTC)
CARD = """
base: 5
caps: {engagement: 20}
rules:
  - {name: opened the price page, group: engagement, points: 4, cap: 12, table: events, where: {type: price}, within: 7}
  - {name: clicked, group: engagement, points: 10, table: events, where: {type: click}, within: 10, decay: linear}
  - {name: ordered, group: engagement, points: 6, table: orders, where: {is_cancelled: false}, within: 90, per: once}
  - {name: from Poland, group: fit, points: 15, attribute: country, is: PL}
  - {name: tiny, group: fit, points: -8, attribute: employees, below: 5}
"""
EVENTS = [
    "Ann,price,2024-03-09T10:00:00", "Ann,price,2024-03-10T10:00:00", "Ann,price,2024-03-10T11:00:00",
    "Ann,price,2024-03-10T12:00:00", "Ann,click,2024-03-06T00:00:00", "Ann,click,2024-03-10T23:00:00",
    "Bob,price,2024-02-28T10:00:00", "Bob,click,2024-03-06T00:00:00",
    "Cat,price,2024-03-11T00:00:00", "Cat,price,2024-03-11T01:00:00",
]  # fmt: skip
AS_OF = datetime(2024, 3, 11, tzinfo=UTC)


def shop_in(folder, *, events=EVENTS, card=CARD):
    """Write a shop of three leads and its card, and return its settings."""
    (folder / "orders.csv").write_text("who,at,amount\nAnn,2024-03-01T10:00:00,20\nBob,2024-03-02T10:00:00,30\n")
    (folder / "events.csv").write_text("who,type,at\n" + "\n".join(events) + "\n")
    (folder / "leads.csv").write_text("who,since,country,employees\nAnn,2024-02-01,PL,3\nBob,2024-02-01,PL,\n"
                                      "Cat,2024-02-01,DE,4\n")  # fmt: skip
    (folder / "points.yaml").write_text(card)
    raw = {
        "shop": {"name": "Young shop"},
        "tables": {
            "orders": {"path": "orders.csv", "columns": {"lead_id": "who", "ordered_at": "at"}},
            "events": {"path": "events.csv", "columns": {"lead_id": "who", "occurred_at": "at"}},
            "leads": {
                "path": "leads.csv",
                "columns": {"lead_id": "who", "created_at": "since"},
                "attributes": {"country": {"type": "text", "static": True},
                               "employees": {"type": "number", "static": True}},
            },
        },
        "points": {"card": "points.yaml"},
    }  # fmt: skip
    return parse(raw, place=folder / "leadlight.yaml")


@pytest.fixture
def young(tmp_path):
    """Return a shop of five weeks and no model, its tables read."""
    settings = shop_in(tmp_path)
    ingest(settings, now=NOW)
    return settings


def stored(settings):
    """Return the published scores by lead."""
    store = ScoreStore(Workspace(settings.shop.workspace))
    return {row["lead_id"]: row for row in store.read(store.published()).to_pylist()}


def test_a_shop_without_any_history_scores_by_its_card(young):
    """No model is there, and `score` answers all the same: by the card, for every lead, by hand the same."""
    report = score(young, as_of=AS_OF, scored_at=NOW)
    assert report.model_version.startswith("points-")
    assert report.expected_conversions is None
    rows = stored(young)
    # Ann: 4 prices, capped at 12; clicks of 5 days and of an hour ago fade to .5 + .9958, 15; ordered 6; over the cap.
    assert (rows["Ann"]["score"], rows["Ann"]["engagement"], rows["Ann"]["fit"]) == (5 + 20 + 15 - 8, 2000, 700)
    # Bob: his price view is older than a week, his click half gone; employees are not known.
    assert (rows["Bob"]["score"], rows["Bob"]["engagement"], rows["Bob"]["fit"]) == (5 + 5 + 6 + 15, 1100, 1500)
    # Cat: what happens at as_of is the future.
    assert (rows["Cat"]["score"], rows["Cat"]["engagement"], rows["Cat"]["fit"]) == (0, 0, -800)
    assert [rows[lead]["rank"] for lead in ("Ann", "Bob", "Cat")] == [1, 2, 3]
    assert all(row["probability"] is None for row in rows.values())


def test_every_lead_is_told_so_that_it_adds_up(young):
    """Base, one line per rule in its own words, limits: nothing is left for "everything else"."""
    score(young, as_of=AS_OF, scored_at=NOW)
    for lead in ("Ann", "Bob", "Cat"):
        told = explain(young, lead)[0]
        assert told.everything_else == 0
        lines = [*told.speaks_for, *told.speaks_against]
        assert told.start + sum(line.points for line in lines) + told.limits == told.score
    assert {line.text: line.points for line in explain(young, "Ann")[0].speaks_for} == {
        "from Poland": 15,
        "clicked 2 times in the last 10 days, older counts less": 15,
        "opened the price page 4 times in the last 7 days": 12,
        "ordered in the last 90 days": 6,
    }
    assert {line.text: line.points for line in explain(young, "Ann")[0].speaks_against} == {
        "limit of engagement": -13, "tiny": -8,
    }  # fmt: skip
    assert explain(young, "Cat")[0].limits == 3


def test_the_future_changes_no_points(tmp_path):
    """Whatever is known at or after as_of may be there or not: the stored rows are the same, data_until aside."""
    found = []
    for name, events in (("all", EVENTS), ("past", [line for line in EVENTS if line[-19:-9] < "2024-03-11"])):
        folder = tmp_path / name
        folder.mkdir()
        settings = shop_in(folder, events=events)
        ingest(settings, now=NOW)
        score(settings, as_of=AS_OF, scored_at=NOW)
        found.append({lead: {**row, "data_until": None} for lead, row in stored(settings).items()})
    assert found[0] == found[1]


def test_scoring_again_changes_nothing_and_another_card_is_another_version(young):
    """The same card at the same moment is stored once; a changed card has a label of its own, and both can be told."""
    first = score(young, as_of=AS_OF, scored_at=NOW)
    again = score_by_points(young, as_of=AS_OF, scored_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert (first.is_new, again.is_new) == (True, False)
    young.points.card.write_text(CARD.replace("base: 5", "base: 6"))
    other = score(young, as_of=AS_OF, scored_at=NOW)
    assert other.model_version != first.model_version
    assert explain(young, "Ann")[0].start == 6


def test_the_export_has_a_row_per_lead_and_the_rules_words(young):
    """Scores of a card are exported as scores of a model are."""
    report = score(young, as_of=AS_OF, scored_at=NOW)
    rows = pa_csv.read_csv(report.csv).to_pylist()
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert "opened the price page 4 times in the last 7 days" in rows[0]["reasons"]
    assert pq.read_table(report.parquet)["probability"].null_count == 3


def test_check_says_whom_each_rule_gives_points(young):
    """Leads by rule, what gives nobody points, and how far the data reach back."""
    report = check(young)
    assert report.leads == 3
    by_name = {rule.name: rule for rule in report.rules}
    assert (by_name["from Poland"].leads, by_name["tiny"].leads) == (2, 2)
    assert "go back" in by_name["ordered"].note
    assert report.scores[0] <= report.scores[-1] <= report.at_most == 40
    young.points.card.write_text(CARD.replace("is: PL", "is: born in Poland"))
    rule = next(rule for rule in check(young).rules if rule.name == "from Poland")
    assert "nobody" in rule.note
    assert rule.asks == "country born in Poland"


def test_check_names_all_that_the_tables_lack(young):
    """A table, an attribute and a test that do not fit are told with what was likely meant."""
    young.points.card.write_text(CARD.replace("table: events", "table: event").replace("country", "countryy"))
    with pytest.raises(LeadlightError) as caught:
        check(young)
    for part in ("no table 'event'   (did you mean 'events'?)", "no attribute 'countryy'   (did you mean 'country'?)"):
        assert part in str(caught.value)
    young.points.card.write_text(CARD.replace("is: PL", "is: no"))
    with pytest.raises(LeadlightError, match="from Poland: country: False cannot be among text"):
        check(young)


@pytest.mark.parametrize(("missing", "said"), [(1, "one more lead that converts"), (27, "27 more leads that convert")])
def test_what_is_missing_is_counted(young, missing, said):
    """The message keeps its faults, adds how many converting leads are missing, and names what scores meanwhile."""
    error = with_card_meanwhile(too_few_conversions(["in the hold-out: 3"], missing=missing), young, needed=40)
    assert f"  - in the hold-out: 3\n  - missing in all: {said}, at least\n\nHint: `leadlight score`" in str(error)
    without = young.model_copy(update={"points": young.points.model_copy(update={"card": None})})
    told = str(with_card_meanwhile(too_few_conversions([], missing=missing), without, needed=40))
    assert "`leadlight points init`" in told


def test_where_a_champion_scores_no_card_is_said_to(young, monkeypatch):
    """A retraining that lacks conversions leaves the champion at work, whatever card the config names."""
    monkeypatch.setattr("pipeline.card_meanwhile.has_champion", lambda _: True)
    told = str(with_card_meanwhile(too_few_conversions([], missing=3), young, needed=40))
    assert "`leadlight score` goes on with the champion meanwhile." in told
    assert "card" not in told


@pytest.mark.parametrize(
    "command",
    [train, backtest, lambda settings: retrain(settings, now=NOW), lambda settings: tune(settings, now=NOW)],
    ids=["train", "backtest", "retrain", "tune"],
)
def test_before_the_first_label_has_closed_all_conversions_are_missing(tmp_path, command):
    """A shop of five weeks that asks 60 days ahead is told that all are missing, and what scores meanwhile."""
    settings = shop_in(tmp_path)
    ingest(settings, now=NOW)
    question = settings.question.model_copy(update={"horizon_days": 60})
    with pytest.raises(LeadlightError) as caught:
        command(settings.model_copy(update={"question": question}))
    text = str(caught.value)
    assert text.startswith("No snapshot is ripe")
    assert "missing in all: 40 leads that convert, at least; so far there are 0" in text
    assert "scores by the points card 'points.yaml' meanwhile" in text


def test_where_nobody_converts_all_conversions_are_missing(young):
    """The data hold one class only: nothing to learn from, and as many conversions missing as a training needs."""
    error = with_card_meanwhile(one_class(900, converted=False), young, needed=40)
    assert "None of the 900 closed labels is a conversion" in str(error)
    assert "missing in all: 40 leads that convert, at least; so far there are 0" in str(error)


@pytest.mark.slow
def test_training_on_too_little_says_what_is_missing_and_what_scores_meanwhile(tmp_path):
    """The shop is told how many converting leads are missing, and that its card scores until they are there."""
    settings = shop_in(tmp_path)
    folder = tmp_path
    (folder / "orders.csv").write_text("who,at,amount\n" + "".join(
        f"l{lead},2023-{month:02d}-{1 + lead % 27:02d}T10:00:00,5\n" for lead in range(40) for month in range(1, 10)
        if (lead * month) % 7 == 0))  # fmt: skip
    ingest(settings, now=NOW)
    with pytest.raises(LeadlightError) as caught:
        train(settings)
    text = str(caught.value)
    assert "more leads that convert, at least" in text
    assert "`leadlight score` scores by the points card 'points.yaml' meanwhile" in text


def test_a_card_to_start_from_fits_the_shop(young, tmp_path):
    """The card that `init` writes for a shop can be used there as it is; a file that is there is left alone."""
    path = init(tmp_path / "started.yaml", settings=young)
    settings = young.model_copy(update={"points": young.points.model_copy(update={"card": path})})
    assert check(settings).leads == 3
    with pytest.raises(LeadlightError, match="left alone"):
        init(path, settings=young)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Return a synthetic shop of 1,000 leads, its tables read, and its training table with a given card beside."""
    from pipeline import shipped
    from pipeline.settings import load
    from pipeline.synthetic.shop import generate

    folder = tmp_path_factory.mktemp("grown")
    (folder / "leadlight.yaml").write_text(shipped.config("synthetic_shop").read_text()
                                           + "\npoints: {card: points.yaml}\n")  # fmt: skip
    settings = load(folder / "leadlight.yaml")
    generate(settings.data_folder, leads=1_000, seed=3)
    ingest(settings, now=datetime(2025, 2, 1, tzinfo=UTC))
    init(folder / "points.yaml", settings=settings)
    return settings, compute_training_table(settings)


def test_a_given_cards_columns_lie_beside_the_models_features(grown):
    """What a card reads is in the training table for judges, and the model's features are as they were."""
    settings, table = grown
    tables = Workspace(settings.shop.workspace).tables()
    bound = asking.points_card(settings, available=tables.available, event_types=tables.event_types)
    assert {feature.name for feature in bound.features} <= set(table.beside.column_names)
    assert not [feature.name for feature in table.features if feature.name.startswith("points/")]
    assert card_points(bound.card, table).total.std() > 0


@pytest.mark.slow
def test_a_learned_card_is_judged_written_and_read_back_equal(grown):
    """The printed points are the points used; what it gives up is said; a card that is there is not overwritten."""
    settings, table = grown
    out = settings.points.card.with_name("learned.yaml")
    out.write_text(CARD)
    with pytest.raises(LeadlightError, match="--force"):
        learn(settings, out=out, table=table)
    assert out.read_text() == CARD
    report = learn(settings, out=out, most_rules=8, replace=True, table=table)
    card = read_card(out)
    assert card.label == report.label
    assert [(rule.name, rule.points) for rule in card.rules] == list(report.rules)
    assert 0 < len(card.rules) <= 8
    assert set(report.metrics) == {"leadlight", "learned card", "given card"}
    ours, learned = (report.metrics[name]["roc_auc"][0] for name in ("leadlight", "learned card"))
    assert report.auc_given_up == pytest.approx(ours - learned)
    assert learned > report.metrics["given card"]["roc_auc"][0]
    assert f"ROC-AUC {learned:.3f} (the model {ours:.3f})" in out.read_text()
    totals = card_points(card, table)
    assert np.array_equal(totals.score, totals.total)
    by_learned = settings.model_copy(update={"points": settings.points.model_copy(update={"card": out})})
    scored = score_by_points(by_learned, scored_at=NOW)
    assert scored.expected_conversions > 0
    json.dumps(scored.best, default=str)


def test_where_a_model_scores_a_card_publishes_nothing(young, monkeypatch):
    """A card tried beside a champion is stored and exported; what readers show stays the champion's."""
    monkeypatch.setattr("pipeline.stages.points_score.has_champion", lambda _: True)
    report = score_by_points(young, as_of=AS_OF, scored_at=NOW)
    assert report.unpublished is Unpublished.ANOTHER_SCORES
    assert report.csv.exists()
    with pytest.raises(LeadlightError, match="holds no scores"):
        ScoreStore(Workspace(young.shop.workspace)).published()
