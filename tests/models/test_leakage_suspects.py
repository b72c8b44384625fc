"""Suspect features: too good alone, or filled by the outcome; and honest strong ones that are not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.catalog import Feature, Measure, Phrase
from features.certified import FAILED, NOT_APPLICABLE, PASSED
from features.matrix import FeatureTable
from models.leakage_alike import STRATA, Known, first_where, leads_alike
from models.leakage_cohort import cohort_is_honest
from models.leakage_filled import Looked, not_filled_by_outcome
from models.leakage_suspects import feature_auc, no_suspect
from models.training import moments_of

TIMED = ("orders_count_30d", "days_since_last_order")


def with_column(table, name, values):
    """Return *table* with one more feature, an attribute."""
    kind = "number" if np.asarray(values).dtype.kind == "f" else "category"
    column = pa.array(values) if kind == "number" else pa.array(values).dictionary_encode()
    feature = Feature(name, "fit", kind, kind, name, Phrase("{n}"), "", measure=Measure("last", "attributes", (), name))
    return replace(table, columns=table.columns.append_column(name, column), features=(*table.features, feature))


def by_lead(table, of_converting, of_others, seed=0):
    """Return per row whether its lead is marked: a share of the leads that ever convert, another of the others."""
    rows = moments_of(table)
    leads, place = np.unique(rows.lead, return_inverse=True)
    converts = np.isin(leads, rows.lead[rows.converted])
    marked = np.random.default_rng(seed).random(len(leads)) < np.where(converts, of_converting, of_others)
    return marked[place]


def filled(table, name, **options):
    """Return the result of looking at one attribute."""
    looked = Looked(table, {name: np.ones(len(table), dtype=bool)}, TIMED, frozenset({name}))
    return not_filled_by_outcome([looked], seed=0, **options)


@pytest.fixture(scope="module")
def shop(make_shop):
    """A labelled shop of 1,500 leads."""
    return make_shop(1500, seed=5, base=-3.5)


def test_a_feature_that_is_the_label_is_suspect_either_way_round(shop):
    """The label itself, its opposite, its presence and a level of it are found; trusted, they are told."""
    converted = moments_of(shop).converted
    planted = {
        "same": converted + 0.0,
        "opposite": 5.0 - converted,
        "presence": np.where(converted, 1.0, np.nan),
        "level": np.where(converted, "won", "open"),
    }
    table = shop
    for name, values in planted.items():
        table = with_column(table, name, values)
    found = no_suspect(table)
    assert found.outcome == FAILED
    assert {finding.what for finding in found.findings} == set(planted)
    assert no_suspect(table, trusted=frozenset(planted)).outcome == PASSED


def test_a_strong_honest_feature_is_not_suspect(shop):
    """An AUC of .9 is strong, and passes."""
    converted = moments_of(shop).converted
    noise = np.random.default_rng(1).normal(0, 1, len(shop))
    table = with_column(shop, "strong", converted * 1.8 + noise)
    auc = feature_auc(table.features[-1], table, converted, moments_of(shop).lead)
    assert 0.85 < auc < 0.95
    assert no_suspect(table).outcome == PASSED


def test_an_id_is_not_suspect(shop):
    """A category with a level per lead tells nothing of other leads, so its rates are nobody's label."""
    ids = np.array([f"id-{lead}" for lead in moments_of(shop).lead])
    assert no_suspect(with_column(shop, "row", ids)).outcome == PASSED


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_what_is_filled_for_converting_leads_alone_is_found_by_name(shop, share):
    """Filled for a share of the leads that convert one day and 1 % of the others: backfilled."""
    marked = by_lead(shop, share, 0.01)
    table = with_column(shop, "manager", np.where(marked, "Ann", None))
    found = filled(table, "manager")
    assert found.outcome == FAILED
    assert found.findings[0].what == "manager"
    assert "of the leads that convert later" in found.findings[0].said
    assert filled(table, "manager", trusted=frozenset({"manager"})).outcome == PASSED


def test_what_is_missing_for_converting_leads_alone_is_found_too(shop):
    """A reason lost is filled for those who never convert: the same leak the other way round."""
    marked = by_lead(shop, 0.03, 0.5)
    assert filled(with_column(shop, "reason", np.where(marked, "price", None)), "reason").outcome == FAILED


def test_a_level_that_says_customer_is_found(shop):
    """A stage that is always filled, and reads "customer" for leads that will be one."""
    marked = by_lead(shop, 0.6, 0.01)
    found = filled(with_column(shop, "stage", np.where(marked, "customer", "lead")), "stage")
    assert found.outcome == FAILED
    assert "'customer'" in found.findings[0].said or "'lead'" in found.findings[0].said


def test_a_number_that_is_zero_until_the_conversion_is_found(shop):
    """Deals: above zero for most leads that convert one day."""
    marked = by_lead(shop, 0.6, 0.01)
    found = filled(with_column(shop, "deals", marked * 2.0), "deals")
    assert found.outcome == FAILED
    assert "'above 0'" in found.findings[0].said or "'0'" in found.findings[0].said


def test_the_size_of_a_number_read_at_the_export_is_found(shop):
    """Visits up to the export count those that the conversion brought along; a score given at sign-up is weaker."""
    rows = moments_of(shop)
    leads, place = np.unique(rows.lead, return_inverse=True)
    converts = np.isin(leads, rows.lead[rows.converted])
    noise = np.random.default_rng(2).normal(0, 1, len(leads))
    found = filled(with_column(shop, "visits", (20 + noise + 1.6 * converts)[place]), "visits")
    assert found.outcome == FAILED
    assert "its size alone" in found.findings[0].said
    assert filled(with_column(shop, "fit", (20 + noise + 0.6 * converts)[place]), "fit").outcome == PASSED


@pytest.mark.parametrize(("of_converting", "of_others"), [(0.5, 0.5), (0.55, 0.35), (0.3, 0.15)])
def test_an_honest_attribute_that_keen_leads_fill_is_not(shop, of_converting, of_others):
    """Odds twice as high are what a form field may honestly tell."""
    marked = by_lead(shop, of_converting, of_others)
    assert filled(with_column(shop, "size", np.where(marked, "big", None)), "size").outcome == PASSED


def test_a_history_that_converts_well_is_honest(shop):
    """Who bought in an earlier campaign is filled 15 times as often, and still a third of them do not convert."""
    marked = by_lead(shop, 0.19, 0.03)
    table = with_column(shop, "outcome_before", np.where(marked, "success", None))
    assert filled(table, "outcome_before").outcome == PASSED


def test_who_did_nothing_and_does_not_convert_is_honest(shop):
    """Zero pages seen, zero conversions: a number's zero may decide against converting."""
    idle = by_lead(shop, 0.005, 0.3)
    assert filled(with_column(shop, "pages_seen", np.where(idle, 0.0, 5.0)), "pages_seen").outcome == PASSED


def test_leads_that_can_never_convert_are_honest(shop):
    """A country that is not served, a phone number that is missing: nobody there converts, and nothing leaks."""
    unserved, silent = by_lead(shop, 0.0, 0.3), by_lead(shop, 0.0, 0.4, seed=3)
    assert filled(with_column(shop, "land", np.where(unserved, "far", "near")), "land").outcome == PASSED
    assert filled(with_column(shop, "phone", np.where(silent, None, "1")), "phone").outcome == PASSED


def test_a_version_known_only_after_the_conversion_is_found(shop):
    """The export keeps the last change alone: before it the value is missing, for those who convert."""
    changed = by_lead(shop, 0.6, 0.01)
    assert filled(with_column(shop, "city", np.where(changed, None, "Rome")), "city").outcome == FAILED


def lead_table(frame, converted):
    """Return a table of leads without history: one snapshot each, all columns ready-made."""
    kinds = {name: "number" if frame[name].dtype.kind in "bif" else "category" for name in frame}
    features = tuple(Feature(name, "fit", kind, "number", name, Phrase("{n}"), "") for name, kind in kinds.items())
    columns = {
        name: pa.array(frame[name].to_numpy(np.float64))
        if kind == "number"
        else pa.array([None if pd.isna(value) else str(value) for value in frame[name]]).cast(
            pa.dictionary(pa.int32(), pa.string())
        )
        for name, kind in kinds.items()
    }
    n, time = len(frame), pa.timestamp("us", tz="UTC")
    moment = pa.array(np.zeros(n, np.int64)).cast(time)
    keys = {"lead_id": [str(place) for place in range(n)], "as_of": moment, "trigger_id": pa.nulls(n, pa.string())}
    labels = {"converted": np.asarray(converted, bool), "converted_at": pa.nulls(n, time), "decided_at": moment,
              "is_ripe": np.ones(n, bool)}  # fmt: skip
    return FeatureTable(pa.table(keys), pa.table(columns), features, pa.table(labels))


def filled_of(table):
    """Return what is found in a table of leads without history."""
    names = table.columns.column_names
    looked = Looked(table, dict.fromkeys(names, np.ones(len(table), bool)), (), frozenset(names))
    return {finding.what for finding in not_filled_by_outcome([looked], seed=0).findings}


def test_the_columns_of_closed_deals_are_found_on_real_leads(shared_data):
    """Olist: every column that exists for winners only is named, and origin and landing page are not."""
    leads = pd.read_parquet(shared_data("olist_leads.parquet"))
    deals = pd.read_parquet(shared_data("olist_closed_deals.parquet"))
    joined = leads.merge(deals, on="mql_id", how="left")
    won = joined["won_date"].notna()
    honest = ["origin", "landing_page_id"]
    leaks = [name for name in deals if name not in ("mql_id", "won_date")]
    assert filled_of(lead_table(joined[honest + leaks], won)) == set(leaks)
    assert no_suspect(lead_table(joined[honest], won)).outcome == PASSED


def test_an_honest_history_passes_on_real_leads(shared_data):
    """Bank marketing: earlier contacts and their outcome, filled 14 times as often for who subscribes, are honest."""
    calls = pd.read_parquet(shared_data("bank_additional.parquet")).drop(columns="duration")
    converted = calls.pop("y") == "yes"
    calls["pdays"] = calls["pdays"].where(calls["pdays"] < 999)
    assert filled_of(lead_table(calls, converted)) == set()
    assert no_suspect(lead_table(calls, converted)).outcome == PASSED


def test_rows_without_a_source_are_not_looked_at(shop):
    """A value that is missing where there was nothing to fill it from is honest, whatever it tells."""
    marked = by_lead(shop, 0.9, 0.1)
    table = with_column(shop, "campaign", np.where(marked, "spring", None))
    looked = Looked(table, {"campaign": marked}, TIMED)
    assert not_filled_by_outcome([looked], seed=0).outcome == PASSED
    assert not_filled_by_outcome([replace(looked, present={})], seed=0).outcome == NOT_APPLICABLE


def test_who_converted_before_is_neither_kind(shop):
    """A lead known to have converted outside its snapshots is left out, so that its mark blurs nothing."""
    rows = moments_of(shop)
    leads = np.unique(rows.lead)
    later = np.unique(rows.lead[rows.converted])
    before = np.setdiff1d(leads, later)[:100]
    known = Known(leads, np.sort(np.concatenate([later, before])))
    found = leads_alike(shop, rows, TIMED, seed=0, known=known)
    assert set(found.lead[found.converts].tolist()) == set(later.tolist())
    assert not set(found.lead.tolist()) & set(before.tolist())
    customers = leads_alike(shop, rows, TIMED, seed=0, known=Known(leads, leads))
    assert len(customers.lead) == len(leads)


def test_each_lead_stands_once_with_its_first_row(shop):
    """The first row in time, whatever the order of rows; strata have equally many leads."""
    rows = moments_of(shop)
    found = leads_alike(shop, rows, TIMED, seed=0)
    assert (rows.as_of[found.row] == rows.as_of.min()).all()
    assert np.bincount(found.stratum).tolist() == [len(found.lead) // STRATA] * STRATA
    order = np.random.default_rng(0).permutation(len(shop))
    shuffled = shop.take(order)
    again = leads_alike(shuffled, moments_of(shuffled), TIMED, seed=0)
    assert (again.stratum == found.stratum).all()
    assert (again.converts == found.converts).all()
    second = first_where(rows, rows.as_of > rows.as_of.min(), found)
    assert (rows.as_of[second.row] == np.unique(rows.as_of)[1]).all()


def test_a_cohort_without_its_losers_is_found_and_one_by_country_is_not(shop):
    """Left out for never converting: found. Left out for where they live: fine."""
    chosen = ~by_lead(shop, 0.02, 0.4)
    options = {"reads": ("stage",), "timed": TIMED, "seed": 0}
    found = cohort_is_honest(shop, chosen, **options)
    assert found.outcome == FAILED
    assert found.findings[0].what == "stage"
    assert cohort_is_honest(shop, chosen, trusted=frozenset({"stage"}), **options).outcome == PASSED
    assert cohort_is_honest(shop, by_lead(shop, 0.6, 0.5), **options).outcome == PASSED
    assert cohort_is_honest(shop, np.ones(len(shop), dtype=bool), **options).outcome == NOT_APPLICABLE
