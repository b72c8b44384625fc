"""The leak certificate of a training: every check on what a model is about to be registered for.

`certify` is called by every stage that registers a model. What fails stops the registration: see `refused`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features import conditions, moments
from features.catalog import Feature
from features.certified import Check
from features.cohorts import Cohort
from features.errors import GateFailedError, compose
from features.lags import ATTRIBUTES
from features.leak_checks import (
    Recounting,
    clocks_apart,
    cohort_without_future,
    features_without_future,
    labels_ripe,
)
from features.matrix import FeatureTable, concat
from features.sampled import Sampled
from features.sweeping import compute
from features.training_table import Question, members, training_table
from models import certificate_page
from models.certificate import Certificate
from models.leakage_alike import Known
from models.leakage_attributes import attributes_unmoved
from models.leakage_clock import clocks_ahead
from models.leakage_cohort import COHORT, cohort_is_honest
from models.leakage_filled import Looked, not_filled_by_outcome
from models.leakage_split import windows_closed
from models.leakage_suspects import no_suspect
from models.training import HoldOut, TrainedModel, moments_of
from pipeline.certificate_sample import Material, gather
from pipeline.filled_columns import looked_at
from pipeline.ingested import Tables
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.workspace import Workspace

N_CHECKS = 10
DOING = "certifying that nothing leaks"
PAGE = "certificate.html"
MOST_ROWS = 500_000
"""Snapshots from which on no further bucket is asked about everyone."""


@dataclass(frozen=True)
class Subject:
    """What is certified.

    Attributes:
        settings: The shop's config.
        tables: The ingested tables.
        question: What is predicted.
        features: The catalog.
        table: The training table.
        recounting: How it is computed again; the sweep, where nothing else computed it.
    """

    settings: Settings
    tables: Tables
    question: Question
    features: tuple[Feature, ...]
    table: FeatureTable
    recounting: Recounting

    @property
    def trusted(self) -> frozenset[str]:
        """What the config says that a person has looked at."""
        return frozenset(self.settings.certificate.trusted)

    @property
    def horizon_days(self) -> float:
        """Days of the label window; the usual one, where each trigger has its own end."""
        rows = moments_of(self.table)
        return float(np.median(rows.decided_at - rows.as_of)) / moments.DAY - self.question.settle_days

    @property
    def static(self) -> frozenset[str]:
        """Attributes that the config calls static."""
        sources = self.settings.tables.get("leads", [])
        return frozenset(name for one in sources for name, spec in one.attributes.items() if spec.static)


def certify(
    settings: Settings,
    tables: Tables,
    question: Question,
    features: Sequence[Feature],
    table: FeatureTable,
    trained: TrainedModel | HoldOut,
    *,
    recounting: Recounting | None = None,
    progress: Progress = silent,
) -> Certificate:
    """Return the leak certificate of a training.

    Args:
        settings: The shop's config.
        tables: The ingested tables.
        question: What was predicted.
        features: The catalog.
        table: The table that was trained on, in any order.
        trained: What training returned, or the part of it that says what was held out.
        recounting: How the table is computed again, where it was not by the sweep alone.
        progress: Told of every check.

    Returns:
        All checks, failed ones too: whether to go on is the caller's to say (`Certificate.is_passed`, `refused`).
    """
    features = tuple(features)
    subject = Subject(settings, tables, question, features, table, recounting or _by_sweep(question, features))
    hold_out = trained if isinstance(trained, HoldOut) else trained.hold_out
    checks: list[Check] = []

    def done(check: Check) -> None:
        checks.append(check)
        progress(DOING, len(checks), N_CHECKS)

    wanted = settings.certificate.leads
    material = gather(tables, question, features, table, leads=wanted, seed=settings.model.seed)
    again = subject.recounting
    done(features_without_future(material.samples, table, again.features, material.draws))
    done(cohort_without_future(material.samples, again.members, material.draws))
    done(labels_ripe(material.samples, table, question))
    rows = moments_of(table)
    done(windows_closed(rows, train=hold_out.train_rows, test=hold_out.test_rows, test_from=hold_out.test_from))
    done(clocks_apart(material.samples, table, again.features))
    done(no_suspect(table, trusted=subject.trusted))
    looked, seed = _looked(subject, material), settings.model.seed
    done(not_filled_by_outcome(looked, seed=seed, known=material.known, trusted=subject.trusted))
    done(_attributes(subject, material, rows.as_of))
    done(_clocks(subject, material, rows.as_of))
    done(_cohort(subject, material.known))
    return Certificate(
        question=settings.question.name,
        zone=settings.shop.time_zone,
        data_until=tables.coverage[question.conversion.table].data_until,
        snapshots=len(table),
        leads=len(np.unique(rows.lead)),
        conversions=rows.converting_leads(rows.converted),
        sampled_leads=material.leads,
        checks=tuple(checks),
        trusted=tuple(sorted(subject.trusted)),
    )


def keep(settings: Settings, certificate: Certificate) -> Path:
    """Write the certificate into the workspace as JSON, Markdown and HTML; return the page's path."""
    workspace = Workspace(settings.shop.workspace)
    folder = workspace.training_folder()
    texts = {
        "certificate.json": json.dumps(certificate.as_plain(), indent=1, ensure_ascii=False) + "\n",
        "certificate.md": certificate_page.markdown(certificate),
        PAGE: certificate_page.html(certificate),
    }
    for name, text in texts.items():
        with workspace.writing(folder / name) as path:
            path.write_text(text, encoding="utf-8")
    return folder / PAGE


def refused(certificate: Certificate, page: Path) -> GateFailedError:
    """Return the error that stops a registration: which checks failed, on what, and what to do."""
    lines = []
    for check in certificate.failed:
        found = [finding for finding in check.findings if not finding.is_trusted]
        named = "; ".join(f"{finding.what}: {finding.said}" for finding in found[:3])
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        lines += [f"{check.name}\n      {named}{more}\n      {check.hint}"]
    fact = "The model was not registered: its leak certificate failed."
    return GateFailedError(compose(fact, lines, hint=f"the whole certificate is at '{page}'."))


def _by_sweep(question: Question, features: tuple[Feature, ...]) -> Recounting:
    computed = tuple(feature for feature in features if feature.measure is not None)
    return Recounting(
        features=lambda timelines, asked: compute(timelines, asked, computed, zone=question.zone),
        members=lambda timelines, asked: members(timelines, asked, question, features),
    )


def _timed(features: Sequence[Feature]) -> tuple[str, ...]:
    """Return the number features that read rows with times, and nothing else."""
    return tuple(
        feature.name
        for feature in features
        if feature.kind == "number" and feature.measure is not None and feature.measure.table not in ("", ATTRIBUTES)
    )


def _timeless(features: Sequence[Feature]) -> tuple[str, ...]:
    """Return the features without rows of their own: attributes, the trigger's columns, and what came ready-made."""
    return tuple(
        feature.name
        for feature in features
        if feature.measure is None or feature.measure.kind == "trigger" or feature.measure.table == ATTRIBUTES
    )


def _looked(subject: Subject, material: Material) -> list[Looked]:
    timeless = _timeless(subject.table.features)
    always = np.ones(len(subject.table), dtype=np.bool_)
    timed = _timed(subject.table.features)
    whole = Looked(subject.table, dict.fromkeys(timeless, always), timed, frozenset(timeless))
    return [whole, *_columns_looked(subject, material.samples, timed)]


def _columns_looked(subject: Subject, samples: Sequence[Sampled], timed: tuple[str, ...]) -> list[Looked]:
    parts = [looked_at(one, subject.features, zone=subject.question.zone) for one in samples]
    names = [name for name in (parts[0] if parts else {}) if name in subject.table.columns.column_names]
    if not names:
        return []
    rows = np.concatenate([one.place[one.in_table] for one in samples])
    present: dict[str, npt.NDArray[np.bool_]] = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return [Looked(subject.table.take(rows), present, timed)]


def _attributes(subject: Subject, material: Material, as_of: npt.NDArray[np.int64]) -> Check:
    days, trusted = float(subject.question.horizon_days), subject.trusted
    return attributes_unmoved(material.changes, static=subject.static, days=days, as_ofs=as_of, trusted=trusted)


def _clocks(subject: Subject, material: Material, as_of: npt.NDArray[np.int64]) -> Check:
    there = [one for one in material.lags if len(one.lead)]
    return clocks_ahead(
        there,
        converting_leads=len(material.known.converting),
        horizon=subject.horizon_days,
        as_ofs=as_of,
        trusted=subject.trusted,
    )


def _cohort(subject: Subject, known: Known) -> Check:
    """Ask everyone, where the cohort reads what has no clock."""
    cohort = subject.question.cohort
    reads = tuple(sorted(conditions.columns_of(cohort.where) & set(_timeless(subject.features))))
    if not reads:
        how = "rows with times" if cohort.where or cohort.who != "everyone" else "nothing: everyone belongs"
        return COHORT.not_applicable(f"the cohort reads {how}; it was decided anew without the future")
    everyone = replace(subject.question, cohort=Cohort(cohort.who))
    features = subject.features
    columns = everyone.columns_read(features)
    parts = []
    for bucket in range(subject.tables.buckets):
        parts.append(training_table(subject.tables.timelines(bucket, columns=columns), everyone, features))
        if sum(map(len, parts)) >= MOST_ROWS:
            break
    table = concat(parts)
    belongs = conditions.mask(cohort.where, table.columns)
    seed, trusted = subject.settings.model.seed, subject.trusted
    return cohort_is_honest(
        table, belongs, reads=reads, timed=_timed(features), seed=seed, known=known, trusted=trusted
    )
