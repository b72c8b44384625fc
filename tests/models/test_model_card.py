"""The model card: what it says, that it can be trusted, and that nobody's name can break it."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest

from features.matrix import concat
from models.metrics import Estimate
from models.model_card import model_card
from models.model_card_facts import CardFacts, Setting
from models.model_card_html import html
from models.model_card_limits import limits
from models.model_card_markdown import escaped, markdown
from models.model_card_page import Bullets, Page, Section, Table, Text
from models.plots_curves import curves
from models.segments import Attribute, segment_report
from models.training import train

HOSTILE = "<script>alert('x')</script> | a\n# b `c` [d](http://e.example) \x1b[31m \u202e &amp; \"f\" www.g.example"
VOID = {"meta", "br", "line", "circle", "polyline", "polygon"}


@pytest.fixture(scope="module")
def facts(make_shop):
    """Return the facts of a small training whose every name is hostile."""
    table = make_shop()
    trained = train(table)
    held_out = trained.hold_out
    lead = table.keys["lead_id"].to_pylist()
    levels = [HOSTILE if name.endswith(("1", "2", "3")) else "<25" for name in lead]
    values = pa.chunked_array([pa.array(levels).dictionary_encode()])
    segments = segment_report([Attribute(HOSTILE, values, is_sensitive=True)], trained, unavailable=["<b>born"])
    setting = Setting(
        shop=HOSTILE,
        question=HOSTILE,
        asked={"A conversion is": HOSTILE},
        coverage=[("orders", "2024-01-01", "2024-12-31")],
        kept_out=["<i>age"],
        verdict="This model beats all 5 baselines by more than chance explains.",
        beats_all=True,
    )
    return CardFacts(
        trained=trained,
        table=table,
        others={"logistic": trained.metrics},
        curves=curves(held_out.log_odds, held_out.converted, held_out.lead),
        importance=[{"feature": HOSTILE, "mean_absolute_points": 3.2}],
        setting=setting,
        segments=segments,
        fingerprint="f" * 32,
        run_id="0123456789abcdef",
        trained_at=datetime(1970, 7, 1, tzinfo=UTC),
        software={"leadlight": "0.1.0"},
    )


class Parsed(HTMLParser):
    """The tags of a page, and whether each that was opened was closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_equal_facts_make_equal_cards(facts):
    """Built twice, both forms are the same to the byte."""
    first, second = model_card(facts), model_card(facts)
    assert html(first) == html(second)
    assert markdown(first) == markdown(second)


def test_the_page_is_whole_and_asks_for_nothing(facts):
    """Every tag is closed; no script, no picture from elsewhere, no address; and it is light."""
    text = html(model_card(facts))
    parsed = Parsed(text)
    assert parsed.open == []
    assert not {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in parsed.tags}
    for _, attributes in parsed.tags:
        for name in ("src", "href", "action"):
            assert attributes.get(name, "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in text
    assert len(text.encode()) < 300_000


def test_hostile_names_are_shown_and_not_obeyed_in_html(facts):
    """What looks like markup reads as it was written, on one line, without codes."""
    text = html(model_card(facts))
    shown = " ".join("".join(Parsed(text).texts).split())
    assert "<script>alert('x')</script> | a # b `c` [d](http://e.example)" in shown
    assert "<25" in shown
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_hostile_names_are_shown_and_not_obeyed_in_markdown(facts):
    """No HTML, no link, no heading, no cell of its own."""
    text = markdown(model_card(facts))
    assert "<" not in text
    assert ">" not in text
    assert "http://" not in text
    assert "www.g" not in text
    assert re.findall(r"(?<!\\)\[", text) == []
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == 1 + len(model_card(facts).sections)
    assert "\x1b" not in text


def test_every_row_of_a_markdown_table_has_as_many_cells(facts):
    """A bar in a name does not begin a column."""
    width = 0
    for line in markdown(model_card(facts)).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (0, width) or width == 0
        width = cells


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.85", "0.85"),
        ("-2.0", "-2.0"),
        ("+0.8 to 1", "+0.8 to 1"),
        ("1. first", "1\\. first"),
        ("- item", "\\- item"),
        ("---", "\\---"),
        ("a_b*c", "a\\_b\\*c"),
        ("a|b\nc", "a\\|b c"),
        ("<b>&", "&lt;b&gt;&amp;"),
    ],
)
def test_markdown_reads_as_it_was_written(text, expected):
    """Figures stay as they are; what would begin a list, a rule or a cell does not."""
    assert escaped(text) == expected


def test_the_card_says_what_fifty_is_beside_the_base_rate(facts):
    """A score of 50 has its probability, and ten points more twice the odds."""
    model = facts.trained.model
    at_fifty = 100 / (1 + np.exp(-model.reference))
    text = markdown(model_card(facts))
    assert f"a probability of {at_fifty:.1f} %" in text
    assert f"{100 * facts.trained.report.base_rate:.1f} % converted" in text


def test_the_card_says_whether_leaks_were_looked_for(facts):
    """Without a certificate it says so; with one it shows every check, and a failure by name."""
    assert "No leak certificate was made" in markdown(model_card(facts))
    check = {"name": "future deleted", "asks": "features unchanged?", "threshold": "0 rows", "outcome": "passed"}
    passed = {"passed": True, "checks": [check]}
    assert "No leak of the future was found" in markdown(model_card(replace(facts, certificate=passed)))
    failed = {"passed": False, "checks": [check, {**check, "name": "labels ripe", "outcome": "failed"}]}
    text = markdown(model_card(replace(facts, certificate=failed)))
    assert "do not use it" in text
    assert "◆ labels ripe" in text


def test_limits_are_drawn_from_the_figures(facts):
    """A short history, sensitive attributes left out, old data: each is said where it is so."""
    told = " ".join(limits(facts))
    assert "days: less than a year" in told
    assert "does not read <i>age" in told
    assert "By <b>born nothing is reported" in told
    assert "days old when it was trained" not in told
    old = replace(facts, trained_at=datetime(1990, 1, 1, tzinfo=UTC))
    assert "days old when it was trained" in " ".join(limits(old))


def test_snapshots_whose_label_is_open_change_nothing_in_the_card(facts):
    """Nobody learned from them: neither the counts nor the age of the newest outcome speak of them."""
    late = pa.array([datetime(2030, 1, 1, tzinfo=UTC)] * 50, pa.timestamp("us", tz="UTC"))
    few = facts.table.take(np.arange(50))
    labels = few.labels.set_column(few.labels.column_names.index("decided_at"), "decided_at", late)
    labels = labels.set_column(labels.column_names.index("is_ripe"), "is_ripe", pa.array([False] * 50))
    keys = few.keys.set_column(few.keys.column_names.index("as_of"), "as_of", late)
    old = replace(facts, trained_at=datetime(1990, 1, 1, tzinfo=UTC))
    both = replace(old, table=concat([facts.table, replace(few, keys=keys, labels=labels)]))
    assert markdown(model_card(both)) == markdown(model_card(old))


def test_a_model_no_better_than_chance_and_few_conversions_are_said(facts):
    """The gravest limits come first."""
    metrics = replace(facts.trained.metrics, conversions=20, roc_auc=Estimate(0.55, 0.45, 0.65))
    told = limits(replace(facts, trained=replace(facts.trained, metrics=metrics)))
    assert "cannot be told from chance" in told[0]
    assert "Only 20 leads" in told[1]
    assert "anything from 0.45 to 0.65" in told[2]


def test_probabilities_that_do_not_hold_are_said(facts):
    """Margins moved by one unit of log-odds expect far too many conversions."""
    hold_out = replace(facts.trained.hold_out, log_odds=facts.trained.hold_out.log_odds + 1.0)
    told = " ".join(limits(replace(facts, trained=replace(facts.trained, hold_out=hold_out))))
    assert "probabilities were too high" in told
    assert "trust the order of leads" in told


def test_a_card_without_a_setting_is_a_card(facts):
    """A training from a notebook knows no config; nothing is missing that the training knows."""
    bare = replace(facts, setting=Setting(), segments=None, trained_at=None, run_id="", importance=[])
    page = model_card(bare)
    assert page.title == "Model card"
    assert html(page)
    assert "By segment" not in [section.title for section in page.sections]


def test_an_own_page_is_drawn_as_it_is():
    """The smallest page of all, whole, as Markdown."""
    table = Table(("", "n", "why"), (("a", "1", "x"), ("b", "", "1 y")), "Of all", frozenset({1}))
    page = Page("T", ("l",), (Section("S", (Text("p"), Bullets(("i", "j")), table)),))
    head = "# T\n\nl\n\n## S\n\np\n\n- i\n- j\n\n"
    drawn = "*Of all*\n\n|   | n | why |\n|:---|---:|:---|\n| a | 1 | x |\n| ◆ b |   | 1 y |\n"
    assert markdown(page) == head + drawn
