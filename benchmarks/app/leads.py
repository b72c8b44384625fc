"""A shop of many scored leads, drawn quickly: names, scores that drift from night to night, sixty points, reasons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalog import Feature
from models.scoring import score_schema

DAY_US = 86_400_000_000
FIRST_NIGHT_US = 1_730_419_200_000_000
_FIRST = ("Ana", "João", "Łucja", "Ștefan", "Maria", "Piotr", "Inês", "Rui", "George", "Elena", "Zoë", "Paweł")
_LAST = ("Silva", "Kowalska", "Popescu", "Smith", "Żak", "Ionescu", "Pereira", "Nowak", "Brown", "Conceição", "Müller")


def night_of(number: int) -> int:
    """Return the moment of a night, microseconds (UTC)."""
    return FIRST_NIGHT_US + number * DAY_US


class Leads:
    """Many leads; everything but the scores of a night is drawn once.

    Args:
        count: How many.
        features: What their points are given for.
        version: The label of the model that scores them.
        known: Ids of the first of them; the others' are made up.
        seed: Of all draws.
    """

    def __init__(
        self, count: int, *, features: tuple[Feature, ...], version: str, known: Sequence[str] = (), seed: int = 0
    ) -> None:
        self.count, self.version = count, version
        self._seed, self._known = seed, known[:count]
        self._told = [feature.name for feature in features if feature.kind != "category"]
        self.schema = score_schema(features)

    @cached_property
    def ids(self) -> pa.Array:
        """Their ids."""
        numbers = np.random.default_rng(self._seed).permutation(self.count - len(self._known))
        made_up = pc.binary_join_element_wise("lead-", pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 8, "0"), "")
        return pa.concat_arrays([pa.array(self._known, pa.string()), made_up])

    @cached_property
    def people(self) -> pa.Table:
        """What is known of them."""
        rng = np.random.default_rng(self._seed + 1)
        number = pa.array(rng.integers(0, 5_000, self.count)).cast(pa.string())
        house = pa.array(rng.integers(0, max(self.count // 12, 1), self.count)).cast(pa.string())
        name = pc.binary_join_element_wise(_words(rng, _FIRST, self.count), _words(rng, _LAST, self.count), number, " ")
        return pa.table(
            {
                "lead_id": self.ids,
                "display_name": name,
                "company": pc.binary_join_element_wise("House", house, " "),
                "owner": _words(rng, [f"Owner {n}" for n in range(12)], self.count),
                "email": pc.binary_join_element_wise(self.ids, "@mail.example", ""),
                "source": _words(rng, ["google", "mail", "direct", "ads", "partner", "social"], self.count),
                "campaign": _words(rng, [f"spring {n}" for n in range(30)], self.count),
            }
        )

    def log_odds(self, night: int) -> np.ndarray:
        """Return the log-odds of all leads on a night: most drift a little, a few jump."""
        base = np.random.default_rng(self._seed + 2).normal(-3.0, 1.4, self.count)
        rng = np.random.default_rng([self._seed, 3, night])
        jumps = np.where(rng.random(self.count) < 0.02, rng.normal(0, 1.5, self.count), 0.0)
        return base + np.sin(night / 9 + base * 7) * 0.3 + jumps

    def scores(self, night: int) -> pa.Table:
        """Return the stored scores of a night, with its rank."""
        rng = np.random.default_rng([self._seed, 4, night])
        log_odds, count = self.log_odds(night), self.count
        chance = 1 / (1 + np.exp(-log_odds))
        score = score_of(log_odds)
        rank = np.empty(count, dtype=np.int64)
        rank[np.argsort(-log_odds, kind="stable")] = np.arange(1, count + 1)
        grade = grades_of(chance)
        stage = rng.integers(0, len(_STAGES), count)
        fit = rng.integers(-1_500, 1_500, count)
        total = np.round(1000 * (log_odds + 3) / np.log(2)).astype(np.int64)
        columns = {
            "lead_id": self.ids,
            "as_of": pa.repeat(pa.scalar(night_of(night)), count),
            "rank": rank,
            "score": score,
            "probability": chance,
            "probability_low": chance * 0.8,
            "probability_high": np.minimum(chance * 1.2, 1.0),
            "log_odds": log_odds,
            "grade": _taken(_GRADES, grade),
            "temperature": _taken(("hot", "warm", "cold", "cold"), grade),
            "cell": _taken([f"{a}{b}" for a in "ABC" for b in "123"], rng.integers(0, 9, count)),
            "stage": _taken(_STAGES, stage),
            "play": _taken([f"play of {one}" for one in _STAGES], stage),
            "action": _taken(("call", "email", "recover_cart", "wait"), grade),
            "channel": _taken(("phone", "email", "email", "none"), grade),
            "segments": _sets(
                rng, ("new_buyers", "undecided_with_open_cart", "dormant_a_leads", "best_customers"), count
            ),
            "held": _sets(rng, ("no_consent", "unsubscribed", "open_deal"), count),
            "points_total": total,
            "fit": fit,
            "engagement": total - fit,
            "points_family": self._struct(rng, "points_family"),
            "points": self._struct(rng, "points"),
            "reasons": self._reasons(rng),
            "data_until": pa.repeat(pa.scalar(night_of(night)), count),
            "scored_at": pa.repeat(pa.scalar(night_of(night) + DAY_US // 8), count),
            "model_version": pa.repeat(self.version, count),
            "features_hash": pc.binary_join_element_wise("h", self.ids, ""),
        }
        return pa.table(
            [
                _column(columns[name], kind) if name in columns else pa.nulls(count, kind)
                for name, kind in zip(self.schema.names, self.schema.types, strict=True)
            ],
            schema=self.schema,
        )

    def free_scores(self, night: int) -> pa.Table:
        """Return the stored scores of a night in which nobody is held."""
        scores = self.scores(night)
        nobody = pa.array([[]] * self.count, scores.schema.field("held").type)
        return scores.set_column(scores.schema.get_field_index("held"), "held", nobody)

    def _struct(self, rng: np.random.Generator, name: str) -> pa.Array:
        fields = list(self.schema.field(name).type)
        arrays = [pa.array(rng.integers(-400, 400, self.count, dtype=np.int32)) for _ in fields]
        return pa.StructArray.from_arrays(arrays, fields=fields)

    def _reasons(self, rng: np.random.Generator) -> pa.Array:
        kind = self.schema.field("reasons").type
        count = self.count * 5
        columns = {
            "feature": _words(rng, self._told, count),
            "value": pa.array(rng.integers(0, 30, count).astype(float)),
            "level": pa.nulls(count, pa.string()),
            "points": pa.array(rng.integers(-900, 900, count)),
        }
        flat = pa.StructArray.from_arrays(list(columns.values()), fields=list(kind.value_type))
        return pa.ListArray.from_arrays(pa.array(np.arange(0, count + 1, 5), pa.int32()), flat)


_GRADES = ("A", "B", "C", "D")
_STAGES = ("visitor", "lead", "engaged", "cart", "customer", "repeat_customer", "lapsed")


def score_of(log_odds: np.ndarray) -> np.ndarray:
    """Return the score, 50 at a log-odds of -3."""
    return np.clip(np.round(50 + 10 * (log_odds + 3) / np.log(2)), 0, 100).astype(np.int64)


def grades_of(chance: np.ndarray) -> np.ndarray:
    """Return the grade of each probability as a place in A–D."""
    return np.searchsorted([-0.3, -0.12, -0.05], -chance)


def _words(rng: np.random.Generator, words: tuple[str, ...] | list[str], count: int) -> pa.Array:
    return _taken(words, rng.integers(0, len(words), count))


def _taken(words: tuple[str, ...] | list[str], places: np.ndarray) -> pa.Array:
    return pa.array(words).take(pa.array(places))


def _sets(rng: np.random.Generator, names: tuple[str, ...], count: int) -> pa.Array:
    """Return lists of at most one name: a fifth of the leads is in some set."""
    sizes = (rng.random(count) < 0.2).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), _words(rng, names, int(offsets[-1])))


def _column(values: pa.Array | np.ndarray, kind: pa.DataType) -> pa.Array:
    return (values if isinstance(values, pa.Array) else pa.array(values)).cast(kind)
