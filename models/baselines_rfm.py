"""The plain models of recency, frequency and value that every marketer knows, on columns of `features.rfm`.

- recency: logistic regression on the logarithm of the days since the last time;
- frequency: on the logarithm of the count;
- rfm: on recency, frequency, age and value together, each as log(1 + x) with a flag where it is missing;
- bgnbd: the chance of a repeat purchase by `models.bgnbd`, which reads no label at all. Who has not bought yet gets the
  conversion rate of those who had not bought in training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from features.rfm import AGE, FREQUENCY, MONETARY, RECENCY
from models.bgnbd import Purchases, fit_bgnbd
from models.encoding import numbers
from models.model import logit

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

COLUMNS: Final = {
    "recency": (RECENCY,),
    "frequency": (FREQUENCY,),
    "rfm": (RECENCY, FREQUENCY, AGE, MONETARY),
}
"""What each logistic regression reads."""
_EDGE: Final = 1e-6
"""Probabilities stay this far from 0 and 1: a certainty that fails once costs everything."""


def rfm_margins(name: str, train: pa.Table, converted: Bools, test: pa.Table) -> Floats:
    """Return the log-odds of one of `COLUMNS`, shape ``(n_test,)``.

    Args:
        name: One of `COLUMNS`.
        train: The columns of `features.rfm` for the training rows.
        converted: Their labels.
        test: The same columns for the rows to judge.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    there = [column for column in COLUMNS[name] if column in train.column_names]
    design = _logarithms(train, there)
    scaler = StandardScaler().fit(design)
    model = LogisticRegression(C=1e3, max_iter=1000).fit(scaler.transform(design), converted)
    return np.asarray(model.decision_function(scaler.transform(_logarithms(test, there))))


def bgnbd_margins(
    train: pa.Table, converted: Bools, test: pa.Table, *, newest: Bools, horizon_days: Floats, seed: int = 0
) -> Floats:
    """Return the log-odds of a purchase by BG/NBD, shape ``(n_test,)``.

    Args:
        train: The columns of `features.rfm` for the training rows.
        converted: Their labels; read for those who have not bought yet alone.
        test: The same columns for the rows to judge.
        newest: Which training rows are their lead's newest: each customer is fitted once, shape ``(n_train,)``.
        horizon_days: Days of each judged row's label window, shape ``(n_test,)``.
        seed: Chooses the customers that are fitted where there are very many.
    """
    bought, buys = _has_bought(train), _has_bought(test)
    model = fit_bgnbd(_purchases(train, bought & newest), seed=seed)
    others = converted[~bought]
    rate = float(others.mean()) if len(others) else float(converted.mean())
    probability = np.full(len(buys), rate)
    probability[buys] = model.probability_of_purchase(_purchases(test, buys), days=horizon_days[buys])
    return logit(np.clip(probability, _EDGE, 1.0 - _EDGE))


def _logarithms(table: pa.Table, columns: list[str]) -> Floats:
    """Return log(1 + x) and a flag for missing of each column, shape ``(n_rows, 2 · n_columns)``."""
    values = np.stack([numbers(table[column]) for column in columns])
    missing = np.isnan(values)
    logs = np.where(missing, 0.0, np.log1p(np.maximum(np.nan_to_num(values), 0.0)))
    return np.concatenate([logs, missing.astype(np.float64)]).T


def _has_bought(table: pa.Table) -> Bools:
    return np.nan_to_num(numbers(table[FREQUENCY])) > 0


def _purchases(table: pa.Table, rows: Bools) -> Purchases:
    count, recency, age = (numbers(table[column])[rows] for column in (FREQUENCY, RECENCY, AGE))
    return Purchases.of(count, days_since_last=recency, days_since_first=age)
