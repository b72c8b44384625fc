"""A points card on a table of leads: attributes give points, actions are refused in words."""

from datetime import UTC, datetime

import numpy as np
import pytest
import yaml

from features.errors import LeadlightError
from features.moments import to_us
from models.points_card_totals import card_points
from pipeline.points_draft_attributes import draft_of_attributes
from pipeline.points_file import parse_card, read_card
from pipeline.score_store import ScoreStore
from pipeline.stages.explain import explain
from pipeline.stages.features import compute_training_table
from pipeline.stages.points import check, init
from pipeline.stages.points_learn import learn
from pipeline.stages.points_score import score_by_points
from pipeline.stages.retrain import retrain
from pipeline.stages.score import score
from pipeline.stages.train import train
from pipeline.workspace import Workspace

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime(2024, 6, 1, tzinfo=UTC)
CARD = """
base: 5
rules:
  - {name: came by an advert, group: fit, points: 20, attribute: source, is: ads}
  - {name: came by mail, group: fit, points: 12, feature: source, is: mail}
  - {name: small, group: fit, points: -8, attribute: employees, below: 5}
  - {name: size not told, group: fit, points: -2, attribute: employees, missing: true}
"""
OPEN = ["id,created,source,employees,won", "a,2024-01-01,ads,10,yes", "b,2024-01-02,mail,,no",
        "c,2024-01-03,ads,4,", "d,2024-01-04,mail,,", "e,2024-01-05,web,9,"]  # fmt: skip


@pytest.fixture
def carded(leads):
    """Return a table of five leads, three of them open, and its card."""
    leads.write(*OPEN)
    leads.more = {"points": {"card": "points.yaml"}}
    (leads.folder / "points.yaml").write_text(CARD)
    leads.ingest()
    return leads


def test_open_leads_are_scored_by_hand_the_same(carded):
    """Base and the rules that are met; who has an outcome is not scored; each line is told."""
    report = score(carded.settings(), scored_at=NOW)
    assert report.model_version.startswith("points-")
    store = ScoreStore(Workspace(carded.settings().shop.workspace))
    rows = {row["lead_id"]: row["score"] for row in store.read(store.published()).to_pylist()}
    assert rows == {"c": 5 + 20 - 8, "d": 5 + 12 - 2, "e": 5}
    told = explain(carded.settings(), "c")[0]
    assert {line.text: line.points for line in told.speaks_for} == {"came by an advert": 20}
    assert {line.text: line.points for line in told.speaks_against} == {"small": -8}


def test_a_card_is_tried_on_every_lead(carded):
    """On the first day no lead may be open; what a rule does is seen on all of them."""
    report = check(carded.settings())
    assert report.leads == 5
    assert {rule.name: rule.leads for rule in report.rules} == {
        "came by an advert": 2, "came by mail": 2, "small": 1, "size not told": 2,
    }  # fmt: skip


@pytest.mark.parametrize("command", [check, lambda settings: score_by_points(settings, scored_at=NOW),
                                     compute_training_table], ids=["check", "score", "train"])  # fmt: skip
def test_rules_on_actions_are_refused_in_words(carded, command):
    """A table of leads tells of no action; every such rule is named, beside attributes that are not there."""
    (carded.folder / "points.yaml").write_text(
        CARD
        + """
  - {name: looked at a price, group: engagement, points: 4, table: events, where: {type: price}, within: 7}
  - {name: ordered, group: engagement, points: 4, table: orders, within: ever}
  - {name: rich, group: fit, points: 4, attribute: employee, min: 5}
"""
    )
    with pytest.raises(LeadlightError) as caught:
        command(carded.settings())
    for part in (
        "looked at a price: asks for an action ('events'), and a table of leads holds attributes alone",
        "ordered: asks for an action ('orders')",
        "rich: no attribute 'employee'   (did you mean 'employees'?)",
    ):
        assert part in str(caught.value)


def test_a_lead_alone_gets_the_points_it_gets_among_others(carded):
    """Points depend on the lead alone, and not on who else is in the table."""
    data = carded.data()
    bound = data.points_card()
    (table,) = data.everyone(data.scored_by(bound), lambda part: part, as_of=to_us(NOW))
    together = card_points(bound.card, table).total
    alone = [int(card_points(bound.card, table.take(np.array([row]))).total[0]) for row in range(len(table))]
    assert together.tolist() == alone == [25, 15, 17, 15, 5]


def test_the_card_to_start_from_shows_values_of_the_table(carded):
    """One rule per attribute, switched off; switched on, the card is valid and fits the table."""
    path = init(carded.folder / "started.yaml", settings=carded.settings())
    text = path.read_text()
    with pytest.raises(LeadlightError, match="no rule is switched on"):
        read_card(path)
    path.write_text(text.replace("  # - {", "  - {"))
    assert [rule.name for rule in read_card(path).rules] == ["source: ads", "employees of 9 or more"]
    assert "most often: ads, mail, web" in text
    points = carded.settings().points.model_copy(update={"card": path})
    assert check(carded.settings().model_copy(update={"points": points})).leads == 5


def test_before_the_first_ingest_the_attributes_of_the_config_are_offered(leads):
    """Their values are not known yet."""
    path = init(leads.folder / "started.yaml", settings=leads.settings())
    assert "{name: source as it should be, group: fit, points: 10, attribute: source, is: VALUE}" in path.read_text()


def test_strange_values_make_a_valid_card():
    """Words, braces, quotes and a truth value spelled as a word: each line can be switched on and reads back equal."""
    usual = {"a{b}": ('x: "y" # z', "no"), "is_won": ("no", "yes"), "n": (0.0, 0.0, 7.0), "m": (1.0, 598.8738, 1e6)}
    text = draft_of_attributes(usual).replace("  # - {", "  - {")
    rules = yaml.safe_load(text)["rules"]
    assert [rule.get("is") for rule in rules] == ['x: "y" # z', "no", None, None]
    assert [(rule.get("above"), rule.get("min")) for rule in rules[2:]] == [(0, None), (None, 599)]
    assert len(parse_card(text, place=__file__).rules) == 4


def test_nothing_to_learn_yet_says_how_many_conversions_are_missing(leads):
    """A table in which nobody has an outcome: the card scores, and the number that a training needs is named."""
    leads.write(OPEN[0], "c,2024-01-03,ads,4,", "d,2024-01-04,mail,,")
    leads.more = {"points": {"card": "points.yaml"}}
    (leads.folder / "points.yaml").write_text(CARD)
    leads.ingest()
    with pytest.raises(LeadlightError) as caught:
        train(leads.settings())
    assert str(caught.value).startswith("No lead of the table has an outcome yet.")
    assert "missing in all: 40 leads that convert, at least; so far there are 0" in str(caught.value)
    assert "scores by the points card 'points.yaml' meanwhile" in str(caught.value)
    assert score(leads.settings(), scored_at=NOW).leads == 2


@pytest.mark.slow
def test_a_card_is_learned_and_a_switch_from_it_considered(tmp_path, make_leads):
    """Rows in order: the learned card scores, its file names the row, and a challenger is set against it."""
    rng = np.random.default_rng(0)
    source = rng.choice(["ads", "mail", "web"], 900)
    won = np.where(rng.random(900) < np.where(source == "ads", 0.6, 0.15), "yes", "no")
    won[-20:] = ""
    leads = make_leads(tmp_path)
    leads.table |= {"date": None, "order": "rows", "attributes": {"source": "text"}}
    leads.write("id,created,source,employees,won",
                *(f"L{k:03d},2024-01-01,{source[k]},1,{won[k]}" for k in range(900)))  # fmt: skip
    leads.ingest()
    card = tmp_path / "learned.yaml"
    report = learn(leads.settings(), out=card)
    assert report.rows_are == "leads"
    assert report.test_from.startswith("row ")
    assert f"Judged from {report.test_from} on" in card.read_text()
    leads.more = {"points": {"card": "learned.yaml"}, "model": {"max_trees": 5}}
    scored = score(leads.settings(), scored_at=NOW)
    assert (scored.leads, scored.model_version) == (20, report.label)
    asked = {check.name: check for check in retrain(leads.settings(), now=NOW).checks}
    assert set(asked) == {"card", "calibration", "baselines"}
    assert "if it was learned from these very rows" in asked["card"].text
