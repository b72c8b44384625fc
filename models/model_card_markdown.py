"""A page as GitHub's Markdown: one document, nothing beside it, and no text in it is taken for markup."""

from __future__ import annotations

import re
from typing import Final

from models.model_card_page import Block, Bullets, Chart, Notice, Page, Table, Text, Tiles, shown

_MARKUP: Final = re.compile(r"([\\`*_\[\]#|~$])")
_LIST: Final = re.compile(r"^(\d*)([-+.)])(?=\s|$)")
_RULE: Final = re.compile(r"^(?=[-=]+$)")
MARK: Final = "◆"
"""Stands before a row that a reader should look at."""


def markdown(page: Page) -> str:
    """Return *page* as Markdown."""
    lines = [f"# {escaped(page.title)}", "", *(part for line in page.lines for part in (escaped(line), ""))]
    for section in page.sections:
        lines += [f"## {escaped(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    """Return *text* so that a reader sees it as it is: no markup, no HTML, no link, one line."""
    safe = _MARKUP.sub(r"\\\1", shown(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Addresses become links by themselves where nothing stands between.
    safe = safe.replace("://", r"\://").replace("www.", r"www\.").replace("@", r"\@")
    return _RULE.sub(r"\\", _LIST.sub(r"\1\\\2", safe))


def _block(block: Block) -> list[str]:
    if isinstance(block, Text):
        return [escaped(block.text)]
    if isinstance(block, Notice):
        return [f"**{escaped(block.text)}**"]
    if isinstance(block, Bullets):
        return [f"- {escaped(item)}" for item in block.items]
    if isinstance(block, Tiles):
        return [f"- **{escaped(tile.name)}: {escaped(tile.value)}** {escaped(tile.note)}" for tile in block.tiles]
    if isinstance(block, Chart):
        return [f"**{escaped(block.title)}**", "", *_table(block.table)]
    return _table(block)


def _table(table: Table) -> list[str]:
    sides = ["---:" if is_numeric else ":---" for is_numeric in table.numeric_columns()]
    lines = [f"*{escaped(table.caption)}*", ""] if table.caption else []
    lines += [_row(table.head), f"|{'|'.join(sides)}|"]
    for place, row in enumerate(table.rows):
        mark = f"{MARK} " if place in table.marked else ""
        bold = "**" if place in table.strong else ""
        lines.append(_row((f"{mark}{row[0]}", *row[1:]), bold=bold))
    return lines


def _row(cells: tuple[str, ...], *, bold: str = "") -> str:
    return "| " + " | ".join(f"{bold}{escaped(cell)}{bold}" if cell else " " for cell in cells) + " |"
