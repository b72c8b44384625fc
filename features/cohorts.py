"""Cohorts: who is eligible to be asked about, decided from the past alone.

A cohort is a condition on features, so it sees exactly what a model sees: nothing known at or
after as_of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features import conditions
from features.catalog import Feature, Measure, Phrase
from features.errors import LeadlightError, wrong_input
from features.matrix import FeatureTable

SALES = conditions.parse({"is_cancelled": False})
"""The orders that count as sales: not cancelled, as far as is known."""

WHO = ("everyone", "prospects", "customers")
"""Cohorts by purchase: everyone, leads without a known sale, leads with one."""


@dataclass(frozen=True)
class Cohort:
    """Who is asked about.

    Attributes:
        who: One of `WHO`.
        where: Conditions on features, by name; a missing value meets none.
    """

    who: str = "everyone"
    where: conditions.Conditions = ()


def features_read(cohort: Cohort, catalog: tuple[Feature, ...]) -> tuple[Feature, ...]:
    """Return the features that decide *cohort*: few, so they are computed first and alone.

    Raises:
        LeadlightError: The cohort names a feature that the catalog does not have.
    """
    named = conditions.columns_of(cohort.where)
    found = tuple(feature for feature in catalog if feature.name in named)
    lacking = sorted(named - {feature.name for feature in found})
    if lacking:
        raise _unknown_features(lacking)
    return found + ((_sales_so_far(),) if cohort.who != "everyone" else ())


def members(cohort: Cohort, table: FeatureTable) -> npt.NDArray[np.bool_]:
    """Return which snapshots of *table* belong to *cohort*, shape ``(n,)``."""
    belongs = conditions.mask(cohort.where, table.columns)
    if cohort.who == "everyone":
        return belongs
    # Without any orders collected yet the count is missing: nobody is known to have bought.
    has_bought = table.columns[_sales_so_far().name].to_numpy() > 0
    return belongs & (has_bought if cohort.who == "customers" else ~has_bought)


def _sales_so_far() -> Feature:
    return Feature(
        name="cohort_sales_ever",
        family="purchase",
        kind="number",
        unit="count",
        concept="cohort",
        phrase=Phrase("{n} orders so far"),
        description="Sales known so far; decides the cohort.",
        measure=Measure("count", table="orders", where=SALES),
    )


def _unknown_features(names: list[str]) -> LeadlightError:
    hint = "`leadlight features` writes a data dictionary with every feature's name."
    return wrong_input("The cohort asks for features that are not in the catalog:", names, hint=hint)
