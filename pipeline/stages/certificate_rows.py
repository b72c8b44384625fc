"""The leak certificate of a model trained on a lead table: what can be asked of rows without a history.

There is no future to delete and no clock to shift. What is left are the split, and values that tell the outcome by
themselves; the other checks say that, and why, they were not asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from features import leak_checks
from features.certified import Check
from features.matrix import FeatureTable
from models.certificate import Certificate
from models.leakage_attributes import ATTRIBUTES
from models.leakage_clock import CLOCKS
from models.leakage_cohort import COHORT
from models.leakage_filled import Looked, not_filled_by_outcome
from models.leakage_split import windows_closed
from models.leakage_suspects import no_suspect
from models.training import HoldOut, moments_of
from pipeline.lead_data import lead_data
from pipeline.settings import Settings

_HINT: Final = (
    "find out when its values are written. If they are there before the outcome, name it under certificate.trusted; "
    "else leave it out: under lead_table.drop, or where lead_table.attributes lists it."
)
_NO_HISTORY: Final = "a lead table holds one row per lead, and nothing of what was known before it"


def certify_rows(settings: Settings, table: FeatureTable, hold_out: HoldOut) -> Certificate:
    """Return the leak certificate of a training on a lead table.

    Args:
        settings: The shop's config.
        table: The table that was trained on.
        hold_out: What was held out.
    """
    rows, trusted = moments_of(table), frozenset(settings.certificate.trusted)
    checks: list[Check] = [
        leak_checks.FEATURES.not_applicable(_NO_HISTORY),
        leak_checks.COHORT.not_applicable(_NO_HISTORY),
        leak_checks.LABELS.not_applicable("the labels came with the table"),
        windows_closed(rows, train=hold_out.train_rows, test=hold_out.test_rows, test_from=hold_out.test_from),
        leak_checks.CLOCKS.not_applicable(_NO_HISTORY),
        _of_rows(no_suspect(table, trusted=trusted)),
        _of_rows(not_filled_by_outcome([_every_column(table)], seed=settings.model.seed, trusted=trusted)),
        ATTRIBUTES.not_applicable(_NO_HISTORY),
        CLOCKS.not_applicable(_NO_HISTORY),
        COHORT.not_applicable("everyone in the table belongs"),
    ]
    return Certificate(
        question=settings.question.name,
        zone=settings.shop.time_zone,
        data_until=min(lead_data(settings).data_until(table.features).values()),
        snapshots=len(table),
        leads=len(np.unique(rows.lead)),
        conversions=rows.converting_leads(rows.converted),
        sampled_leads=0,
        checks=tuple(_without_days(check, settings) for check in checks),
        trusted=tuple(sorted(trusted)),
    )


def _of_rows(check: Check) -> Check:
    """Say what to do in the settings of a lead table: it has no features.drop, and no times of filling."""
    return replace(check, hint=_HINT) if check.hint else check


def _without_days(check: Check, settings: Settings) -> Check:
    """Leave out moments that are no days: places in an order, or the moment of the load."""
    is_dated = settings.lead_table is not None and settings.lead_table.date is not None
    return check if is_dated else replace(check, as_ofs=(), n_as_ofs=0)


def _every_column(table: FeatureTable) -> Looked:
    """Return every column as what could be filled later; nothing has a clock, so no leads are alike."""
    names = table.columns.column_names
    always = np.ones(len(table), dtype=np.bool_)
    return Looked(table, dict.fromkeys(names, always), timed=(), timeless=frozenset(names))
