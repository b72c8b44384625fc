"""The features by hand in polars: the events are read once, each snapshot is a filtered group-by.

Windows are nested, so one group-by over the longest window gives all three: a shorter window is
a condition inside the aggregate. The files are sorted, so that the row number orders ties; packed
with the source it finds the first and the last one by a plain minimum and maximum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks.features.cases import COUNTS, MICROSECONDS_PER_DAY, SUMS, WINDOW_DAYS, Case

if TYPE_CHECKING:
    from pathlib import Path

DAY = MICROSECONDS_PER_DAY
LONGEST = max(WINDOW_DAYS)
SOURCE_ROOM = 1 << 20  # more than the levels of any category column


def run(folder: Path, case: Case, *, formulation: str) -> pl.DataFrame:
    """Return one row per (lead, as_of), all features, computed by one of `FORMULATIONS`."""
    return FORMULATIONS[formulation](folder, case)


def _snapshot_plans(folder: Path, case: Case) -> list[pl.LazyFrame]:
    events, leads = _events(folder), _leads(folder)
    plans = []
    for as_of in case.as_of_us:
        seen = events.filter(
            (pl.col("known") < as_of)
            & (pl.col("superseded").is_null() | (pl.col("superseded") >= as_of))
            & (pl.col("occurred") >= as_of - LONGEST * DAY)
        )
        found = seen.group_by("lead_no").agg(_aggregates(pl.lit(as_of)))
        every = leads.join(found, on="lead_no", how="left").with_columns(pl.lit(as_of).alias("as_of"))
        plans.append(_finished(every))
    return plans


def _collect_all(folder: Path, case: Case) -> pl.DataFrame:
    plans = _snapshot_plans(folder, case)
    return pl.concat(pl.collect_all(plans, engine="streaming"), rechunk=False)


def _one_plan(folder: Path, case: Case) -> pl.DataFrame:
    return pl.concat(_snapshot_plans(folder, case), rechunk=False).collect(engine="streaming")


def _expanded(folder: Path, case: Case) -> pl.DataFrame:
    """Repeat each event for every snapshot that sees it, then group once."""
    as_of = pl.Series("as_of", case.as_of_us, dtype=pl.Int64)
    last = pl.min_horizontal(pl.col("occurred") + LONGEST * DAY, "superseded")
    spans = _events(folder).with_columns(
        begin=_snapshots_until(as_of, pl.col("known")), end=_snapshots_until(as_of, last)
    )
    repeated = spans.filter(pl.col("begin") < pl.col("end")).with_columns(
        number=pl.int_ranges("begin", "end", dtype=pl.Int16)
    )
    placed = repeated.drop("begin", "end", "known", "superseded").explode("number")
    moments = pl.col("number").replace_strict(list(range(len(as_of))), as_of, return_dtype=pl.Int64)
    found = placed.with_columns(as_of=moments).group_by("lead_no", "as_of").agg(_aggregates(pl.col("as_of")))
    every = _leads(folder).join(as_of.to_frame().lazy(), how="cross")
    return _finished(every.join(found, on=["lead_no", "as_of"], how="left")).collect(engine="streaming")


FORMULATIONS = {"snapshots": _collect_all, "one_plan": _one_plan, "expanded": _expanded}
BEST = {"monthly6": "one_plan", "weekly26": "one_plan", "daily90": "one_plan"}


def _snapshots_until(as_of: pl.Series, moment: pl.Expr) -> pl.Expr:
    def count(moments: pl.Series) -> pl.Series:
        return as_of.search_sorted(moments, side="right").cast(pl.Int64)

    return moment.map_batches(count, return_dtype=pl.Int64, is_elementwise=True)


def _events(folder: Path) -> pl.LazyFrame:
    rows = pl.scan_parquet(folder / "events" / "*.parquet", row_index_name="row")
    source = pl.col("source").to_physical().cast(pl.Int64)
    return rows.select(
        "lead_no",
        "value",
        "type",
        pl.col("category").to_physical(),
        pl.col("occurred_at").dt.epoch("us").alias("occurred"),
        pl.col("known_at").dt.epoch("us").alias("known"),
        pl.col("superseded_at").dt.epoch("us").alias("superseded"),
        (pl.col("row").cast(pl.Int64) * SOURCE_ROOM + source).alias("touch"),
    )


def _leads(folder: Path) -> pl.LazyFrame:
    return pl.scan_parquet(folder / "leads" / "*.parquet").select("lead_no")


def _aggregates(as_of: pl.Expr) -> list[pl.Expr]:
    found = [pl.col("occurred").max().alias("last"), pl.col("touch").max().alias("last_touch")]
    for days in WINDOW_DAYS:
        found += _window_aggregates(pl.col("occurred") >= as_of - days * DAY, days)
    return found


def _window_aggregates(in_window: pl.Expr, days: int) -> list[pl.Expr]:
    is_whole = days == LONGEST  # every row that is left lies in the longest window

    def within(values: pl.Expr) -> pl.Expr:
        return values if is_whole else pl.when(in_window).then(values)

    def also(condition: pl.Expr) -> pl.Expr:
        return condition if is_whole else in_window & condition

    kind, value = pl.col("type"), pl.col("value")
    counts = {name: also(kind == name).sum() for name in ("view", "cart", "purchase")}
    return [
        (pl.len() if is_whole else in_window.sum()).alias(f"count_all_{days}d"),
        *(count.alias(f"count_{name}_{days}d") for name, count in counts.items()),
        within(pl.col("category")).drop_nulls().n_unique().alias(f"distinct_category_{days}d"),
        within(value).sum().alias(f"sum_value_all_{days}d"),
        pl.when(also(kind == "purchase")).then(value).sum().alias(f"sum_value_purchase_{days}d"),
        within(pl.col("occurred")).min().alias(f"first_{days}d"),
        within(pl.col("touch")).min().alias(f"first_touch_{days}d"),
    ]


def _finished(rows: pl.LazyFrame) -> pl.LazyFrame:
    columns = [pl.col("lead_no"), pl.col("as_of")]
    for days in WINDOW_DAYS:
        columns += _window_columns(days)
    return rows.select(columns)


def _window_columns(days: int) -> list[pl.Expr]:
    count, as_of, last = pl.col(f"count_all_{days}d"), pl.col("as_of"), pl.col("last")
    first, first_touch = pl.col(f"first_{days}d"), pl.col(f"first_touch_{days}d")
    gap = (last - first) / (count.cast(pl.Int64) - 1) / DAY
    return [
        *(pl.col(f"{name}_{days}d").fill_null(0).cast(pl.UInt32) for name in COUNTS),
        *(pl.col(f"{name}_{days}d").fill_null(0) / 10_000 for name in SUMS),
        pl.when(count > 1).then(gap).alias(f"mean_gap_days_{days}d"),
        pl.when(count > 0).then((as_of - last) / DAY).alias(f"days_since_last_{days}d"),
        ((as_of - first) / DAY).alias(f"days_since_first_{days}d"),
        _source(first_touch).alias(f"first_source_{days}d"),
        _source(pl.when(count > 0).then(pl.col("last_touch"))).alias(f"last_source_{days}d"),
    ]


def _source(touch: pl.Expr) -> pl.Expr:
    return (touch % SOURCE_ROOM).cast(pl.UInt32).cat.to(pl.Categorical)
