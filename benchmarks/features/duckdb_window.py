"""The features in DuckDB by ASOF joins and window functions, without repeating any event.

An event enters a window at the first snapshot that knows it and leaves after the last one that
still reaches back to it (or before it was superseded): an ASOF join each. Counts and sums are
running totals over a lead's snapshots of what enters minus what leaves. A category counts once:
its events' spans are merged first. The last row is a running maximum; the first one a running
minimum from the far end, as rows leave in the order in which they occurred. Rows that came late
or were superseded break that order; they alone are repeated per snapshot.
"""

# The SQL is put together from this package's own constants only.
# ruff: noqa: S608

from __future__ import annotations

from benchmarks.features.cases import MICROSECONDS_PER_DAY, WINDOW_DAYS, Case

NEVER = 9_223_372_036_854_775_807
LONGEST = max(WINDOW_DAYS)
TOTALS = {
    "count_all": "1",
    "count_view": "is_view::int",
    "count_cart": "is_cart::int",
    "count_purchase": "is_purchase::int",
    "sum_value_all": "value",
    "sum_value_purchase": "case when is_purchase then value else 0 end",
}
RUN = (*TOTALS, "distinct_category")


def query(_: Case) -> str:
    """Return the common table expressions that end in ``every``: one row per (lead, as_of)."""
    steps = {
        "spans": _spans(),
        "merged": _merged(),
        "odd": _odd(),
        "changes": _changes(),
        "per_snapshot": _per_snapshot(),
        "running": _running(),
        "every": _every(),
    }
    return "with " + ",\n".join(f"{name} as materialized ({text})" for name, text in steps.items())


def _spans() -> str:
    ends = ", ".join(f"coalesce(s{days}.number, -1) + 1 as end_{days}" for days in WINDOW_DAYS)
    joins = " ".join(
        f"asof left join s as s{days} on least(occurred + {days * MICROSECONDS_PER_DAY}, superseded) >= s{days}.as_of"
        for days in WINDOW_DAYS
    )
    is_odd = f"known <> occurred or superseded < {NEVER}"
    begin = "asof join s as s0 on e.known < s0.as_of"
    every = f"select e.*, s0.number as begin, {is_odd} as is_odd, {ends} from e {begin} {joins}"
    return f"select * from ({every}) where begin < end_{LONGEST}"


def _merged() -> str:
    """A category's later event adds only what its earlier ones have not covered."""
    columns = ", ".join(
        f"end_{d}, greatest(begin, coalesce(max(end_{d}) over past, 0)) as begin_{d}" for d in WINDOW_DAYS
    )
    past = "partition by lead_no, category order by begin, touch rows between unbounded preceding and 1 preceding"
    return f"select lead_no, {columns} from spans window past as ({past})"


def _odd() -> str:
    firsts = ", ".join(
        f"min(touch) filter (number < end_{d}) as touch_{d}, min(occurred) filter (number < end_{d}) as first_{d}"
        for d in WINDOW_DAYS
    )
    repeated = f"select *, unnest(range(begin, end_{LONGEST})) as number from spans where is_odd"
    last = "max(occurred) as last, max(touch) as last_touch"
    return f"select lead_no, number, {last}, {firsts} from ({repeated}) group by lead_no, number"


def _changes() -> str:
    entering = ", ".join(
        f"sum(case when begin < end_{d} then {value} else 0 end)::bigint as {name}_{d}"
        for d in WINDOW_DAYS
        for name, value in TOTALS.items()
    )
    last = "max(occurred) filter (not is_odd) as last, max(touch) filter (not is_odd) as last_touch"
    parts = [f"(select lead_no, begin as number, {entering}, {last} from spans group by lead_no, begin)"]
    parts += [_leaving(days) for days in WINDOW_DAYS]
    parts += [_categories(days) for days in WINDOW_DAYS]
    parts.append("(select lead_no, number, as_of from l cross join s)")
    return " union all by name ".join(parts)


def _leaving(days: int) -> str:
    totals = ", ".join(f"-sum({value})::bigint as {name}_{days}" for name, value in TOTALS.items())
    first = f"min(touch) filter (not is_odd) as touch_{days}, min(occurred) filter (not is_odd) as first_{days}"
    rows = f"spans where begin < end_{days} group by lead_no, end_{days}"
    return f"(select lead_no, end_{days} as number, {totals}, {first} from {rows})"


def _categories(days: int) -> str:
    ends = f"unnest([begin_{days}, end_{days}]) as number, unnest([1, -1]) as change"
    rows = f"select lead_no, {ends} from merged where begin_{days} < end_{days}"
    total = f"sum(change)::bigint as distinct_category_{days}"
    return f"(select lead_no, number, {total} from ({rows}) group by lead_no, number)"


def _per_snapshot() -> str:
    totals = ", ".join(f"sum({name}_{d})::bigint as {name}_{d}" for d in WINDOW_DAYS for name in RUN)
    firsts = ", ".join(f"min(touch_{d}) as touch_{d}, min(first_{d}) as first_{d}" for d in WINDOW_DAYS)
    last = "max(as_of) as as_of, max(last) as last, max(last_touch) as last_touch"
    return f"select lead_no, number, {last}, {totals}, {firsts} from changes group by lead_no, number"


def _running() -> str:
    totals = ", ".join(f"(sum({name}_{d}) over so_far)::bigint as {name}_{d}d" for d in WINDOW_DAYS for name in RUN)
    firsts = ", ".join(
        f"min(touch_{d}) over ahead as touch_{d}, min(first_{d}) over ahead as first_{d}" for d in WINDOW_DAYS
    )
    last = "max(last) over so_far as last, max(last_touch) over so_far as last_touch"
    so_far = "partition by lead_no order by number rows unbounded preceding"
    ahead = "partition by lead_no order by number rows between 1 following and unbounded following"
    windows = f"window so_far as ({so_far}), ahead as ({ahead})"
    return f"select lead_no, number, as_of, {totals}, {firsts}, {last} from per_snapshot {windows}"


def _every() -> str:
    totals = ", ".join(f"{name}_{d}d" for d in WINDOW_DAYS for name in RUN)
    # The first row ahead may not have happened yet; then the window has none in time order.
    firsts = ", ".join(
        f"least(case when r.first_{d} < as_of then r.first_{d} end, odd.first_{d}) as first_{d}, "
        f"least(case when r.first_{d} < as_of then r.touch_{d} end, odd.touch_{d}) as first_touch_{d}"
        for d in WINDOW_DAYS
    )
    last = "greatest(r.last, odd.last) as last, greatest(r.last_touch, odd.last_touch) as last_touch"
    rows = "running as r left join odd using (lead_no, number) where as_of is not null"
    return f"select lead_no, as_of, {totals}, {firsts}, {last} from {rows}"
