"""The leak certificate of a model trained on a lead table: what can be asked of rows without a history.

There is no future to delete and no clock to shift. What is left are the split, and values that tell the outcome by
themselves; the other checks say that, and why, they were not asked.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features import leak_checks
from features.certified import Check
from features.matrix import FeatureTable
from models.certificate import Certificate
from models.leakage_attributes import ATTRIBUTES
from models.leakage_clock import CLOCKS
from models.leakage_cohort import COHORT
from models.leakage_filled import FILLED
from models.leakage_split import windows_closed
from models.leakage_suspects import no_suspect
from models.training import HoldOut, moments_of
from pipeline.settings import Settings

_NO_HISTORY: Final = "a lead table holds one row per lead, and nothing of what was known before it"
_NO_TWINS: Final = (
    "without a history, a value that was filled later looks like one that tells leads apart: ask its owner"
)


def certify_rows(settings: Settings, table: FeatureTable, hold_out: HoldOut) -> Certificate:
    """Return the leak certificate of a training on a lead table.

    Args:
        settings: The shop's config.
        table: The table that was trained on.
        hold_out: What was held out.
    """
    rows = moments_of(table)
    checks: list[Check] = [
        leak_checks.FEATURES.not_applicable(_NO_HISTORY),
        leak_checks.COHORT.not_applicable(_NO_HISTORY),
        leak_checks.LABELS.not_applicable("the labels came with the table"),
        windows_closed(rows, train=hold_out.train_rows, test=hold_out.test_rows, test_from=hold_out.test_from),
        leak_checks.CLOCKS.not_applicable(_NO_HISTORY),
        no_suspect(table, trusted=frozenset(settings.certificate.trusted)),
        FILLED.not_applicable(_NO_TWINS),
        ATTRIBUTES.not_applicable(_NO_HISTORY),
        CLOCKS.not_applicable(_NO_HISTORY),
        COHORT.not_applicable("everyone in the table belongs"),
    ]
    return Certificate(
        question=settings.question.name,
        zone=settings.shop.time_zone,
        data_until=int(rows.decided_at.max()),
        snapshots=len(table),
        leads=len(np.unique(rows.lead)),
        conversions=rows.converting_leads(rows.converted),
        sampled_leads=0,
        checks=tuple(checks),
        trusted=tuple(sorted(settings.certificate.trusted)),
    )
