"""A lead's hash depends on its id and on nothing else."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from models.lead_hash import lead_hash


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30))
def test_a_lead_hashed_alone_gets_its_hash_in_a_batch(lead_ids: list[str]) -> None:
    """Neighbours, chunks and offsets into shared buffers change nothing."""
    batch = pa.chunked_array([pa.array(["x", *lead_ids]).slice(1), pa.array(lead_ids)])
    alone = [lead_hash(pa.chunked_array([pa.array([lead_id])]))[0] for lead_id in lead_ids]
    assert lead_hash(batch).tolist() == alone * 2


def test_different_leads_get_different_hashes() -> None:
    """A hundred thousand ids, many of them alike, never collide."""
    lead_ids = [f"lead-{number}" for number in range(50_000)] + [f"{number}-lead" for number in range(50_000)]
    assert len(np.unique(lead_hash(pa.chunked_array([pa.array(lead_ids)])))) == 100_000


def test_the_hash_of_an_id_never_changes() -> None:
    """Splits of last year's model can be made again: the hash is fixed for all versions."""
    hashes = lead_hash(pa.chunked_array([pa.array(["", "a", "household-1609"])]))
    assert hashes.tolist() == [0, 10556549700992601335, 15648667927336517879]


def test_no_leads_no_hashes() -> None:
    """An empty table has no hashes."""
    assert len(lead_hash(pa.chunked_array([], pa.string()))) == 0
