"""Run the sweep over one bucket: timelines and snapshots in, one row per snapshot out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import columns, direct, moments
from features.bucket import BucketTable
from features.catalog import Feature
from features.errors import LeadlightError, wrong_input
from features.kernel import sweep
from features.kernel_inputs import Asked
from features.matrix import FeatureTable
from features.plan import DIRECT, LAST_MOMENT, Closing, Output, Plan, columns_read, plan
from features.program import Assembly, walks
from features.recording import is_code
from features.snapshots import Snapshots
from features.timeline import Int64Array, Timelines, timestamps

_Values: TypeAlias = npt.NDArray[np.float64] | pa.DictionaryArray


def compute(
    timelines: Timelines, snapshots: Snapshots, features: Sequence[Feature], *, zone: str = "UTC"
) -> FeatureTable:
    """Return what was known about each snapshot's lead at its as_of.

    Args:
        timelines: The timelines of (at least) the leads asked about.
        snapshots: Sorted by (lead_no, as_of).
        features: The catalog; its order is the order of the columns.
        zone: The shop's time zone, for calendar features.

    Returns:
        ``(n_snapshots,)`` rows without labels. A lead alone gives bitwise the same row as in
        any batch.
    """
    read = columns_read(features)
    _refuse_lacking_tables(read, timelines)
    tables = {name: BucketTable(timelines.tables[name], snapshots.lead_no) for name in read}
    found = _Sweeper(timelines, tables, snapshots).sweep_all(plan(features))
    for feature in features:
        if feature.measure is not None and feature.measure.kind in DIRECT:
            found[feature.name] = direct.column(feature, timelines, snapshots, zone=zone)
    table = pa.table({feature.name: found[feature.name] for feature in features})
    return FeatureTable(_keys(timelines, snapshots), table, tuple(features))


def _refuse_lacking_tables(read: Mapping[str, AbstractSet[str]], timelines: Timelines) -> None:
    lacking = [
        f"{name}: {', '.join(sorted(columns))}"
        for name, needed in sorted(read.items())
        if (columns := needed - set(timelines.tables[name].column_names if name in timelines.tables else ()))
    ]
    if lacking:
        raise _tables_lack(lacking)


def _tables_lack(lacking: list[str]) -> LeadlightError:
    hint = "map them under tables in the config and ingest again, or train a model without them."
    return wrong_input("The features read tables or columns that the workspace lacks:", lacking, hint=hint)


def _keys(timelines: Timelines, snapshots: Snapshots) -> pa.Table:
    places = pa.array((snapshots.lead_no - timelines.first_lead_no).astype(np.int32))
    trigger = snapshots.trigger
    return pa.table(
        {
            "lead_id": pa.DictionaryArray.from_arrays(places, timelines.leads["lead_id"].combine_chunks()),
            "as_of": timestamps(snapshots.as_of),
            "trigger_id": pa.nulls(len(snapshots), pa.string()) if trigger is None else trigger["row_id"],
        }
    )


def _share(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return part / whole, shape ``(n,)``; missing where the whole is zero or missing."""
    found = np.full(len(part), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


class _Sweeper:
    """The walks over one bucket, sharing the columns that they read."""

    def __init__(self, timelines: Timelines, tables: Mapping[str, BucketTable], snapshots: Snapshots) -> None:
        self._coverage = timelines.coverage
        self._tables = tables
        self._snapshots = snapshots

    def sweep_all(self, planned: Plan) -> dict[str, pa.Array]:
        """Return every planned output as a column, shares divided."""
        found: dict[str, _Values] = {}
        for table, outputs in planned.outputs.items():
            for walk in walks(outputs):
                found.update(self._walk(table, walk))
        for name, (part, whole) in planned.shares.items():
            found[name] = _share(np.asarray(found.pop(part)), np.asarray(found.pop(whole)))
        return {name: pa.array(values) if isinstance(values, np.ndarray) else values for name, values in found.items()}

    def _walk(self, name: str, outputs: Sequence[Output]) -> dict[str, _Values]:
        table, assembly = self._tables[name], Assembly(outputs)
        codes = [o for o in outputs if is_code(o)]
        numbers = [o for o in outputs if not is_code(o)]
        numbers_out = columns.fresh((len(numbers), len(self._snapshots)), np.float64)
        codes_out = columns.fresh((len(codes), len(self._snapshots)), np.int32)
        since = [self._closed_at(closing) for closing in assembly.closings]
        sweep(
            assembly.rows(table),
            Asked(
                *table.spans,
                columns.frozen(self._snapshots.as_of),
                columns.stacked(since, rows=len(self._snapshots), dtype=np.int64),
            ),
            assembly.program(table, lambda closing: self._data_from(name, closing)),
            n_signals=len(assembly.signals),
            n_levels=assembly.n_levels(table),
            numbers_out=numbers_out,
            codes_out=codes_out,
        )
        found: dict[str, _Values] = {o.name: numbers_out[place] for place, o in enumerate(numbers)}
        for place, o in enumerate(codes):
            found[o.name] = columns.decoded(codes_out[place], table.levels(o.column))
        return found

    def _data_from(self, name: str, closing: Closing | None) -> int:
        """Return from when on the data are whole; what closes must be seen as well as what opens."""
        tables = [name, closing.table] if closing else [name]
        return max(self._coverage[table].data_from if table in self._coverage else moments.ALWAYS for table in tables)

    def _closed_at(self, closing: Closing) -> Int64Array:
        """Return, per snapshot, the latest known moment that closed what was open before."""
        asked = Output("closed_at", LAST_MOMENT, closing.where)
        closed_at = np.asarray(self._walk(closing.table, [asked])["closed_at"])
        return np.where(np.isnan(closed_at), moments.ALWAYS, np.nan_to_num(closed_at)).astype(np.int64)
