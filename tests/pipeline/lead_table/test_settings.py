"""A config of a lead table says one thing in one way."""

import pytest

from features.errors import LeadlightError
from pipeline.found_settings import asked_of
from pipeline.settings import load, parse
from pipeline.settings_lead_table import spellings
from pipeline.stages.features import compute_training_table
from pipeline.stages.init import Kind, init


def refused(leads, *said: str) -> None:
    """Check that the config is refused with each of *said*."""
    with pytest.raises(LeadlightError) as caught:
        leads.settings()
    for part in said:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query": "SELECT 1"}, "give either path or query"),
        ({"order": "rows"}, "give either date or order: rows"),
        ({"horizon_days": 10**14}, "lead_table.horizon_days: input should be less than or equal to 36500"),
        ({"date": None, "horizon_days": 9}, "horizon_days needs a date"),
        ({"label": {"converted_at": "won"}}, "label.converted_at needs a date and horizon_days"),
        ({"label": {"column": "won", "converted_at": "won"}}, "give either column or converted_at"),
        ({"label": {"column": "won", "positive": ["yes"], "negative": [True]}}, "yes stands in two"),
        ({"drop": ["source"]}, "drop and sensitive go with attributes: auto"),
        ({"attributes": {}}, "attributes names no attribute"),
        ({"lead": "id"}, "lead_table.lead: unknown setting (did you mean 'lead_id'?)"),
        ({"time_zone": "Warsaw"}, "no IANA time zone"),
    ],
)
def test_contradictions_are_refused(leads, change, said):
    """Each fault is named at its place."""
    leads.table |= change
    refused(leads, said)


def test_what_needs_a_history_is_refused_beside_it(leads):
    """Tables, windows, cohorts and horizons of snapshots mean nothing here, and all are named at once."""
    leads.more = {
        "question": {"name": "x", "horizon_days": 3},
        "features": {"windows": [1, 2]},
        "tables": {"orders": {"path": "x.csv"}},
    }
    refused(leads, "question.horizon_days: a lead table has no history", "features: a lead table", "tables: a lead")
    leads.more = {"model": {"holdout_from": "2024-01-01"}}
    leads.settings()
    del leads.table["date"]
    refused(leads, "model.holdout_from: needs lead_table.date")


def test_a_config_needs_tables_or_a_lead_table(tmp_path):
    """One of them."""
    with pytest.raises(LeadlightError, match="names no table"):
        parse({"shop": {"name": "x"}}, place=tmp_path / "x.yaml")


def test_a_bare_yes_of_yaml_means_the_word():
    """YAML reads it as a truth value; the cell holds the word."""
    assert spellings([True, 1, "Won "]) == {"true", "yes", "on", "1", "won"}


def test_the_starting_config_has_no_faults(tmp_path):
    """What `init --lead-table` writes loads at once."""
    settings = load(init(tmp_path / "leadlight.yaml", kind=Kind.lead_table))
    assert settings.lead_table is not None
    assert settings.lead_table.lead_id == "id"


def test_another_label_or_horizon_is_another_question(leads):
    """What tuning found for one label is not used for another; a new wording asks the same."""
    leads.ingest()
    table = compute_training_table(leads.settings())
    asked = asked_of(leads.settings(), table)
    leads.more = {"question": {"name": "Other words"}}
    assert asked_of(leads.settings(), table) == asked
    for change in ({"label": {"column": "won", "positive": ["no"], "negative": ["yes"]}}, {"horizon_days": 30}):
        before = dict(leads.table)
        leads.table |= change
        assert asked_of(leads.settings(), table) != asked
        leads.table = before
