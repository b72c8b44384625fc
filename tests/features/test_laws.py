"""Laws: the future is unseen, order and company do not matter."""

import random

import numpy as np
import pyarrow as pa
import pytest
import shops
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import DAY

from features import families, matrix
from features.cohorts import Cohort
from features.conditions import parse
from features.labels import Conversion, label
from features.moments import NEVER
from features.snapshots import Grid, Trigger, at_triggers
from features.sweeping import compute
from features.timeline import Timelines, microseconds
from features.training_table import Question, scoring_table, training_table

CHOICE = families.Choice(windows=(1, 2, 5))
COLUMNS = {
    name: {"lead_no", "occurred_at", "known_at", "superseded_at", "link_bits", "row_id", *content}
    for name, content in worlds.CONTENT.items()
}
FADED = [
    feature for days in (2, 5, 0) for feature in worlds.faded(f"sales_{days}", parse({"is_cancelled": False}), days)
]
CATALOG = (*families.catalog(COLUMNS, CHOICE, attributes={"plan": "text", "age": "number"}), *FADED)
COHORTS = [Cohort(), Cohort("customers"), Cohort("prospects", parse({"email_sent_count_2d": {"min": 0}}))]
DECIDING = [feature for feature in CATALOG if feature.name == "email_sent_count_2d"]


def bits(table):
    """Return every value of a table of features, floats by their bits."""
    values = {}
    for name in table.columns.column_names:
        column = table.columns[name]
        values[name] = (
            column.to_numpy().view(np.int64).tolist() if pa.types.is_floating(column.type) else column.to_pylist()
        )
    return {**values, **{name: table.keys[name].to_pylist() for name in table.keys.column_names}}


def brought_to(world, moment, how):
    """Let some rows become known, or be replaced, exactly at *moment*."""
    for row in (row for rows in world.rows.values() for row in rows):
        if row["occurred"] <= moment and how.random() < 0.3:
            row |= {"known": moment, "until": None, "bits": 0}
        elif row["known"] < moment and how.random() < 0.3:
            row |= {"until": moment, "bits": 0}


def spoiled(world, since, how):
    """Return the world with everything known at or after *since* changed; *how* is drawn per row."""
    rows = {
        name: [new for row in rows for new in _spoil(name, dict(row), since, how)] for name, rows in world.rows.items()
    }
    return worlds.TimelineWorld(rows, world.coverage, world.exists, world.layout, world.zone)


def _spoil(table, row, since, how):
    if row["until"] is not None and row["until"] >= since:
        row["until"] = since + how.choice([0, 1, DAY]) if how.random() < 0.7 else None
        row["bits"] &= 1
    if row["known"] < since:
        return [row]
    fate = how.choice(["drop", "keep", "other", "double"])
    if fate in ("other", "double"):
        row |= {
            "occurred": row["occurred"] - how.choice([0, 1, DAY, 9 * DAY]),
            "known": since + how.choice([0, 1, DAY]),
        }
        row |= {"until": None, "lead": how.randrange(worlds.N_LEADS)}
        row |= {
            name: None for name in worlds.CONTENT[table] if name in ("value", "discount", "items", "campaign", "pages")
        }
    return {"drop": [], "double": [row, {**row, "id": row["id"] + "x"}]}.get(fate, [row])


@given(world=worlds.timeline_worlds(), as_of=worlds.moments, how=st.randoms(use_true_random=False))
def test_what_is_known_at_or_after_as_of_changes_no_feature_and_no_cohort(world, as_of, how):
    """Late rows, replacements and news from as_of on may be anything: features and cohorts stay as they are."""
    pairs = [(lead, as_of) for lead in range(worlds.N_LEADS)]
    brought_to(world, as_of, how)
    other = spoiled(world, as_of, how)
    asked = worlds.snapshots_of(pairs)
    before, after = (compute(w.timelines(), asked, CATALOG) for w in (world, other))
    assert bits(before) == bits(after)
    for cohort in COHORTS:
        question = Question(Conversion("orders"), Grid(days=1), cohort)
        found = [scoring_table(w.timelines(), question, DECIDING, as_of=as_of) for w in (world, other)]
        assert found[0].keys.equals(found[1].keys)


@given(
    world=worlds.timeline_worlds(tables=("orders", "events")),
    as_of=worlds.moments,
    settle=st.sampled_from([0, 1]),
    how=st.randoms(use_true_random=False),
)
def test_what_is_known_after_the_decision_changes_no_label(world, as_of, settle, how):
    """News from as_of + horizon + settle on may be anything: labels stay as they are."""
    asked = worlds.snapshots_of([(lead, as_of) for lead in range(worlds.N_LEADS)])
    decided_at = as_of + 2 * DAY + settle * DAY
    brought_to(world, decided_at, how)
    other = spoiled(world, decided_at, how)
    # A link known exactly at the decision counts for features there, never for the label.
    for row in other.rows["orders"]:
        if row["known"] >= decided_at and how.random() < 0.5:
            row |= {"known": max(decided_at - 1, row["occurred"]), "bits": 1}
    found = [label(w.timelines(), asked, Conversion("orders"), settle_days=settle) for w in (world, other)]
    assert found[0].equals(found[1])


@settings(max_examples=12)
@given(shop=shops.shops(), how=st.randoms(use_true_random=False))
def test_the_order_of_raw_rows_changes_nothing(shop, how):
    """Shuffled tables give the same features, labels and cohorts."""
    shuffled = shops.Shop({name: how.sample(rows, len(rows)) for name, rows in shop.raw.items()})
    tables = [_asked_daily(s.timelines(), Cohort("prospects")) for s in (shop, shuffled)]
    assert bits(tables[0]) == bits(tables[1])
    assert tables[0].labels.equals(tables[1].labels)


@settings(max_examples=12)
@given(shop=shops.shops(), as_of=st.sampled_from(worlds.WHOLE[5:]))
def test_raw_rows_known_at_or_after_as_of_change_nothing(shop, as_of):
    """Orders recorded, cancelled or linked from as_of on may be left out: no feature changes."""
    past = {name: _known_before(name, rows, as_of) for name, rows in shop.raw.items()}
    there = [name for name, rows in past.items() if rows]
    leads = sorted({row["lead_id"] for row in past["leads"]})
    found = []
    for raw in (shop.raw, past):
        timelines = shops.Shop({name: raw[name] for name in there}).timelines()
        catalog = [*families.catalog({n: set(t.column_names) for n, t in timelines.tables.items()}, CHOICE)]
        catalog += FADED if "orders" in timelines.tables else []
        numbers = timelines.leads["lead_id"].to_pylist()
        asked = sorted(numbers.index(lead) for lead in leads)
        found.append(bits(compute(timelines, worlds.snapshots_of([(no, as_of) for no in asked]), catalog)))
    assert found[0] == found[1]


def _known_before(table, rows, as_of):
    """Return the rows as a shop would have exported them just before *as_of*."""
    if table == "leads":
        return [r for r in rows if max(r["created_at"], r["recorded_at"]) <= as_of]
    if table == "identities":
        return [r for r in rows if max(r["linked_at"], r["recorded_at"] or 0) <= as_of]
    kept = [dict(r) for r in rows if shops._known(table, r) < as_of]
    for row in kept:
        if row.get("cancelled_at") is not None and row["cancelled_at"] >= as_of:
            row["cancelled_at"] = None
    return kept


@given(world=worlds.timeline_worlds(), pairs=worlds.asked())
def test_a_lead_alone_is_as_in_its_batch(world, pairs):
    """Each lead computed by itself gives the same bits as all of them together."""
    timelines = world.timelines()
    batch = bits(compute(timelines, worlds.snapshots_of(pairs), CATALOG))
    for lead in {lead for lead, _ in pairs}:
        places = [place for place, pair in enumerate(pairs) if pair[0] == lead]
        alone = compute(_only(timelines, [lead]), worlds.snapshots_of([pairs[place] for place in places]), CATALOG)
        assert bits(alone) == {name: [values[place] for place in places] for name, values in batch.items()}


@given(world=worlds.timeline_worlds(), cut=st.integers(1, 2), who=st.sampled_from(COHORTS), at_trigger=st.booleans())
def test_splitting_into_buckets_changes_nothing(world, cut, who, at_trigger):
    """The training tables of two buckets, one after the other, are the training table of the whole."""
    for rows in world.rows.values():
        for row in rows:
            row["id"] = row["id"][-1]  # facts that change hands between buckets
    timelines = world.timelines()
    snapshots = Trigger("events", parse({"type": "email_sent"}), until="ends_on") if at_trigger else Grid(days=1)
    question = Question(Conversion("orders"), snapshots, who, horizon_days=1, zone=world.zone)
    whole = training_table(timelines, question, CATALOG)
    leads = list(range(worlds.N_LEADS))
    parts = [training_table(_only(timelines, some), question, CATALOG) for some in (leads[:cut], leads[cut:])]
    joined = matrix.concat(parts)
    assert bits(joined) == bits(whole)
    assert joined.labels.equals(whole.labels)


def _only(timelines, leads):
    """Return the bucket of *leads*, whose numbers follow each other."""
    wanted = pa.array(leads, pa.int64())
    keep = {
        name: table.filter(pa.compute.is_in(table["lead_no"], value_set=wanted))
        for name, table in timelines.tables.items()
    }
    return Timelines(
        timelines.leads.filter(pa.compute.is_in(timelines.leads["lead_no"], value_set=wanted)), keep, timelines.coverage
    )


@settings(max_examples=100)
@given(
    world=worlds.timeline_worlds(tables=("events", "orders")),
    as_of=worlds.moments,
    how=st.randoms(use_true_random=False),
)
def test_scoring_sees_only_the_triggers_pulled_by_then(world, as_of, how):
    """A trigger recorded after the moment of scoring is not scored; one with time left is, until it converts."""
    question = Question(Conversion("orders"), Trigger("events"), horizon_days=2)
    later = spoiled_later(world, as_of, how)
    found = [scoring_table(w.timelines(), question, CATALOG[:1], as_of=as_of).keys for w in (world, later)]
    assert found[0].equals(found[1])
    asked = at_triggers(world.timelines(), question.snapshots, zone="UTC", horizon_days=2)
    ids, known_at = asked.trigger["row_id"].to_pylist(), microseconds(asked.trigger["known_at"]).tolist()
    expected = [
        row_id
        for row_id, known, at, lead in zip(ids, known_at, asked.as_of.tolist(), asked.lead_no.tolist(), strict=True)
        if (known < as_of or at == as_of) and at <= as_of < at + 2 * DAY and not has_ordered(world, lead, at, as_of)
    ]
    assert found[0]["trigger_id"].to_pylist() == expected


def has_ordered(world, lead, at, as_of):
    """Whether a lead is known by *as_of* to have ordered since *at*."""
    orders = world.timelines().tables["orders"]
    columns = [orders["lead_no"].to_pylist(), *(microseconds(orders[f"{c}_at"]).tolist() for c in CLOCKS)]
    links, cancelled = orders["link_bits"].to_pylist(), orders["is_cancelled"].to_pylist()
    return any(
        who == lead and at <= occurred < at + 2 * DAY and known + (bits & 1) < as_of and not gone
        and (until == NEVER or as_of <= until + (bits >> 1 & 1))
        for who, occurred, known, until, bits, gone in zip(*columns, links, cancelled, strict=True)
    )  # fmt: skip


CLOCKS = ("occurred", "known", "superseded")


def spoiled_later(world, as_of, how):
    """Return the world with the rows that occurred and were known after *as_of* dropped or kept at random."""
    rows = {
        name: [r for r in rows if r["known"] < as_of or r["occurred"] == as_of or how.random() < 0.5]
        for name, rows in world.rows.items()
    }
    return worlds.TimelineWorld(rows, world.coverage, world.exists, world.layout, world.zone)


@pytest.mark.parametrize("seed", [0, 1])
def test_training_leaves_out_what_is_not_ripe(seed):
    """Only snapshots whose label was decided within the data are in the training table."""
    how = random.Random(seed)
    moments = [worlds.START + how.randrange(6 * DAY) for _ in range(30)]
    blank = {
        "until": None,
        "bits": 0,
        "amount": 1,
        "discount": None,
        "items": 1,
        "category": None,
        "is_cancelled": False,
    }
    rows = [
        {"lead": how.randrange(3), "occurred": moment, "known": moment, "id": str(k), **blank}
        for k, moment in enumerate(moments)
    ]
    span = (worlds.START, worlds.START + 6 * DAY)
    world = worlds.TimelineWorld({"orders": rows}, {"orders": span}, [worlds.START] * 3)
    question = Question(Conversion("orders"), Grid(days=1), horizon_days=2, settle_days=1)
    table = training_table(world.timelines(), question, CATALOG[:2])
    as_ofs = sorted(set(table.keys["as_of"].cast("int64").to_pylist()))
    assert as_ofs == [worlds.START + k * DAY for k in range(4)]
    assert table.labels["is_ripe"].to_pylist() == [True] * len(table)


def _asked_daily(timelines, cohort):
    """Return the training table of a daily grid."""
    available = {name: set(table.column_names) for name, table in timelines.tables.items()}
    catalog = families.catalog(available, CHOICE, attributes={"plan": "text", "age": "number"})
    return training_table(timelines, Question(Conversion("orders"), Grid(days=1), cohort, horizon_days=1), catalog)
