"""The checks that compute again: without the future, with a wrong clock, and labels row by row.

Each compares the table that was trained on with a recount on other timelines. Whoever computed that table, and by
whatever means: a value that the past alone does not give is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import moments
from features.certified import Asked, Check, Finding
from features.deleting import differing
from features.matrix import FeatureTable
from features.recounting import converted
from features.sampled import ROUNDS, Membership, Recount, Sampled, cut_round_by_round, edges
from features.shifting import shifted, sources
from features.timeline import Int64Array, microseconds
from features.training_table import Question

SHIFT_DAYS = 1
MOST_LABELS = 1000
"""Snapshots whose label is counted again by hand, per bucket."""
MOST_SHIFTED = 5000
"""Snapshots that are computed again for each shifted clock, per bucket."""

FEATURES = Asked(
    "features unchanged when the future is deleted",
    f"For each sampled lead every row known at or after one of its as-ofs is deleted, and its features there are "
    f"computed anew: {len(ROUNDS)} rounds, from its first as_of to its last. The values trained on must be the same to "
    "the bit.",
    "fails from 1 differing value on",
    "the feature reads what was not known yet: mend what computes it, or drop it under features.drop.",
)
COHORT = Asked(
    "cohort unchanged when the future is deleted",
    "For the same leads and cuts: is who was asked about decided alike without the future?",
    "fails from 1 differing snapshot on",
    "question.cohort must be decided by what was known at as_of.",
)
LABELS = Asked(
    "labels ripe",
    "Every label was decided within the data of the table that holds conversions; for a sample it is decided again "
    "from the rows, one by one.",
    "fails from 1 label on",
    "shorten question.horizon_days or settle_days, or ingest the conversions up to the last label's end.",
)
CLOCKS = Asked(
    "a shifted clock moves only its own features",
    f"All times of one source are moved by {SHIFT_DAYS} day, one source after the other: features that do not say that "
    "they read it must stay the same to the bit.",
    "fails from 1 moved feature on",
    "the feature reads a source that its definition does not name: name it, or drop the feature.",
)


def features_without_future(
    samples: Sequence[Sampled], table: FeatureTable, recount: Recount, draws: Sequence[npt.NDArray[np.float64]]
) -> Check:
    """Return whether the features trained on are what the past alone gives.

    Args:
        samples: Leads of some buckets.
        table: What was trained on.
        recount: Computes its features anew.
        draws: Per sample and lead of its bucket a number in [0, 1) that chooses the cuts in between.
    """
    counts: dict[str, int] = {}
    compared: list[Int64Array] = []
    for cut in cut_round_by_round(samples, draws):
        rows = cut.at_cut & cut.sample.in_table
        asked = cut.sample.asked.take(rows)
        again = recount(cut.past, asked)
        for name, differs in differing(again, table.take(cut.sample.place[rows])).items():
            counts[name] = counts.get(name, 0) + int(differs.sum())
        compared.append(asked.as_of)
    as_ofs = np.concatenate([np.empty(0, dtype=np.int64), *compared])
    findings = [
        Finding(name, f"{count:,} of {len(as_ofs):,} values are others without the future", count / len(as_ofs))
        for name, count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    lacking = set(table.columns.column_names) - {f.name for f in table.features if f.measure is not None}
    notes = [f"{name} was brought ready-made, so nobody can compute it again." for name in sorted(lacking)]
    return FEATURES.judged(findings, as_ofs=as_ofs, rows=len(as_ofs), why=_sampled_words(samples), notes=notes)


def cohort_without_future(
    samples: Sequence[Sampled], membership: Membership, draws: Sequence[npt.NDArray[np.float64]]
) -> Check:
    """Return whether the snapshots trained on are those that the past alone would ask about.

    Args:
        samples: Leads of some buckets.
        membership: Decides anew who belongs to the cohort.
        draws: As for `features_without_future`.
    """
    differ, compared = 0, []
    for cut in cut_round_by_round(samples, draws):
        asked = cut.sample.asked.take(cut.at_cut)
        differ += int((membership(cut.past, asked) != cut.sample.in_table[cut.at_cut]).sum())
        compared.append(asked.as_of)
    as_ofs = np.concatenate([np.empty(0, dtype=np.int64), *compared])
    strangers = sum(one.strangers for one in samples)
    findings = []
    if differ:
        findings.append(
            Finding("cohort", f"{differ:,} of {len(as_ofs):,} snapshots are decided otherwise", float(differ))
        )
    if strangers:
        said = f"{strangers:,} snapshots of the table are of moments that the question does not ask about"
        findings.append(Finding("snapshots", said, float(strangers)))
    return COHORT.judged(findings, as_ofs=as_ofs, rows=len(as_ofs), why=_sampled_words(samples))


def labels_ripe(samples: Sequence[Sampled], table: FeatureTable, question: Question) -> Check:
    """Return whether every label was decided within the data, and sampled ones are what the rows say."""
    labels = table.labels
    if not samples or not len(table) or labels is None:
        return LABELS.not_applicable("there are no labels to count again")
    span = samples[0].timelines.coverage[question.conversion.table]
    as_of = microseconds(table.keys["as_of"])
    ripe = moments.is_ripe(
        as_of, microseconds(labels["decided_at"]), data_from=span.data_from, data_until=span.data_until
    )
    findings = []
    if not ripe.all():
        said = f"{int((~ripe).sum()):,} labels were decided outside the data of '{question.conversion.table}'"
        findings.append(Finding("label window", said, float((~ripe).sum())))
    wrong = counted = 0
    for one in samples:
        rows = _some(one, MOST_LABELS)
        again = converted(one.timelines, one.asked.take(rows), question.conversion, settle_days=question.settle_days)
        trained_on = labels["converted"].take(pa.array(one.place[rows])).to_numpy()
        wrong, counted = wrong + int((again != trained_on).sum()), counted + len(rows)
    if wrong:
        findings.append(Finding("label", f"{wrong:,} of {counted:,} labels are not what the rows say", float(wrong)))
    why = f"{len(table):,} labels, {counted:,} of them decided again"
    return LABELS.judged(findings, as_ofs=as_of, rows=len(table), why=why)


def clocks_apart(samples: Sequence[Sampled], table: FeatureTable, recount: Recount) -> Check:
    """Return whether each feature follows the clocks of its own sources alone."""
    declared = {feature.name: sources(feature) for feature in table.features}
    moved: dict[tuple[str, str], int] = {}
    n_rows = 0
    for one in samples:
        asked = one.asked.take(_some(one, MOST_SHIFTED))
        n_rows += len(asked)
        before = recount(one.timelines, asked)
        for source in sorted(one.timelines.tables):
            after = recount(shifted(one.timelines, source, by=SHIFT_DAYS * moments.DAY), asked)
            for name, differs in differing(after, before).items():
                if source not in declared.get(name, frozenset()):
                    moved[name, source] = moved.get((name, source), 0) + int(differs.sum())
    findings = [
        Finding(name, f"{count:,} of {n_rows:,} values move with '{source}', which it does not name", count / n_rows)
        for (name, source), count in sorted(moved.items(), key=lambda item: -item[1])
    ]
    tables = sorted(_tables(samples))
    why = f"{_sampled_words(samples)}; moved: {', '.join(tables)}"
    return CLOCKS.judged(findings, as_ofs=edges(samples), rows=n_rows, why=why)


def _some(one: Sampled, most: int) -> Int64Array:
    """Return positions of at most *most* snapshots that are in the training table, evenly over all."""
    rows = np.flatnonzero(one.in_table)
    return rows[:: max(1, -(-len(rows) // most))]


def _tables(samples: Iterable[Sampled]) -> set[str]:
    return {name for one in samples for name in one.timelines.tables}


def _sampled_words(samples: Sequence[Sampled]) -> str:
    leads = sum(len(np.unique(one.asked.lead_no)) for one in samples)
    return f"{leads:,} sampled leads"


@dataclass(frozen=True)
class Recounting:
    """How a training table is computed again.

    Attributes:
        features: Computes features anew.
        members: Decides anew who belongs to the cohort.
    """

    features: Recount
    members: Membership
