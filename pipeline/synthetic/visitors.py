"""Visitors: browsers that become known as a lead's when the lead signs in.

Three kinds of browser:

* a lead's own: used before sign-up, linked at sign-up, some weeks later, or never;
* a shared one: every second lead of some pairs uses the partner's, and each signs in there;
* a kiosk in a shop: eight of 64 leads may use it. Once more than five have signed in, its rows
  belong to nobody.

Whose row it is: the visitor's latest link at or before the row, else the first link after it.
This does not change as links come in: a link made later than another can only claim rows after
itself, and those are not known before it. So owner, known moment and end of visibility of
each row follow from the plan of links alone, before anything else is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic import periods
from pipeline.synthetic.draws import (
    Bools,
    Draw,
    Ints,
    Stream,
    happens,
    sub_keys,
    uniforms,
    waits,
)
from pipeline.synthetic.people import Leads

GROUP = 64
"""Leads come in groups of this size; nobody shares a browser beyond the group."""
KIOSK_LEADS = 8
MAX_LEADS_PER_VISITOR = 5
NOBODY = -1
STRANGER = -2
"""The visitor code of browsers that are never linked to anyone."""

_TIME_BITS = 27


@dataclass(frozen=True)
class Links:
    """The plan of links of a run of leads, sorted by visitor and time.

    Attributes:
        visitor: Visitor codes: a lead's place in the run is its own browser; ``n + group`` is
            the group's kiosk. Shape ``(n_links,)``.
        lead: Place of the lead linked.
        linked: Second of the link (some lie beyond the export).
        own_browser: Per lead: the visitor code of the browser it uses, shape ``(n_leads,)``.
        kiosk: Per lead: the visitor code of its group's kiosk.
        has_kiosk: Per lead: whether it ever goes there.
        too_shared_from: Per visitor code: the second of the link that makes more than five
            leads, else `periods.NEVER`, shape ``(n_leads + n_groups,)``.
    """

    visitor: Ints
    lead: Ints
    linked: Ints
    own_browser: Ints
    kiosk: Ints
    has_kiosk: Bools
    too_shared_from: Ints


@dataclass(frozen=True)
class Ownership:
    """Whose each row is and while what it can be seen, shape ``(n_rows,)`` each.

    Attributes:
        lead: Place of the owner in the run; `NOBODY` where no link ever tells.
        known: Seen at an as_of where ``known < as_of``.
        superseded: And where ``as_of <= superseded``.
    """

    lead: Ints
    known: Ints
    superseded: Ints


def plan_links(leads: Leads) -> Links:
    """Return all links that the *leads* (whole groups of `GROUP`, but for the last) will make."""
    place = np.arange(len(leads), dtype=np.int64)
    shares = (leads.number % 2 == 1) & happens(leads.keys, Draw.SHARES, 0.12)
    browser = np.where(shares, place - 1, place)
    group_keys = leads.keys[place - leads.number % GROUP]
    in_kiosk = (leads.number % GROUP < KIOSK_LEADS) & happens(group_keys, Draw.KIOSK, 0.5)
    kiosk = len(leads) + (leads.number - leads.number[0]) // GROUP
    kinds = [
        _browser_links(leads, browser),
        _second_links(leads, browser, shares),
        _kiosk_links(leads, kiosk, in_kiosk),
    ]
    visitor, lead, linked = (np.concatenate(columns) for columns in zip(*kinds, strict=True))
    order = np.lexsort((linked, visitor))
    visitor, lead, linked = visitor[order], lead[order], linked[order]
    too_shared = _too_shared(leads, visitor, linked)
    return Links(visitor, lead, linked, browser, kiosk, in_kiosk, too_shared)


def own(links: Links, visitor: Ints, *, occurred: Ints, known: Ints, lead: Ints) -> Ownership:
    """Return whose each row is.

    Args:
        links: The plan of links.
        visitor: Visitor code of each row, `STRANGER` included, shape ``(n_rows,)`` like all.
        occurred: Second at which it happened.
        known: Second from which it is known apart from links.
        lead: Place of the lead written in the row, `NOBODY` where only the visitor is.

    Returns:
        Owners; a link at exactly as_of counts, hence the second taken off.
    """
    has_lead = lead != NOBODY
    link = _deciding_link(links, visitor, occurred)
    linked = np.where(link >= 0, links.linked[link] - 1, periods.NEVER)
    owner = np.where(link >= 0, links.lead[link], NOBODY)
    is_browser = visitor >= 0
    too_shared = np.where(is_browser, links.too_shared_from[visitor] - 1, periods.NEVER)
    return Ownership(
        lead=np.where(has_lead, lead, owner),
        known=np.where(has_lead, known, np.maximum(known, linked)),
        superseded=np.where(has_lead, periods.NEVER, too_shared),
    )


def _deciding_link(links: Links, visitor: Ints, occurred: Ints) -> Ints:
    """The latest link at or before each row, else the first after it, else -1."""
    if not len(links.visitor):
        return np.full(len(visitor), -1, dtype=np.int64)
    table = (links.visitor << _TIME_BITS) + np.minimum(links.linked, 2**_TIME_BITS - 1)
    rows = (visitor << _TIME_BITS) + occurred
    before = np.searchsorted(table, rows, side="right") - 1
    after = np.minimum(before + 1, len(table) - 1)
    has_before = (before >= 0) & (links.visitor[before] == visitor)
    has_after = links.visitor[after] == visitor
    return np.where(has_before, before, np.where(has_after, after, -1))


def _browser_links(leads: Leads, browser: Ints) -> tuple[Ints, Ints, Ints]:
    how = uniforms(leads.keys, Draw.LINKS)
    later = waits(leads.keys, Draw.LINK_DELAY, 45 * periods.DAY, most=9e7).astype(np.int64)
    linked = leads.created + np.where(how < 0.55, 2, 3600 + later)
    does = np.flatnonzero(how < 0.82)
    return browser[does], does, _tell_apart(leads, linked)[does]


def _second_links(leads: Leads, browser: Ints, shares: Bools) -> tuple[Ints, Ints, Ints]:
    """Who shares a browser signs in again and again; here: once more."""
    partners = shares | np.append(shares[1:], False)
    later = waits(leads.keys, Draw.RELINK_DELAY, 90 * periods.DAY, most=9e7).astype(np.int64)
    does = np.flatnonzero(partners)
    return browser[does], does, _tell_apart(leads, leads.created + 7200 + later)[does]


def _kiosk_links(leads: Leads, kiosk: Ints, in_kiosk: Bools) -> tuple[Ints, Ints, Ints]:
    keys = sub_keys(leads.keys, Stream.KIOSK, 0)
    later = waits(keys, Draw.LINK_DELAY, 60 * periods.DAY, most=9e7).astype(np.int64)
    linked = _tell_apart(leads, leads.created + 600 + later)
    does = np.flatnonzero(in_kiosk)
    return kiosk[does], does, linked[does]


def _tell_apart(leads: Leads, linked: Ints) -> Ints:
    """No two leads link one visitor in the same second: the later would not be defined."""
    return linked // KIOSK_LEADS * KIOSK_LEADS + KIOSK_LEADS + leads.number % KIOSK_LEADS


def _too_shared(leads: Leads, visitor: Ints, linked: Ints) -> Ints:
    groups = -(-len(leads) // GROUP)
    moments = np.full(len(leads) + groups, periods.NEVER, dtype=np.int64)
    first = np.searchsorted(visitor, visitor, side="left")
    # Each lead links a kiosk once, so the sixth link is the sixth lead.
    sixth = (visitor >= len(leads)) & (np.arange(len(visitor)) - first == MAX_LEADS_PER_VISITOR)
    moments[visitor[sixth]] = linked[sixth]
    return moments
