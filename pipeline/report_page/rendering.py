"""From a report to HTML: one file without scripts, fit to mail, light and dark, and fit for paper."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import jinja2

from pipeline.labels import Labels
from pipeline.languages import Language
from pipeline.page_templates import page_templates
from pipeline.report_page import TEMPLATES
from pipeline.stages.report import ShopReport

MOST_ROWS: Final = 20
"""Rows of one table: nobody reads hundreds."""


def html(report: ShopReport, said: Language) -> str:
    """Return *report* as one HTML document in the language *said*."""
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    return (
        _templates(said)
        .get_template("report.html")
        .render(
            report=report,
            style=style,
            label=Labels(said, report.words),
            most=MOST_ROWS,
            day=lambda iso: said.date(datetime.fromisoformat(iso)),
            moment=lambda iso: said.moment(datetime.fromisoformat(iso)),
        )
    )


@cache
def _templates(said: Language) -> jinja2.Environment:
    """Return the templates of the report in one language."""
    return page_templates(jinja2.FileSystemLoader(TEMPLATES), said)
