"""Ownership: whose row is it, as far as was known at a moment?

A row's own lead wins. Else, among the visitor's links known by then, the row belongs to the
latest link at or before it, else to the first link after it. Links that become known late move
rows: the first owner has the row until the better link is known, then the better owner has it.
A visitor linked to more leads than allowed gives its rows to none from the moment that is known.

In SQL each visitor's links cut time into *spans* between consecutive links. Within a span the
links are ranked the same for every row; the link of rank r owns it from its known time K_r until
the first of K_1 … K_(r-1), if that is later. A link counts at as_of when ``K <= as_of``, a row
when ``known < as_of``: so rows carry ``K - 1 us``, and ``link_bits`` remembers the microsecond.

Example: a visit on 1 May, links to Ann on 3 May and (late, known 9 May) to Bob on 30 April: the
visit is nobody's until 3 May, Ann's until 9 May, then Bob's.
"""

# ruff: noqa: S608 - this module writes SQL; names are quoted and texts escaped

from __future__ import annotations

from features.timeline import LINK_MADE_KNOWN, LINK_TOOK_AWAY

_LINK_ORDER = "linked_at, known_at, lead_id"
_TICK = "to_microseconds(1)"


def links_sql(identities: str) -> str:
    """Return the query that reads facts of identities as links, each known as early as it ever was."""
    return f"""
        SELECT visitor_id, lead_id, occurred_at AS linked_at, min(known_at) AS known_at
        FROM {identities} WHERE NOT is_retracted GROUP BY ALL
    """


def shared_visitors_sql(links: str, *, max_leads: int) -> str:
    """Return the query of visitors with more than *max_leads* leads, and when that became known.

    Args:
        links: A table expression of `links_sql`.
        max_leads: How many leads may share a visitor.

    Returns:
        A query with the columns ``visitor_id`` and ``shared_at``.
    """
    return f"""
        SELECT visitor_id, known_at AS shared_at
        FROM (SELECT visitor_id, lead_id, min(known_at) AS known_at FROM {links} GROUP BY ALL)
        QUALIFY row_number() OVER (PARTITION BY visitor_id ORDER BY known_at, lead_id) = {max_leads} + 1
    """


def ownership_sql(links: str, *, max_leads: int) -> str:
    """Return the query of who owns a visitor's rows, by when they occurred and what is known.

    Args:
        links: A table expression of `links_sql`.
        max_leads: How many leads may share a visitor.

    Returns:
        A query with ``visitor_id``, ``lead_id``, ``occurred_from`` and ``occurred_until`` (the
        span, NULL = open), ``owned_from`` (when the link was known) and ``owned_until`` (when a
        better link was, or the visitor turned out to be shared; NULL = never).
    """
    return f"""
        WITH shared AS ({shared_visitors_sql(links, max_leads=max_leads)}),
        -- Once a visitor is known to be shared, further links cannot matter.
        usable AS (
            SELECT links.*, shared_at FROM {links} AS links LEFT JOIN shared USING (visitor_id)
            WHERE shared_at IS NULL OR known_at < shared_at
        ),
        -- A link that repeats the one before it, and was not known earlier, changes nothing.
        kept AS (
            SELECT * FROM usable
            WINDOW in_order AS (PARTITION BY visitor_id ORDER BY {_LINK_ORDER})
            QUALIFY coalesce(lag(lead_id) OVER in_order <> lead_id OR lag(known_at) OVER in_order > known_at, TRUE)
        ),
        placed AS (
            SELECT *, row_number() OVER in_order AS place, lead(linked_at) OVER in_order AS next_linked_at,
                count(*) OVER (PARTITION BY visitor_id) AS n_links
            FROM kept WINDOW in_order AS (PARTITION BY visitor_id ORDER BY {_LINK_ORDER})
        ),
        spans AS (
            SELECT visitor_id, place, linked_at AS occurred_from, next_linked_at AS occurred_until
            FROM placed WHERE n_links > 1
            UNION ALL
            SELECT visitor_id, 0, NULL, linked_at FROM placed WHERE n_links > 1 AND place = 1
        ),
        ranked AS (
            SELECT spans.*, placed.lead_id, placed.known_at, placed.shared_at, min(placed.known_at) OVER (
                PARTITION BY spans.visitor_id, spans.place
                ORDER BY CASE WHEN placed.place <= spans.place THEN -placed.place ELSE placed.place END
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS better_known_at
            FROM spans JOIN placed USING (visitor_id)
            WHERE occurred_from IS DISTINCT FROM occurred_until
        ),
        owned AS (
            SELECT visitor_id, lead_id, occurred_from, occurred_until, known_at AS owned_from,
                least(better_known_at, shared_at) AS owned_until
            FROM ranked WHERE better_known_at IS NULL OR known_at < better_known_at
            UNION ALL
            SELECT visitor_id, lead_id, NULL, NULL, known_at, shared_at FROM placed WHERE n_links = 1
        )
        {_spells_sql("owned")}
    """


def _spells_sql(owned: str) -> str:
    """Return the query that joins what follows each other in knowledge and has one owner."""
    in_knowledge = "(PARTITION BY visitor_id, occurred_from, occurred_until ORDER BY owned_from)"
    return f"""
        SELECT visitor_id, any_value(lead_id) AS lead_id, occurred_from, occurred_until, min(owned_from) AS owned_from,
            CASE WHEN bool_or(owned_until IS NULL) THEN NULL ELSE max(owned_until) END AS owned_until
        FROM (
            SELECT *, sum(is_new) OVER {in_knowledge} AS spell FROM (
                SELECT *, (lag(lead_id) OVER {in_knowledge} IS DISTINCT FROM lead_id)::INTEGER AS is_new FROM {owned}
            )
        )
        GROUP BY visitor_id, occurred_from, occurred_until, spell
    """


def owned_rows_sql(versions: str, ownership: str) -> str:
    """Return the query that gives rows to their owners over what was known.

    Args:
        versions: A table expression with lead_id, visitor_id, occurred_at, known_at, superseded_at.
        ownership: A table expression of `ownership_sql`.

    Returns:
        A query with every column of *versions* and ``link_bits``; rows of nobody are left out.
    """
    return f"""
        SELECT *, 0::TINYINT AS link_bits FROM {versions} WHERE lead_id IS NOT NULL
        UNION ALL BY NAME
        SELECT * EXCLUDE (owned_from, owned_until) FROM (
            SELECT facts.* REPLACE (
                    owners.lead_id AS lead_id,
                    greatest(facts.known_at, owners.owned_from - {_TICK}) AS known_at,
                    least(facts.superseded_at, owners.owned_until - {_TICK}) AS superseded_at
                ),
                (CASE WHEN owners.owned_from > facts.known_at THEN {LINK_MADE_KNOWN} ELSE 0 END
                + CASE WHEN owners.owned_until <= coalesce(facts.superseded_at, owners.owned_until)
                    THEN {LINK_TOOK_AWAY} ELSE 0 END)::TINYINT AS link_bits,
                owners.owned_from, owners.owned_until
            FROM (SELECT * FROM {versions} WHERE lead_id IS NULL) AS facts JOIN {ownership} AS owners
            ON facts.visitor_id = owners.visitor_id
                AND (owners.occurred_from IS NULL OR owners.occurred_from <= facts.occurred_at)
                AND (owners.occurred_until IS NULL OR facts.occurred_at < owners.occurred_until)
        )
        -- Labels take the links' microsecond back: what a link took a microsecond after it was known is theirs to see.
        WHERE superseded_at IS NULL OR known_at < superseded_at
            OR (known_at = superseded_at AND link_bits = {LINK_TOOK_AWAY})
    """
