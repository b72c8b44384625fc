"""What a peer is given: the rows of a task as pandas, categories as such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.quality.task import Task
from features.catalog import Feature
from features.matrix import FeatureTable
from models.screening import only, reason_of_calendar
from models.splits import Moments, lead_groups

WATCHED_OF: Final = 5
"""Peers that stop early watch one fifth of the leads."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Rows to learn from and rows to be judged on.

    Attributes:
        train, test: Features; a category's levels are those seen in training, anything else is missing.
        converted: Labels of the training rows.
        group: Group of each training row's lead, 0 … `WATCHED_OF` - 1; no lead is in two.
        seed: Seeds the peer.
        threads: Threads the peer may use.
        seconds: Budget of a peer that searches.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    converted: Bools
    group: npt.NDArray[np.int64]
    seed: int = 0
    threads: int = 2
    seconds: int = 90

    @property
    def watched(self) -> Bools:
        """Whether a training row is of the leads set aside for early stopping."""
        return self.group == 0

    @property
    def categories(self) -> list[str]:
        """Names of the category columns."""
        return list(self.train.select_dtypes("category").columns)

    @property
    def numbers(self) -> list[str]:
        """Names of the number columns."""
        return list(self.train.select_dtypes("number").columns)


def rows_of(task: Task, *, threads: int, seconds: int) -> Rows:
    """Return the rows of *task*.

    Columns that hold one value in training are left out, and so are calendar features that give each moment a name of
    its own ("December", seen once): nobody can learn from them, and a regression on a month's number is wrong.
    """
    moments = task.moments.take(task.train)
    table = only(task.table, tuple(one for one in task.table.features if not _names_moments(one, task, moments)))
    train, test = (_frame(table.take(rows)) for rows in (task.train, task.test))
    train = train[[name for name in train if len(train[name].unique()) > 1]]
    test = test[train.columns]
    for name in train.select_dtypes("category"):
        levels = pd.CategoricalDtype(sorted(train[name].dropna().unique()))
        train[name], test[name] = train[name].astype(levels), test[name].astype(levels)
    group = lead_groups(moments, count=WATCHED_OF, seed=0)
    return Rows(train, test, moments.converted, group, threads=threads, seconds=seconds)


def _names_moments(feature: Feature, task: Task, moments: Moments) -> bool:
    values = task.table.columns[feature.name].take(pa.array(task.train))
    return feature.family == "calendar" and bool(reason_of_calendar(values, moments.as_of))


def _frame(table: FeatureTable) -> pd.DataFrame:
    columns = {
        f"f{place}": pd.Categorical(values.cast(pa.string()).to_pylist())
        if pa.types.is_dictionary(values.type)
        else values.to_numpy().astype(np.float64)
        for place, values in enumerate(table.columns.itercolumns())
    }
    return pd.DataFrame(columns)
