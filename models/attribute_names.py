"""Names of columns that many shops use, so that "country: PL" is said in the reader's language too.

A shop's own names are said as the shop wrote them; these are looked up in the context ``name``.
"""

from __future__ import annotations

from typing import Final

ATTRIBUTE_NAMES: Final = (
    "age", "age band", "amount", "campaign", "category", "channel", "city", "company", "company size", "consent",
    "country", "coupon", "customer type", "device", "discount", "education", "employees", "gender", "home ownership",
    "household comp", "household size", "income", "industry", "item", "items", "job", "job title", "kids count",
    "landing page", "language", "mail consent", "marital status", "medium", "newsletter", "origin", "plan",
    "preferred device", "region", "segment", "signup source", "source", "status", "value",
)  # fmt: skip
"""As a sentence says them: words with spaces."""
