"""The outcome of the races: a table for people, one line of JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from benchmarks.features import contestants
from benchmarks.features.cases import EVENTS_PER_LEAD
from benchmarks.features.race import Lap, finished

if TYPE_CHECKING:
    from benchmarks.features.cases import Case
    from benchmarks.features.data import Dataset


def heading(case: Case, dataset: Dataset) -> str:
    """Return what is asked, and apart from all other seconds what the making of the files took."""
    asked = f"{case.name}: {case.leads:,} leads x {len(case.as_of)} snapshots, {EVENTS_PER_LEAD} events a lead"
    earlier = " by an earlier run" if dataset.is_cached else ""
    return f"{asked} (sorted files made in {dataset.seconds:.1f} s{earlier})"


def table(laps: Sequence[Lap]) -> Table:
    """Return the laps of a case as a table."""
    shown = Table("contestant", "written as")
    for heading in ("seconds", "CPU s", "of it system", "peak GB", "first call s"):
        shown.add_column(heading, justify="right")
    shown.add_column("outcome")
    for lap in laps:
        numbers = (lap.seconds, lap.cpu_seconds, lap.system_seconds, lap.peak_gb, lap.first_call_seconds)
        shown.add_row(lap.contestant, lap.formulation, *(_number(value) for value in numbers), _outcome(lap))
    return shown


def verdict(case: Case, laps: Sequence[Lap], *, quick: bool) -> str:
    """Return one sentence: how far this project leads, against what it promises."""
    if quick:
        return f"{case.name}: a small form; it says who computed the same, and nothing about speed."
    ratio = _ratio(laps)
    if math.isnan(ratio):
        return f"{case.name}: no ratio, as a contestant did not finish with equal numbers."
    peak = finished(laps, contestants.OURS)[0].peak_gb
    return f"{case.name}: {ratio:.1f}x the best peer (promised: {case.floor:.0f}x), peak {peak:.2f} GB."


def summary(laps: Sequence[Lap]) -> Mapping[str, object]:
    """Return the case's part of the JSON line; what is unknown is null."""
    ours = finished(laps, contestants.OURS)
    seconds = {}
    for name in contestants.NAMES:
        best = finished(laps, name)
        seconds[name] = _rounded(best[0].seconds) if best else None
    return {
        "ratio_to_best_peer": _rounded(_ratio(laps)),
        "peak_gb": _rounded(ours[0].peak_gb) if ours else None,
        "seconds": seconds,
    }


def _ratio(laps: Sequence[Lap]) -> float:
    ours, peers = finished(laps, contestants.OURS), finished(laps, *contestants.PEERS)
    return peers[0].seconds / ours[0].seconds if ours and peers else float("nan")


def _outcome(lap: Lap) -> str:
    columns = ", ".join(f"{d['column']} ({d['rows']} rows, up to {d['largest']:.3g})" for d in lap.differences[:3])
    return (
        f"{lap.outcome}: {columns}"
        if lap.differences
        else {"ok": "equal", "reference": "equal"}.get(lap.outcome, lap.outcome)
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)
