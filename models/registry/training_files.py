"""The files that a training leaves in its MLflow run: numbers to compute with, pictures to look at.

report.json, config.yaml           how the model was trained and how it did
certificate.{json,md,html}         what was checked for leaks
data_dictionary.{md,json}          what each column means
curves/curves.json, *.csv          the curves as numbers
plots/*.png                        the same as pictures, and what moves the scores
shap/summary.csv                   mean points and direction of each feature
card/model_card.{html,md}          what a person should know before trusting the model
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from features import dictionary
from models import certificate_page, plots, plots_curves, plots_shap
from models.explain import contributions
from models.model_card import model_card
from models.model_card_facts import CardFacts
from models.model_card_html import html
from models.model_card_markdown import markdown
from models.registry.training import CARD_FOLDER, plain, report

if TYPE_CHECKING:
    from models.registry.training import Training

SOFTWARE: Final = ("leadlight", "lightgbm", "numpy", "scipy", "mlflow")
_HISTOGRAM = ("edges", "histogram")
"""Parts of the calibration that lie in the JSON alone: as columns they have another length."""


def write_files(training: Training, folder: Path) -> None:
    """Write everything but the model to the empty *folder*."""
    _write_json(folder / "report.json", report(training))
    features = training.trained.model.features
    (folder / "data_dictionary.md").write_text(dictionary.markdown(features), encoding="utf-8")
    _write_json(folder / "data_dictionary.json", dictionary.entries(features))
    if training.certificate is not None:
        _write_json(folder / "certificate.json", training.certificate.as_plain())
        (folder / "certificate.md").write_text(certificate_page.markdown(training.certificate), encoding="utf-8")
        (folder / "certificate.html").write_text(certificate_page.html(training.certificate), encoding="utf-8")
    if training.config:
        (folder / "config.yaml").write_text(training.config, encoding="utf-8")
    for name in ("plots", "curves", "shap", CARD_FOLDER):
        (folder / name).mkdir()
    drawn = _write_curves(training, folder)
    moves = _write_shap(training, folder)
    _write_card(_card_facts(training, drawn, moves), folder / CARD_FOLDER)


def _write_card(facts: CardFacts, folder: Path) -> None:
    page = model_card(facts)
    (folder / "model_card.html").write_text(html(page), encoding="utf-8")
    (folder / "model_card.md").write_text(markdown(page), encoding="utf-8")


def _card_facts(training: Training, drawn: plots_curves.Curves, moves: plots_shap.ShapSummary) -> CardFacts:
    certificate = training.certificate
    return CardFacts(
        trained=training.trained,
        table=training.table,
        others=training.others,
        curves=drawn,
        importance=moves.rows(),
        setting=training.setting,
        segments=training.segments,
        certificate=certificate.as_plain() if certificate is not None else None,
        fingerprint=training.fingerprint,
        run_id=training.run_id,
        trained_at=training.trained_at,
        software={name: version(name) for name in SOFTWARE},
    )


def _write_curves(training: Training, folder: Path) -> plots_curves.Curves:
    hold_out = training.trained.hold_out
    curves = plots_curves.curves(hold_out.log_odds, hold_out.converted, hold_out.lead)
    numbers = curves.as_plain()
    _write_json(folder / "curves" / "curves.json", numbers)
    for name, curve in numbers.items():
        columns = {key: values for key, values in curve.items() if isinstance(values, list) and key not in _HISTOGRAM}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        _write_csv(folder / "curves" / f"{name}.csv", rows)
    for name, figure in plots.figures(curves).items():
        plots.save(figure, folder / "plots" / f"{name}.png")
    return curves


def _write_shap(training: Training, folder: Path) -> plots_shap.ShapSummary:
    """Explain a sample of the hold-out by the model that ships."""
    rows = training.trained.hold_out.test_rows
    leads = training.table.take(rows[plots_shap.shap_sample(len(rows))])
    model = training.trained.model
    summary = plots_shap.shap_summary(model, leads, contributions(model, leads))
    _write_csv(folder / "shap" / "summary.csv", summary.rows())
    plots.save(plots_shap.beeswarm(summary), folder / "plots" / "shap_summary.png")
    return summary


def _write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    path.write_text(json.dumps(plain(value), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
