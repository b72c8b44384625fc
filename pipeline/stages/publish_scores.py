"""The published scores as one target takes them: which leads, in which order, and what is said of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from features.catalog import Feature
from models.model import LeadModel
from pipeline.card_store import KeptCard
from pipeline.crm.given import Filters, given_leads
from pipeline.crm.payloads import Payloads
from pipeline.crm.targets import Target
from pipeline.crm.unsendable import unsendable_ids
from pipeline.published.run_files import INFO
from pipeline.published.run_info import read_info
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.scorers import kept_scorer
from pipeline.settings import Settings


@dataclass(frozen=True)
class ScoresFor:
    """A run of scores on its way to a target."""

    settings: Settings
    target: Target
    store: ScoreStore
    stored: StoredRun

    def leads(self, filters: Filters) -> Iterator[pa.Table]:
        """Yield the leads that pass *filters* in blocks, best rank first."""
        folder = self.store.folder_of(self.stored)
        is_in_order = (folder / INFO).is_file() and read_info(folder / INFO).is_in_order
        return given_leads(self.store.path(self.stored), filters, is_in_order=is_in_order)

    def unsendable(self) -> Iterator[str]:
        """Yield the ids of leads that cannot be sent, as people see them."""
        return unsendable_ids(self.store.path(self.stored))

    def payloads(self) -> Payloads:
        """Return what makes leads into the values of the target's properties."""
        return Payloads(
            self.target.config,
            features=_features(kept_scorer(self.settings, self.stored.model_version)),
            labels=self.store.labels(self.stored),
            currency=self.settings.shop.currency,
            default_language=self.settings.shop.language,
        )

    def emptied(self, filters: Filters) -> str:
        """Return what a lead is given that is no longer in the run; empty where such leads keep what they have."""
        if self.target.config.keep_leavers or not filters.are_idle:
            return ""
        return json.dumps({field.name: None for field in self.target.fields})


def _features(scorer: LeadModel | KeptCard) -> Sequence[Feature]:
    """Return how a run's points are said: by a model's features, or by the rules of a points card."""
    return scorer.words if isinstance(scorer, KeptCard) else scorer.features
