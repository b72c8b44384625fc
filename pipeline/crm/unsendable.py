"""Leads that cannot be sent under their id: databases and CRMs cut an id at a NUL character, or take none.

Tables are no longer read with such ids; scores of before may hold them. Cut, the id might be another lead's, so these
leads are turned away before anything of them is asked or written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.crm.left_alone import Bools

WORDS: Final = "its id has a NUL character; nothing was sent"
_NUL: Final = "\0"
_SHOWN: Final = "␀"


def is_unsendable(lead_ids: pa.Array) -> Bools:
    """Return which of *lead_ids* cannot be sent, shape ``(n_leads,)``."""
    found: Bools = pc.match_substring(lead_ids, _NUL).to_numpy(zero_copy_only=False)
    return found


def unsendable_ids(part: Path) -> Iterator[str]:
    """Yield the ids in a stored run that cannot be sent, each once, a NUL as a sign that people see."""
    seen: set[str] = set()
    with pq.ParquetFile(part, pre_buffer=False) as file:
        for batch in file.iter_batches(columns=["lead_id"]):
            lead_ids = batch["lead_id"].cast(pa.string())
            found = set(lead_ids.filter(pa.array(is_unsendable(lead_ids))).to_pylist()) - seen
            yield from sorted(lead_id.replace(_NUL, _SHOWN) for lead_id in found)
            seen |= found
