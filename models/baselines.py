"""What a model must beat to be worth having: rivals that learn from the same rows and answer for the same rows.

- logistic: numbers standardised and missing ones set to the mean, categories one-hot, scikit-learn's own settings;
- lightgbm: `LGBMClassifier` as it comes, categories as LightGBM's native ones;
- recency, frequency, rfm, bgnbd: see `models.baselines_rfm`; they need the columns of `features.rfm` beside the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.rfm import FREQUENCY
from models import baselines_rfm
from models.training import moments_of

if TYPE_CHECKING:
    import pandas as pd

    from features.matrix import FeatureTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rival: TypeAlias = Callable[[Ints, Ints], Floats]
"""From positions of rows to learn from and of rows to judge, to the log-odds of the latter, shape ``(n_judged,)``."""

CARD: Final = "points"
"""The shop's own points card, where its config names one."""
NAMES: Final[Mapping[str, str]] = {
    "leadlight": "Leadlight",
    "logistic": "logistic regression",
    "lightgbm": "LightGBM as it comes",
    "recency": "recency alone",
    "frequency": "frequency alone",
    "rfm": "log-RFM logistic",
    "bgnbd": "BG/NBD",
    CARD: "points card",
}
"""How reports call the model and its rivals, in their order."""


@dataclass(frozen=True)
class RepeatPurchase:
    """Where the conversion is an order, so that BG/NBD speaks of the same thing.

    Attributes:
        horizon_days: Days of each row's label window, shape ``(n_rows,)``.
    """

    horizon_days: Floats


def rivals(table: FeatureTable, *, repeat_purchase: RepeatPurchase | None = None, seed: int = 0) -> dict[str, Rival]:
    """Return the rivals that *table* can serve, by name.

    Args:
        table: Labelled rows.
        repeat_purchase: Given where the conversion is an order.
        seed: Seeds what is random.
    """
    found: dict[str, Rival] = {
        "logistic": partial(_on_features, logistic_margins, table),
        "lightgbm": partial(_on_features, partial(lightgbm_margins, seed=seed), table),
    }
    if table.beside is None or FREQUENCY not in table.beside.column_names:
        return found
    found |= {name: partial(_rfm, name, table) for name in baselines_rfm.COLUMNS}
    if repeat_purchase is not None:
        found["bgnbd"] = partial(_bgnbd, table, repeat_purchase, seed)
    return found


def logistic_margins(train: FeatureTable, converted: npt.NDArray[np.bool_], test: FeatureTable) -> Floats:
    """Return the log-odds of a plain logistic regression, shape ``(n_test,)``."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    return np.asarray(model.fit(_frame(train), converted).decision_function(_frame(test)))


def lightgbm_margins(train: FeatureTable, converted: npt.NDArray[np.bool_], test: FeatureTable, *, seed: int) -> Floats:
    """Return the log-odds of LightGBM with its default settings, shape ``(n_test,)``."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(random_state=seed, verbosity=-1, deterministic=True, force_row_wise=True)
    return np.asarray(model.fit(_frame(train), converted).predict(_frame(test), raw_score=True))


def _on_features(margins: Callable[..., Floats], table: FeatureTable, train: Ints, test: Ints) -> Floats:
    learned = table.take(train)
    return margins(learned, moments_of(learned).converted, table.take(test))


def _rfm(name: str, table: FeatureTable, train: Ints, test: Ints) -> Floats:
    learned = table.take(train)
    return baselines_rfm.rfm_margins(name, _beside(learned), moments_of(learned).converted, _beside(table.take(test)))


def _bgnbd(table: FeatureTable, asked: RepeatPurchase, seed: int, train: Ints, test: Ints) -> Floats:
    learned = table.take(train)
    moments = moments_of(learned)
    by_lead_and_time = np.lexsort((moments.as_of, moments.lead))
    is_last = np.append(np.diff(moments.lead[by_lead_and_time]) != 0, True)
    newest = np.zeros(len(learned), dtype=np.bool_)
    newest[by_lead_and_time[is_last]] = True
    return baselines_rfm.bgnbd_margins(
        _beside(learned),
        moments.converted,
        _beside(table.take(test)),
        newest=newest,
        horizon_days=asked.horizon_days[test],
        seed=seed,
    )


def _beside(table: FeatureTable) -> pa.Table:
    if table.beside is None:
        raise ValueError("this rival reads columns beside the features, and the table has none")
    return table.beside


def _frame(table: FeatureTable) -> pd.DataFrame:
    """Return the features as pandas, under names that LightGBM accepts, categories as such."""
    plain = table.columns.rename_columns([f"c{place}" for place in range(table.columns.num_columns)])
    frame: pd.DataFrame = plain.to_pandas(strings_to_categorical=True)
    return frame
