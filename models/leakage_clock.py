"""Does a clock run ahead of the conversions? What is written down because of a conversion must not be dated before it.

Two marks give such a clock away, both over leads:

* **echo**: many conversions have a row of the signal exactly so long before them (to two hours, or to two days), and
  hardly any at another distance. A checkout written three days early stands three days before nearly every order.
  People's own habits spread: from the visit on, fewer and fewer buy each day.
* **foretelling**: a day after a row no conversion has come, and still nearly every lead goes on to convert within the
  horizon, though before the row it did not. A row whose date was guessed ("some day before") looks like this.

Rows that lie at the conversion itself (the checkout minutes before the order) are neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.certified import Asked, Check, Finding
from features.lags import Lags
from models.leakage_bounds import LEAST_LEADS, highest_share, lowest_share

Floats = npt.NDArray[np.float64]

LEAST_ECHO: Final = 0.10
"""Share of the converting leads (lower bound) that an echo needs."""
ECHO_CONTRAST: Final = 5.0
"""How many times rarer the signal must be at every other distance."""
LEAST_FORETOLD: Final = 0.80
"""Share of the leads (lower bound) that convert after a row which foretells it."""
MOST_BEFORE: Final = 0.40
"""Share of the same leads (upper bound) that converted in the horizon before it: else they convert all the time."""
QUIET: Final = 1.0
"""Days after a row in which nothing may happen for it to foretell anything."""
FARTHEST: Final = 60
"""Days before a conversion that are searched for echoes."""

CLOCKS: Final = Asked(
    "no clock runs ahead of the conversions",
    "For the rows of every signal that a feature looks at: do they stand at one distance before the conversions and at "
    "no other (an echo), or do nearly all leads convert after one, a day or more later, who did not before (it "
    "foretells)?",
    f"fails where an echo is in at least {LEAST_ECHO:.0%} of the converting leads (99.9 % bound) and {ECHO_CONTRAST:g} "
    f"times as often as at any other distance; or where at least {LEAST_FORETOLD:.0%} (99.9 % bound) convert within "
    f"the horizon after it and at most {MOST_BEFORE:.0%} did in as many days before",
    "find out when these rows are really written: map that time as recorded_at, or leave the rows out. Where the date "
    "is right (a trial that ends after exactly 14 days), name the signal or its features under certificate.trusted.",
)


@dataclass(frozen=True)
class _Resolution:
    """How finely distances are told apart: bins of *days*, echoes looked for from *least* bins on."""

    days: float
    least: int
    words: str


_RESOLUTIONS: Final = (_Resolution(1 / 24, 3, "hours"), _Resolution(1.0, 2, "days"))


def clocks_ahead(
    signals: Sequence[Lags],
    *,
    converting_leads: int,
    horizon: float,
    as_ofs: npt.NDArray[np.int64],
    trusted: frozenset[str] = frozenset(),
) -> Check:
    """Return whether a signal is dated before the conversion that caused it.

    Args:
        signals: Rows of each signal beside the conversions; see `features.lags`.
        converting_leads: Distinct leads with a conversion, over all that was read.
        horizon: Days of the label window.
        as_ofs: The moments asked about, for the report.
        trusted: Signals and features that a person has looked at.
    """
    rows = sum(len(one.lead) for one in signals)
    if not signals:
        return CLOCKS.not_applicable("no feature looks at rows other than the conversions")
    if converting_leads < LEAST_LEADS:
        return CLOCKS.not_applicable(f"{converting_leads} leads convert; {LEAST_LEADS} are needed")
    findings = []
    for one in signals:
        is_trusted = bool(trusted & {one.signal.name, *one.signal.features})
        signs = (echo(one, converting_leads), foretelling(one, horizon))
        findings += [Finding(one.signal.name, sign.said, sign.share, is_trusted) for sign in signs if sign]
    why = f"{len(signals)} signals, {converting_leads:,} converting leads"
    return CLOCKS.judged(sorted(findings, key=lambda f: -f.value), as_ofs=as_ofs, rows=rows, why=why)


@dataclass(frozen=True)
class Sign:
    """What gives a clock away.

    Attributes:
        said: In words.
        share: Of the leads: for how many it holds, 0–1.
    """

    said: str
    share: float


def echo(rows: Lags, converting_leads: int) -> Sign | None:
    """Return the echo of a signal, and in which share of the converting leads it is; None without one.

    Args:
        rows: The signal's.
        converting_leads: Distinct leads with a conversion.
    """
    found = (_echo_at(resolution, rows, converting_leads) for resolution in _RESOLUTIONS)
    return next((sign for sign in found if sign is not None), None)


def _echo_at(resolution: _Resolution, rows: Lags, converting_leads: int) -> Sign | None:
    leads = leads_by_distance(rows.to_next, rows.lead, days=resolution.days)
    place = _echo_place(leads, least=resolution.least)
    if place < 0:
        return None
    echoing = min(int(leads[place]), converting_leads)
    if lowest_share(echoing, converting_leads) < LEAST_ECHO:
        return None
    share, apart = echoing / converting_leads, f"{place} to {place + 2} {resolution.words}"
    return Sign(f"{share:.0%} of the converting leads have one {apart} before, hardly any at another distance", share)


def leads_by_distance(distance: Floats, lead: npt.NDArray[np.int64], *, days: float) -> Floats:
    """Return how many distinct leads have a row in each pair of neighbouring bins before a conversion.

    Args:
        distance: Days from each row to the next conversion.
        lead: Its lead.
        days: Width of a bin. Pairs, because an echo may lie on an edge.

    Returns:
        Per pair, the nearest first, shape ``(n_bins,)``; what lies `FARTHEST` days away or more is in none.
    """
    n_bins = round(FARTHEST / days)
    near = distance < FARTHEST
    bins = np.minimum((distance[near] / days).astype(np.int64), n_bins - 1)
    pairs = np.unique(np.concatenate([lead[near] * (n_bins + 1) + bins, lead[near] * (n_bins + 1) + bins + 1]))
    # A row of bin b stands in the pairs that begin at b - 1 and at b.
    return np.bincount(pairs % (n_bins + 1), minlength=n_bins + 1).astype(np.float64)[1:]


def _echo_place(leads: Floats, *, least: int) -> int:
    """Return the pair of bins that stands out against its flanks and everything beyond; -1 where none does."""
    if len(leads) <= least or not leads[least:].any():
        return -1
    place = least + int(np.argmax(leads[least:]))
    others = np.ones(len(leads), dtype=np.bool_)
    # What lies at the conversion itself is no other distance: some rows may be dated rightly.
    others[: place // 2] = False
    others[max(place - 2, 0) : place + 3] = False
    return place if leads[place] >= ECHO_CONTRAST * leads[others].max(initial=0.0) else -1


def foretelling(rows: Lags, horizon: float) -> Sign | None:
    """Return that a signal foretells, and the share of its leads that convert after it; None where it does not.

    Args:
        rows: The signal's; of each lead the first usable one is read.
        horizon: Days of the label window.
    """
    usable = (rows.to_next > QUIET) & (rows.followed >= horizon) & (rows.preceded >= horizon)
    leads, first = np.unique(rows.lead[usable], return_index=True)
    n = len(leads)
    if n < LEAST_LEADS:
        return None
    after = int((rows.to_next[usable][first] <= horizon).sum())
    before = int((rows.since_last[usable][first] <= horizon).sum())
    if lowest_share(after, n) < LEAST_FORETOLD or highest_share(before, n) > MOST_BEFORE:
        return None
    said = f"{after / n:.0%} of {n:,} leads convert 1 to {horizon:g} days after one, {before / n:.0%} did before it"
    return Sign(said, after / n)
