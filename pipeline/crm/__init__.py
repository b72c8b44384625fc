"""Writing scores to where people work: one promise, many connectors, and a ledger that accounts for every lead."""
