"""A year of shop events as bucketed, sorted Parquet: the one input of all contestants.

Every bucket is drawn from its own seed, so that a file depends on nothing but its number,
and only one bucket lies in memory at a time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.features.cases import (
    DATA_FROM,
    DATA_UNTIL,
    EVENTS_PER_LEAD,
    MICROSECONDS_PER_DAY,
    Case,
    microseconds,
)

FORMAT = "5"  # a new number makes cached files of older layouts unused
TYPES = ("view", "cart", "purchase", "search")
TYPE_SHARES = (0.68, 0.15, 0.09, 0.08)
CATEGORIES = tuple(f"category_{number:02d}" for number in range(50))
SOURCES = ("ads", "affiliate", "direct", "e-mail", "organic", "partner", "referral", "social")
LATE_SHARE = 0.05
TIE_SHARE = 0.03
MIDNIGHT_SHARE = 0.01
SECOND = 1_000_000
SECONDS_FILE = "seconds.txt"
MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Dataset:
    """Where a case's files lie, and how many seconds it took to make them, now or in an earlier run."""

    folder: Path
    seconds: float
    is_cached: bool


def ensure(case: Case) -> Dataset:
    """Return the files of *case*, generating them when the temp folder lacks them.

    Args:
        case: Leads, buckets and the share of superseded rows; the snapshots do not matter.

    Returns:
        The folder with ``events/bucket-NNNN.parquet`` and ``leads/bucket-NNNN.parquet``.
    """
    text = f"{FORMAT}/{case.leads}/{case.bucket_leads}/{case.superseded_share}"
    name = f"{case.leads}-leads-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    folder = Path(tempfile.gettempdir()) / f"leadlight-benchmarks-{os.getuid()}" / name
    if folder.exists():
        return Dataset(folder, float((folder / SECONDS_FILE).read_text()), is_cached=True)
    started = time.perf_counter()
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder.parent))
    for number, first in enumerate(range(0, case.leads, case.bucket_leads)):
        leads = min(case.bucket_leads, case.leads - first)
        rng = np.random.default_rng([20250101, number])
        _write(beside / "events", number, _events(rng, first, leads=leads, case=case))
        _write(beside / "leads", number, _leads(first, leads=leads))
    seconds = time.perf_counter() - started
    (beside / SECONDS_FILE).write_text(f"{seconds:.3f}")
    try:
        beside.rename(folder)
    except OSError:  # another run finished the same folder first: its files are equal
        shutil.rmtree(beside)
    return Dataset(folder, seconds, is_cached=False)


def _write(folder: Path, number: int, table: pa.Table) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"bucket-{number:04d}.parquet"
    texts = ["type", "category", "source"]
    pq.write_table(table, path, compression="lz4", use_dictionary=texts, row_group_size=131_072)


def _leads(first: int, *, leads: int) -> pa.Table:
    lead_no = np.arange(first, first + leads, dtype=np.int64)
    lead_id = pc.binary_join_element_wise("lead-", pc.utf8_lpad(pc.cast(lead_no, pa.string()), 8, "0"), "")
    exists = pa.array(np.full(leads, microseconds(DATA_FROM)), type=MOMENT)
    return pa.table({"lead_no": lead_no, "lead_id": lead_id, "exists_from": exists})


def _events(rng: np.random.Generator, first: int, *, leads: int, case: Case) -> pa.Table:
    rows = leads * EVENTS_PER_LEAD
    # Some leads are far busier than others, as in a real shop; the total stays exact.
    weight = rng.exponential(size=leads) + 0.05
    lead = np.sort(rng.choice(leads, size=rows, p=weight / weight.sum()))
    occurred = _occurred(rng, lead)
    known = _known(rng, occurred)
    number = rng.permutation(rows)
    order = np.lexsort((number, known, occurred, lead))
    lead, occurred, known, number = lead[order], occurred[order], known[order], number[order]
    value = rng.lognormal(3.2, 0.9, size=rows)
    text = pc.utf8_lpad(pc.cast(pa.array(number + first * EVENTS_PER_LEAD), pa.string()), 10, "0")
    return pa.table(
        {
            "lead_no": lead + first,
            "occurred_at": pa.array(occurred, type=MOMENT),
            "known_at": pa.array(known, type=MOMENT),
            "superseded_at": _superseded(rng, known, share=case.superseded_share),
            "link_bits": np.zeros(rows, dtype=np.int8),
            "row_id": pc.binary_join_element_wise("e", text, ""),
            "type": _texts(rng, TYPES, rows, shares=TYPE_SHARES),
            "value": (value * 10_000).astype(np.int64),
            "category": _texts(rng, CATEGORIES, rows),
            "source": _texts(rng, SOURCES, rows),
        }
    )


def _occurred(rng: np.random.Generator, lead: np.ndarray) -> np.ndarray:
    begin, end = microseconds(DATA_FROM), microseconds(DATA_UNTIL)
    occurred = rng.integers(begin // SECOND, end // SECOND, size=lead.size) * SECOND
    midnight = rng.random(lead.size) < MIDNIGHT_SHARE  # rows exactly on window edges
    occurred[midnight] -= occurred[midnight] % MICROSECONDS_PER_DAY
    tied = np.flatnonzero(rng.random(lead.size) < TIE_SHARE)
    tied = tied[(tied > 0) & (lead[tied] == lead[tied - 1])]
    occurred[tied] = occurred[tied - 1]
    return occurred


def _known(rng: np.random.Generator, occurred: np.ndarray) -> np.ndarray:
    known = occurred.copy()
    late = rng.random(occurred.size) < LATE_SHARE
    days = 0.5 + rng.exponential(5.0, size=int(late.sum()))
    known[late] += (days * MICROSECONDS_PER_DAY).astype(np.int64)
    return known


def _superseded(rng: np.random.Generator, known: np.ndarray, *, share: float) -> pa.Array:
    days = 0.5 + rng.exponential(20.0, size=known.size)
    kept = rng.random(known.size) >= share
    later = known + (days * MICROSECONDS_PER_DAY).astype(np.int64)
    return pa.array(later, mask=kept, type=MOMENT)


def _texts(
    rng: np.random.Generator, levels: tuple[str, ...], rows: int, *, shares: tuple[float, ...] | None = None
) -> pa.DictionaryArray:
    # Zipf-like shares: a few categories and sources carry most of the traffic.
    weights = np.array(shares) if shares else 1.0 / (np.arange(len(levels)) + 2.0)
    codes = rng.choice(len(levels), size=rows, p=weights / weights.sum()).astype(np.int32)
    return pa.DictionaryArray.from_arrays(codes, list(levels))
