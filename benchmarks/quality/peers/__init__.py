"""The peers by name, each with the encoding that its manual recommends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.quality.peers import boosted_histograms, catboost_peer, flaml_peer, forest, lightgbm_peers, logistic
from benchmarks.quality.rows import Floats, Rows

Peer: TypeAlias = Callable[[Rows], Floats]
"""Learns from the training rows and returns the log-odds of the test rows, shape ``(n_test,)``."""

PEERS: Mapping[str, Peer] = {
    "logistic": logistic.log_odds,
    "random_forest": forest.log_odds,
    "hist_gradient_boosting": boosted_histograms.log_odds,
    "lightgbm_default": lightgbm_peers.default,
    "lightgbm_15_leaves": lightgbm_peers.fifteen_leaves,
    "lightgbm_native_early_stopping": lightgbm_peers.native_early_stopping,
    "catboost": catboost_peer.log_odds,
    "flaml": flaml_peer.log_odds,
}
