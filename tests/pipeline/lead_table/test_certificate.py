"""The certificate of a lead table: what nobody could know of an open lead is named."""

import random

import numpy as np

from models.splits import forward_split
from models.training import HoldOut, moments_of
from pipeline.stages.certificate_rows import certify_rows
from pipeline.stages.features import compute_training_table


def test_a_column_that_only_winners_have_is_named(leads):
    """Half of the won leads have a seller, others have none; where they came from is honest, however well it tells."""
    how = random.Random(4)
    rows = []
    for place in range(800):
        source = how.choice(["mail", "web", "ads"])
        won = how.random() < {"mail": 0.5, "web": 0.2, "ads": 0.02}[source]
        seller = how.choice(["Ann", "Bob"]) if won and how.random() < 0.5 else ""
        day = f"2023-{1 + place // 80:02d}-{1 + place % 28:02d}"
        rows.append(f"{place},{day},{'yes' if won else 'no'},{source},{how.randrange(50)},{seller}")
    leads.table["attributes"]["seller"] = "text"
    leads.write("id,created,won,source,employees,seller", *rows)
    leads.ingest()
    table = compute_training_table(leads.settings())
    split = forward_split(moments_of(table))
    none = np.empty(0)
    hold_out = HoldOut(split.train, split.test, split.test_from, none, none.astype(bool), none.astype(np.uint64))
    found = certify_rows(leads.settings(), table, hold_out)
    assert {check.name: [finding.what for finding in check.findings] for check in found.failed} == {
        "nothing is filled by the outcome": ["seller"]
    }
    hints = {check.hint for check in found.checks if check.hint and "drop" in check.hint}
    assert len(hints) == 1
    assert "lead_table.drop" in hints.pop()
