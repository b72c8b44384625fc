"""A page as one HTML file: no script, nothing fetched, light and dark, and fit for paper."""

from __future__ import annotations

from html import escape
from typing import Final

from models.model_card_charts import svg
from models.model_card_page import Block, Bullets, Chart, Notice, Page, Section, Table, Text, Tiles, shown
from models.model_card_style import STYLE
from models.plots_curves import Gains

_GAINS_KEY: Final = "Line: this model, band: 95 % interval. Dashes: perfect ranking. Dots: random order."
_CALIBRATION_KEY: Final = "A tenth of the leads each, bars: 95 % interval. Dots: predictions that come true."


def html(page: Page) -> str:
    """Return *page* as one HTML document."""
    lines = "".join(f'<p class="lines">{_safe(line)}</p>' for line in page.lines)
    links = "".join(f'<a href="#s{place}">{_safe(section.title)}</a>' for place, section in enumerate(page.sections))
    sections = "\n".join(_section(section, place) for place, section in enumerate(page.sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        # A card needs nothing from anywhere: what slipped through an escape could still fetch and run nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_safe(page.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{_safe(page.title)}</h1>\n{lines}\n<nav>{links}</nav>\n{sections}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section, place: int) -> str:
    charts = [block for block in section.blocks if isinstance(block, Chart)]
    others = "\n".join(_block(block) for block in section.blocks if not isinstance(block, Chart))
    drawn = f'<div class="charts">{"".join(map(_chart, charts))}</div>' if charts else ""
    return f'<section id="s{place}">\n<h2>{_safe(section.title)}</h2>\n{others}{drawn}\n</section>'


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return f"<p>{_safe(block.text)}</p>"
    if isinstance(block, Notice):
        return f'<p class="notice{" good" if block.is_good else ""}">{_safe(block.text)}</p>'
    if isinstance(block, Bullets):
        return f"<ul>{''.join(f'<li>{_safe(item)}</li>' for item in block.items)}</ul>"
    if isinstance(block, Tiles):
        return f'<div class="tiles">{"".join(_tile(one.name, one.value, one.note) for one in block.tiles)}</div>'
    return _chart(block) if isinstance(block, Chart) else _table(block)


def _tile(name: str, value: str, note: str) -> str:
    return (
        f'<div class="tile"><span class="name">{_safe(name)}</span><b>{_safe(value)}</b>'
        f"<span>{_safe(note)}</span></div>"
    )


def _chart(chart: Chart) -> str:
    key = _GAINS_KEY if isinstance(chart.curve, Gains) else _CALIBRATION_KEY
    return (
        f"<figure><figcaption>{_safe(chart.title)}</figcaption>{svg(chart.curve, title=chart.title)}"
        f'<p class="key">{key}</p></figure>'
    )


def _table(table: Table) -> str:
    caption = f"<caption>{_safe(table.caption)}</caption>" if table.caption else ""
    sides = ["number" if is_numeric else "" for is_numeric in table.numeric_columns()]
    head = "".join(_cell("th", name, side) for name, side in zip(table.head, sides, strict=True))
    # A table of names and meanings needs no empty line above it.
    heading = f"<thead><tr>{head}</tr></thead>" if any(table.head) else ""
    rows = "".join(_row(row, table, place) for place, row in enumerate(table.rows))
    return f'<div class="wide"><table>{caption}{heading}<tbody>{rows}</tbody></table></div>'


def _row(row: tuple[str, ...], table: Table, place: int) -> str:
    sides = ["number" if is_numeric else "" for is_numeric in table.numeric_columns()]
    classes = " ".join(name for name, places in (("marked", table.marked), ("strong", table.strong)) if place in places)
    start = f'<tr class="{classes}">' if classes else "<tr>"
    cells = "".join(_cell("td", cell, side) for cell, side in zip(row[1:], sides[1:], strict=True))
    return f'{start}<th scope="row">{_safe(row[0])}</th>{cells}</tr>'


def _cell(tag: str, text: str, side: str) -> str:
    """Return one cell; the interval of a figure stands small below it."""
    value, _, interval = text.partition(" (") if side and tag == "td" else (text, "", "")
    below = f"<small>({_safe(interval)}</small>" if interval else ""
    scope = ' scope="col"' if tag == "th" else ""
    kind = f' class="{side}"' if side else ""
    return f"<{tag}{scope}{kind}>{_safe(value)}{below}</{tag}>"


def _safe(text: str) -> str:
    return escape(shown(text), quote=True)
