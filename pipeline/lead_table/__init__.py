"""Lead tables: one row per lead, its attributes, and whether it converted; without any history."""
