"""``python -m benchmarks.leaks [--quick]``: which planted leaks the certificate catches, and by which name.

Five kinds of leak are planted in the synthetic shop at three strengths (see `benchmarks.leaks_plants`). What a plant is
worth is measured: a LightGBM learns with and without it, and is judged on the same later snapshots. Then the clean
shop is certified over 20 seeds: any alarm there is a false one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.leaks_plants import (
    CAUGHT_BY,
    KINDS,
    STRENGTHS,
    Plant,
    change_files,
    recounting,
    settings_with,
    training_rows,
)
from features.columns import codes, encoded
from features.matrix import FeatureTable, concat
from features.training_table import ripe_snapshots
from models import certificate_page
from models.certificate import Certificate
from models.metrics import rank_auc
from models.splits import Moments
from models.training import HoldOut, moments_of
from pipeline import shipped
from pipeline.histories import asked
from pipeline.settings import Settings, load
from pipeline.stages.certificate import certify
from pipeline.stages.ingest import ingest
from pipeline.synthetic.shop import generate
from pipeline.workspace import Workspace

NOW = datetime(2025, 2, 1, tzinfo=UTC)
TEST_AS_OFS = 6


@dataclass(frozen=True)
class Judged:
    """One shop, planted or not: how well a model does on it, and its certificate."""

    auc: float
    certificate: Certificate
    seconds: float

    def caught(self, kind: str) -> bool:
        """Whether the right check failed and named the right thing."""
        name, what = CAUGHT_BY[kind]
        return any(
            check.name == name and any(what in finding.what for finding in check.findings)
            for check in self.certificate.failed
        )


def shop(folder: Path, *, leads: int, seed: int) -> Settings:
    """Return the config of a fresh synthetic shop."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped.config("synthetic_shop"), folder / "leadlight.yaml")
    settings = load(folder / "leadlight.yaml")
    generate(settings.data_folder, leads=leads, seed=seed)
    return settings


def judge(settings: Settings, plant: Plant | None, *, model: bool = True) -> Judged:
    """Ingest, compute, certify, and learn from a shop as it lies there."""
    tables = Workspace(settings.shop.workspace).tables()
    question, features = asked(settings, tables)
    again = recounting(question, features, plant)
    parts = []
    for bucket in range(tables.buckets):
        timelines = tables.timelines(bucket, columns=question.columns_read(features))
        snapshots, labels = ripe_snapshots(timelines, question)
        belongs = again.members(timelines, snapshots)
        part = again.features(timelines, snapshots.take(belongs))
        parts.append(FeatureTable(part.keys, part.columns, part.features, labels.filter(belongs)))
    table = concat(parts)
    rows = moments_of(table)
    test_from = int(np.unique(rows.as_of)[-TEST_AS_OFS])
    train, test = training_rows(rows, test_from, plant)
    none = np.empty(0)
    hold_out = HoldOut(train, test, test_from, none, none.astype(np.bool_), none.astype(np.uint64))
    begun = time.perf_counter()
    certificate = certify(settings, tables, question, features, table, hold_out, recounting=again)
    seconds = time.perf_counter() - begun
    if not model:
        return Judged(float("nan"), certificate, seconds)
    # Who remembers leads needs leaves to remember them in.
    leaves, rounds = (63, 150) if settings.question.snapshots.every == "7d" else (31, 80)
    return Judged(learned(table, rows, (train, test), leaves=leaves, rounds=rounds), certificate, seconds)


def learned(
    table: FeatureTable,
    rows: Moments,
    split: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    *,
    leaves: int,
    rounds: int,
) -> float:
    """Return the ROC-AUC on the test of a LightGBM that is large enough to use a leak."""
    train, test = split
    matrix = np.column_stack(
        [
            codes(encoded(table.columns[f.name])).astype(np.float64)
            if f.kind == "category"
            else table.columns[f.name].to_numpy()
            for f in table.features
        ]
    )
    data = lgb.Dataset(matrix[train], rows.converted[train].astype(np.int64), params={"verbosity": -1})
    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "learning_rate": 0.1,
        "num_threads": 1,
        "seed": 0,
        "verbosity": -1,
    }
    return rank_auc(lgb.train(settings, data, rounds).predict(matrix[test]), rows.converted[test])


def planted(base: Settings, plant: Plant | None, folder: Path, *, like: Plant | None = None) -> Judged:
    """Copy the shop, plant, and judge it; *like* gives the clean shop the config of a plant."""
    shutil.copytree(base.data_folder, folder / "synthetic_shop")
    shutil.copyfile(base.shop.workspace.parent / "leadlight.yaml", folder / "leadlight.yaml")
    settings = load(folder / "leadlight.yaml")
    if plant is not None:
        change_files(settings.data_folder, plant, seed=1)
    settings = settings_with(settings, plant or like)
    ingest(settings, now=NOW)
    return judge(settings, plant)


def main() -> int:
    """Plant, certify, and print what was caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer leads, the weak plants and 2 clean seeds")
    quick = parser.parse_args().quick
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    leads, seeds = (1_500, 2) if quick else (3_000, 20)
    strengths = STRENGTHS[:1] if quick else STRENGTHS
    with tempfile.TemporaryDirectory(prefix="leadlight-leaks-") as place:
        found = _plants(Path(place), leads, strengths, console)
        alarms = _clean(Path(place), leads, seeds, console)
    missed = [one for one in found if not one["caught"]]
    result = {"leads": leads, "plants": found, "missed": len(missed), "clean_seeds": seeds, "false_alarms": alarms}
    print(json.dumps(result))
    return 0 if not missed and not alarms else 1


def _plants(place: Path, leads: int, strengths: tuple[str, ...], console: Console) -> list[dict[str, object]]:
    base = shop(place / "base", leads=leads, seed=0)
    clean = planted(base, None, _fresh(place / "clean"))
    weekly = planted(base, None, _fresh(place / "weekly"), like=Plant("overlap", "weak"))
    table = Table(title=f"Planted leaks, {leads:,} leads; without any ROC-AUC {clean.auc:.3f}", title_justify="left")
    for name in ("kind", "strength", "size", "gain in AUC", "caught", "by", "named", "also failed"):
        table.add_column(name)
    found: list[dict[str, object]] = []
    for kind in KINDS:
        for strength in strengths:
            plant = Plant(kind, strength)
            judged = planted(base, plant, _fresh(place / f"{KINDS.index(kind)}-{strength}"))
            gain = judged.auc - (weekly if kind == "overlap" else clean).auc
            name, what = CAUGHT_BY[kind]
            also = [check.name for check in judged.certificate.failed if check.name != name]
            caught = judged.caught(kind)
            table.add_row(
                kind, strength, f"{plant.size:g}", f"{gain:+.3f}", "yes" if caught else "NO", name, what,
                "; ".join(also),
            )  # fmt: skip
            console.log(f"{kind}, {strength}: gain {gain:+.3f}, {'caught' if caught else 'MISSED'}")
            found.append(
                {"kind": kind, "strength": strength, "auc_gain": round(gain, 4), "caught": caught, "also": also}
            )
    console.print(table)
    return found


def _clean(place: Path, leads: int, seeds: int, console: Console) -> int:
    alarms, seconds = 0, []
    for seed in range(1, seeds + 1):
        settings = shop(place / f"clean-{seed}", leads=leads, seed=seed)
        ingest(settings, now=NOW)
        judged = judge(settings, None, model=False)
        seconds.append(judged.seconds)
        console.log(f"clean shop, seed {seed}: {certificate_page.one_line(judged.certificate)}")
        alarms += not judged.certificate.is_passed
        for check in judged.certificate.failed:
            console.print(f"seed {seed}: {check.name}: {check.findings}", markup=False)
        shutil.rmtree(place / f"clean-{seed}")
    console.print(f"Clean shop, {seeds} seeds: {alarms} false alarms; {np.median(seconds):.1f} s a certificate.")
    return alarms


def _fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
