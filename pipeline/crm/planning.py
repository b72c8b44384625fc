"""What is to be sent, found by comparing a run of scores with what stands in the CRM, and frozen in the ledger.

Per lead, in this order: **held** ones are left alone; ones that the CRM turned away for good stay **rejected** until a
person asks to try again, and so does for ever one whose id no CRM takes; ones whose score, grade and action are still
right are **unchanged**; all others are sent. A lead that has no score any more, or is no longer in the run (it bought,
its campaign ended), is sent only where an older score of it stands in the CRM, and is emptied there: nobody calls for
an old score.

What is to be sent is written down block by block, each in a transaction of its own, so that runs to other targets need
not wait; the run counts once it is opened.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine

from features.moments import DAY
from models.holds import is_held
from models.lead_hash import lead_hash
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.runs import Planned
from pipeline.crm.ledger.standing import rejected_of, scored_after, standing_of
from pipeline.crm.ledger.tables import ROWS
from pipeline.crm.left_alone import Bools, Hashes, SetOfLeads, are_among
from pipeline.crm.unsendable import is_unsendable

NOTHING: Final = "–"
"""Stands for a grade where there is none."""
EXAMPLES: Final = 20
"""Leads that a plan shows in full."""
_AT_ONCE: Final = 8_192
_OF_LEAVERS: Final = MappingProxyType(
    {"score": pa.int64(), "grade": pa.string(), "action": pa.string(), "held": pa.list_(pa.string())}
)
_ROW: Final = (
    "run_id", "number", "lead_id", "payload", "score", "grade", "action", "former", "former_score", "former_grade",
    "former_action", "former_run", "state",
)  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """When a lead is sent.

    Attributes:
        min_change: Points from which a moved score alone is worth a write.
        max_age_days: Days after which what stands is written again.
        mapping: Hash of what goes into which property.
        resend: Whether all are sent, whatever stands.
        retry_rejected: Whether those that were turned away are sent again.
    """

    min_change: int
    max_age_days: float
    mapping: str
    resend: bool
    retry_rejected: bool


@dataclass(frozen=True)
class Difference:
    """What a run would change for one lead.

    Attributes:
        lead_id: The lead.
        score: The score that is to stand, as are `grade` and `action`.
        grade: See `score`.
        action: See `score`.
        score_before: The score that stands, as do `grade_before` and `action_before`; None = nothing.
        grade_before: See `score_before`.
        action_before: See `score_before`.
        payload: Property: value, as it is sent.
    """

    lead_id: str
    score: int | None
    grade: str | None
    action: str | None
    score_before: int | None
    grade_before: str | None
    action_before: str | None
    payload: dict[str, Any]


@dataclass
class Plan:
    """A plan while it is made.

    Attributes:
        planned: How many leads are accounted for, and how.
        examples: The best-ranked leads that change.
    """

    planned: Planned
    examples: list[Difference]


@dataclass(frozen=True)
class Planner:
    """Compares scores with what stands in one CRM.

    Attributes:
        engine: The ledger.
        where: Where to.
        rules: When a lead is sent.
        held_now: Leads that are to be left alone beside those that the run calls held.
        at: Now, microseconds (UTC).
    """

    engine: Engine
    where: Destination
    rules: Rules
    held_now: SetOfLeads
    at: int

    def plan(
        self,
        run_id: int,
        blocks: Iterable[pa.Table],
        payloads: Callable[[pa.Table], pa.Array],
        *,
        emptied: str,
        progress: Callable[[int], None],
    ) -> Plan:
        """Add what is to be sent to the ledger, and return how all leads are accounted for.

        Args:
            run_id: The run.
            blocks: The leads, in order of rank (`pipeline.crm.given`).
            payloads: Makes the JSON text of each row.
            emptied: The JSON text that empties a lead which is no longer in the run; empty = such leads are kept.
            progress: Told how many leads were looked at.
        """
        made, seen = Plan(Planned(), []), [np.empty(0, np.uint64)]
        for block in blocks:
            seen.append(lead_hash(block["lead_id"]))
            progress(sum(map(len, seen)))
            self._add(run_id, block, payloads, made)
        if emptied:
            self._empty_leavers(run_id, np.unique(np.concatenate(seen)), emptied, made)
        return made

    def _add(self, run_id: int, block: pa.Table, payloads: Callable[[pa.Table], pa.Array], made: Plan) -> None:
        """Add what of a block is to be sent."""
        with self.engine.connect() as connection:
            stands = standing_of(connection, self.where, block["lead_id"].combine_chunks())
            chosen = pa.array(np.flatnonzero(self._sent(connection, block, stands, made.planned)))
        rows, former = block.take(chosen), stands.take(chosen)
        if not len(rows):
            return
        texts = payloads(rows)
        with self.engine.begin() as connection:
            _insert(connection, run_id, rows, former, texts, first=made.planned.rows)
        moved = Counter(zip(_grades(former["grade"]), _grades(rows["grade"]), strict=True))
        made.planned.movements = dict(Counter(made.planned.movements) + moved)
        made.examples += _examples(rows, former, texts, EXAMPLES - len(made.examples))
        made.planned.rows += len(rows)

    def _empty_leavers(self, run_id: int, seen: Hashes, emptied: str, made: Plan) -> None:
        """Add the leads that a score stands for and that the run does not know."""
        after = ""
        while True:
            with self.engine.connect() as connection:
                stands = scored_after(connection, self.where, after=after, most=_AT_ONCE, in_doubt=self.rules.resend)
            if not len(stands):
                return
            after = stands["lead_id"][-1].as_py()
            stands = stands.filter(pa.array(~are_among(lead_hash(stands["lead_id"]), seen)))
            gone = stands.select(["lead_id"])
            for name, kind in _OF_LEAVERS.items():
                gone = gone.append_column(name, pa.nulls(len(gone), kind))
            if len(gone):
                self._add(run_id, gone, lambda rows: pa.repeat(emptied, len(rows)), made)

    def _sent(self, connection: Connection, block: pa.Table, stands: pa.Table, made: Planned) -> Bools:
        """Return which leads of a block are sent, and count the others."""
        lead_ids = block["lead_id"].combine_chunks()
        has_score, had_score = (_true(pc.is_valid(table["score"])) for table in (block, stands))
        may_have = _true(pc.is_valid(stands["lead_id"]) if self.rules.resend else stands["is_unsure"])
        given = has_score | had_score | may_have
        held = given & (is_held(block["held"]) | self.held_now.holds(block["lead_id"]))
        free = given & ~held
        changed = free & (self.rules.resend | _changed(block, stands, self.rules, at=self.at))
        rejected = changed & is_unsendable(lead_ids)
        if not self.rules.retry_rejected:
            rejected |= changed & _true(rejected_of(connection, self.where, self.rules.mapping, lead_ids))
        made.given += int(given.sum())
        made.held += int(held.sum())
        made.unchanged += int((free & ~changed).sum())
        made.still_rejected += int(rejected.sum())
        return changed & ~rejected


def _changed(block: pa.Table, stands: pa.Table, rules: Rules, *, at: int) -> Bools:
    """Return where what stands is no longer right, or was written too long ago."""
    moved = pc.greater_equal(pc.abs(pc.subtract(block["score"], stands["score"])), rules.min_change)
    too_old = pc.less(stands["written_at"], at - int(rules.max_age_days * DAY))
    return (
        ~_true(pc.is_valid(stands["lead_id"]))
        | _true(stands["is_unsure"])
        | ~_true(pc.equal(stands["mapping"], rules.mapping))
        | _true(moved)
        | _true(too_old)
        | _true(pc.not_equal(pc.is_valid(block["score"]), pc.is_valid(stands["score"])))
        | _differ(block["grade"], stands["grade"])
        | _differ(block["action"], stands["action"])
    )


def _differ(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> Bools:
    return _true(pc.not_equal(pc.fill_null(ours, ""), pc.fill_null(theirs, "")))


def _true(values: pa.Array | pa.ChunkedArray) -> Bools:
    """Return truth values where null is not true."""
    filled = pc.fill_null(values, False)
    chunked = filled if isinstance(filled, pa.ChunkedArray) else pa.chunked_array([filled])
    found: Bools = chunked.to_numpy()
    return found


def _grades(grades: pa.ChunkedArray) -> list[str]:
    return pc.fill_null(grades, NOTHING).to_pylist()


def _insert(
    connection: Connection, run_id: int, rows: pa.Table, former: pa.Table, texts: pa.Array, *, first: int
) -> None:
    """Insert rows by the driver's own way for many: columns are turned into rows once, without a dictionary each."""
    sign = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    statement = f"INSERT INTO {ROWS.name} ({', '.join(_ROW)}) VALUES ({', '.join([sign] * len(_ROW))})"  # noqa: S608 - ours
    columns = [
        [run_id] * len(rows),
        range(first, first + len(rows)),
        rows["lead_id"].to_pylist(),
        texts.to_pylist(),
        *(rows[name].to_pylist() for name in ("score", "grade", "action")),
        *(former[name].to_pylist() for name in ("payload", "score", "grade", "action", "run_id")),
        ["pending"] * len(rows),
    ]
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def _examples(rows: pa.Table, former: pa.Table, texts: pa.Array, most: int) -> list[Difference]:
    ours, theirs = rows.slice(0, most).to_pylist(), former.slice(0, most).to_pylist()
    return [
        Difference(
            lead_id=row["lead_id"],
            score=row["score"],
            grade=row["grade"],
            action=row["action"],
            score_before=before["score"],
            grade_before=before["grade"],
            action_before=before["action"],
            payload=json.loads(text),
        )
        for row, before, text in zip(ours, theirs, texts.slice(0, most).to_pylist(), strict=True)
    ]
