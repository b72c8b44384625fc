"""The leads: who they are, when they came, what changed about them later.

A lead's row has one or two versions. The second is recorded when something changed: a move, an
age that was filled in, a private customer who now buys for a company, a consent withdrawn.
Activity (how often a lead visits) is the only thing about a lead that no file tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic import periods
from pipeline.synthetic.draws import (
    Bools,
    Draw,
    Floats,
    Ints,
    Keys,
    choose,
    choose_by_row,
    happens,
    heavy_tailed,
    lead_keys,
    uniforms,
    waits,
)

COUNTRIES = ("US", "CA", "GB", "DE", "FR", "BR", "AU")
AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
DEVICES = ("mobile", "desktop", "tablet")
SIGNUP_SOURCES = ("search", "social", "referral", "newsletter", "display", "shop_counter")
MISSING = -1
"""The code of an attribute that is not known."""

_COUNTRY_WEIGHTS = (46.0, 12.0, 12.0, 10.0, 8.0, 7.0, 5.0)
_AGE_WEIGHTS = (12.0, 24.0, 23.0, 18.0, 14.0, 9.0)
_SOURCES_FIRST = (34.0, 14.0, 12.0, 12.0, 20.0, 8.0)
_SOURCES_LAST = (28.0, 34.0, 10.0, 14.0, 6.0, 8.0)
_FOUNDERS = 0.22  # share of leads who sign up in the first period
_CHANGED = 0.07


@dataclass(frozen=True)
class Attributes:
    """One version of the attributes of n leads; codes index the tuples above.

    Attributes:
        company: Whether the lead buys for a company, shape ``(n,)`` like all.
        country: Code or `MISSING`.
        age_band: Code or `MISSING`; companies rarely have one.
        device: Code of the preferred device or `MISSING`.
        consent: Whether the lead agreed to e-mails.
        employees: Of a company, else `MISSING`.
    """

    company: Bools
    country: Ints
    age_band: Ints
    device: Ints
    consent: Bools
    employees: Ints


@dataclass(frozen=True)
class Leads:
    """A run of consecutive leads.

    Attributes:
        number: Number of each lead in the whole shop, shape ``(n,)`` like all.
        keys: Where each lead's chance comes from.
        created: Second of signing up.
        signup_source: Code of where the lead came from.
        first: The attributes at sign-up.
        changed: Second from which `second` holds; `periods.NEVER` where nothing changes.
        second: The attributes afterwards.
        activity: Mean visits in a period; heavy-tailed, in no file.
    """

    number: Ints
    keys: Keys
    created: Ints
    signup_source: Ints
    first: Attributes
    changed: Ints
    second: Attributes
    activity: Floats

    def __len__(self) -> int:
        """The number of leads."""
        return len(self.number)


def draw_leads(seed: int, first: int, *, n_leads: int) -> Leads:
    """Return the leads numbered ``first`` to ``first + n_leads - 1`` of the shop *seed*."""
    number = np.arange(first, first + n_leads, dtype=np.int64)
    keys = lead_keys(seed, number)
    created_in = _created_in(keys)
    created = _created(keys, created_in)
    sources = np.linspace(_SOURCES_FIRST, _SOURCES_LAST, periods.PERIODS)
    at_sign_up = _first_attributes(keys)
    changed = _changed(keys, created)
    return Leads(
        number=number,
        keys=keys,
        created=created,
        signup_source=choose_by_row(keys, Draw.SIGNUP_SOURCE, sources, rows=created_in),
        first=at_sign_up,
        changed=changed,
        second=_changed_attributes(keys, at_sign_up),
        activity=np.minimum(heavy_tailed(keys, Draw.ACTIVITY, 0.22, shape=1.6), 12.0),
    )


def known_attributes(leads: Leads, as_of: int) -> Attributes:
    """Return each lead's attributes as known before *as_of*: the newest version then recorded."""
    changed = leads.changed < as_of
    old, new = leads.first, leads.second
    return Attributes(
        company=np.where(changed, new.company, old.company),
        country=np.where(changed, new.country, old.country),
        age_band=np.where(changed, new.age_band, old.age_band),
        device=np.where(changed, new.device, old.device),
        consent=np.where(changed, new.consent, old.consent),
        employees=np.where(changed, new.employees, old.employees),
    )


def _created_in(keys: Keys) -> Ints:
    growth = 1.0 + np.arange(periods.PERIODS) / periods.PERIODS
    weights = growth * periods.period_season()
    weights *= (1.0 - _FOUNDERS) / weights.sum()
    weights[0] += _FOUNDERS
    return choose(keys, Draw.CREATED_PERIOD, weights)


def _created(keys: Keys, created_in: Ints) -> Ints:
    """Sign-ups between 06:00 and 22:00, so that none falls on a period's first second."""
    day = (uniforms(keys, Draw.CREATED_TIME) * periods.PERIOD_DAYS * 16 * 3600).astype(np.int64)
    day, second = day // (16 * 3600), day % (16 * 3600)
    return periods.starts()[created_in] + day * periods.DAY + 6 * 3600 + second


def _first_attributes(keys: Keys) -> Attributes:
    company = happens(keys, Draw.CUSTOMER_TYPE, 0.2)
    age_band = choose(keys, Draw.AGE_BAND, np.array(_AGE_WEIGHTS))
    no_age = happens(keys, Draw.AGE_MISSING, np.where(company, 0.7, 0.14))
    country = choose(keys, Draw.COUNTRY, np.array([*_COUNTRY_WEIGHTS, 3.0]))
    device = choose(keys, Draw.DEVICE, np.array([52.0, 33.0, 6.0, 9.0]))
    employees = np.minimum(heavy_tailed(keys, Draw.EMPLOYEES, 18.0, shape=1.3), 50_000) + 1
    return Attributes(
        company=company,
        country=np.where(country == len(COUNTRIES), MISSING, country),
        age_band=np.where(no_age, MISSING, age_band),
        device=np.where(device == len(DEVICES), MISSING, device),
        consent=happens(keys, Draw.CONSENT, 0.72),
        employees=np.where(company, employees.astype(np.int64), MISSING),
    )


def _changed(keys: Keys, created: Ints) -> Ints:
    wait = waits(keys, Draw.CHANGED_AT, 120 * periods.DAY, most=2e9).astype(np.int64)
    changed = created + periods.DAY + wait
    happened = happens(keys, Draw.CHANGES, _CHANGED) & (changed < periods.end())
    return np.where(happened, changed, periods.NEVER)


def _changed_attributes(keys: Keys, old: Attributes) -> Attributes:
    """One thing changes: 0 a move, 1 the age, 2 becoming a company, 3 consent withdrawn."""
    what = choose(keys, Draw.CHANGED_WHAT, np.array([3.0, 2.0, 2.0, 3.0]))
    age_band = choose(keys, Draw.AGE_BAND, np.array(_AGE_WEIGHTS))
    employees = (heavy_tailed(keys, Draw.EMPLOYEES, 6.0, shape=1.5) + 1).astype(np.int64)
    becomes_company = (what == 2) & ~old.company
    return Attributes(
        company=old.company | (what == 2),
        country=np.where(what == 0, (old.country + 1) % len(COUNTRIES), old.country),
        age_band=np.where(what == 1, age_band, old.age_band),
        device=old.device,
        consent=old.consent & (what != 3),
        employees=np.where(becomes_company, np.minimum(employees, 50_000), old.employees),
    )
