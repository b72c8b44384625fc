"""Run the sweep over one bucket: timelines and snapshots in, one row per snapshot out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import columns, direct, moments
from features import kernel_outputs as out
from features.bucket import BucketTable
from features.catalog import Feature
from features.errors import LeadlightError, wrong_input
from features.kernel import sweep
from features.kernel_inputs import Asked, Rows
from features.matrix import FeatureTable
from features.plan import DIRECT, Output, Plan, Signal, columns_read, plan
from features.snapshots import Snapshots
from features.timeline import Int64Array, Timelines, timestamps

_Values: TypeAlias = npt.NDArray[np.float64] | pa.DictionaryArray

_CODE_OPERATIONS = (out.FIRST_CODE, out.LAST_CODE)
_VALUE_OPERATIONS = (out.FIRST_VALUE, out.LAST_VALUE)
_SUM_OPERATIONS = (out.SUM, out.MEAN, out.OPEN_SUM)
_NOT_SINCE = np.empty(0, dtype=np.int64)


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


class _Sweeper:
    """The walks over one bucket, sharing the columns that they read."""

    def __init__(self, timelines: Timelines, tables: Mapping[str, BucketTable], snapshots: Snapshots) -> None:
        self._coverage = timelines.coverage
        self._tables = tables
        self._snapshots = snapshots

    def sweep_all(self, planned: Plan) -> dict[str, pa.Array]:
        """Return every planned output as a column, shares divided."""
        found: dict[str, _Values] = {}
        for signal in planned.signals:
            found.update(self._walk(signal))
        for name, (part, whole) in planned.shares.items():
            found[name] = columns.share(np.asarray(found.pop(part)), np.asarray(found.pop(whole)))
        return {name: pa.array(values) if isinstance(values, np.ndarray) else values for name, values in found.items()}

    def _walk(self, signal: Signal) -> dict[str, _Values]:
        table = self._tables[signal.table]
        codes = [o for o in signal.outputs if o.operation in _CODE_OPERATIONS]
        numbers = [o for o in signal.outputs if o.operation not in _CODE_OPERATIONS]
        numbers_out = np.empty((len(numbers), len(self._snapshots)))
        codes_out = np.empty((len(codes), len(self._snapshots)), dtype=np.int32)
        sweep(
            _rows(signal, table),
            Asked(*table.spans(), columns.frozen(self._snapshots.as_of), columns.frozen(self._since(signal))),
            columns.frozen(np.asarray(signal.windows, dtype=np.int64) * moments.DAY),
            self._data_from(signal),
            columns.frozen(_operations(signal, table, numbers + codes)),
            numbers_out=numbers_out,
            codes_out=codes_out,
        )
        found: dict[str, _Values] = {o.name: numbers_out[place] for place, o in enumerate(numbers)}
        for place, o in enumerate(codes):
            found[o.name] = columns.decoded(codes_out[place], table.levels(o.column))
        return found

    def _data_from(self, signal: Signal) -> int:
        """Return from when on the walk's data are whole; what closes must be seen as well as what opens."""
        tables = [signal.table, signal.since[0]] if signal.since else [signal.table]
        return max(self._coverage[name].data_from if name in self._coverage else moments.ALWAYS for name in tables)

    def _since(self, signal: Signal) -> Int64Array:
        """Return, per snapshot, the latest known moment that closed what was open before."""
        if signal.since is None:
            return _NOT_SINCE
        table, where = signal.since
        closing = Signal(table, where, outputs=[Output("closed_at", out.LAST_MOMENT, 0)])
        closed_at = np.asarray(self._walk(closing)["closed_at"])
        return np.where(np.isnan(closed_at), moments.ALWAYS, np.nan_to_num(closed_at)).astype(np.int64)


def _rows(signal: Signal, table: BucketTable) -> Rows:
    counted = signal.columns(out.DISTINCT)
    return Rows(
        *table.times(),
        columns.frozen(table.mask(signal.where)),
        columns.stacked([table.integers(c) for c in signal.columns(*_SUM_OPERATIONS)], rows=len(table), dtype=np.int64),
        columns.stacked([table.codes(c) for c in counted], rows=len(table), dtype=np.int32),
        columns.frozen(np.asarray([len(table.levels(c)) for c in counted], dtype=np.int64)),
        columns.stacked([table.codes(c) for c in signal.columns(*_CODE_OPERATIONS)], rows=len(table), dtype=np.int32),
        columns.stacked(
            [table.floats(c) for c in signal.columns(*_VALUE_OPERATIONS)], rows=len(table), dtype=np.float64
        ),
    )


def _operations(signal: Signal, table: BucketTable, outputs: Sequence[Output]) -> Int64Array:
    """Return the rows of ``ops``: numbers first, then codes, each numbered from 0."""
    windows = signal.windows
    n_numbers = sum(output.operation not in _CODE_OPERATIONS for output in outputs)
    ops = np.zeros((len(outputs), 6), dtype=np.int64)
    for place, output in enumerate(outputs):
        ops[place] = (
            output.operation,
            windows.index(output.window),
            _place_of_column(signal, output),
            place if place < n_numbers else place - n_numbers,
            table.divisor(output.column) if output.operation in _SUM_OPERATIONS else 1,
            windows.index(output.long_window) if output.long_window else 0,
        )
    return ops


def _place_of_column(signal: Signal, output: Output) -> int:
    for operations in (_SUM_OPERATIONS, (out.DISTINCT,), _CODE_OPERATIONS, _VALUE_OPERATIONS):
        if output.operation in operations:
            return signal.columns(*operations).index(output.column)
    return 0
