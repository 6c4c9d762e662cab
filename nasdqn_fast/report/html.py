"""Pieces of HTML: everything that comes from a study is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["code", "escape", "figure", "heading", "paragraph", "table"]


def heading(level: int, text: str, name: str = "") -> str:
    """A heading, which the page can link to by its name."""
    where = f' id="{escape(name)}"' if name else ""
    return f"<h{level}{where}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def code(text: str) -> str:
    """A command or a file."""
    return f"<code>{escape(text)}</code>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", *, numbers: bool = True) -> str:
    """A table of plain text, which scrolls by itself where the window is narrow.

    Args:
        header, rows: cells.
        caption: below it.
        numbers: whether cells are numbers, which are not broken into lines.
    """
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    below = paragraph(caption, "caption") if caption else ""
    kind = _class("numbers" if numbers else "")
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>{below}'
    )


def figure(image: bytes, title: str, caption: str, command: str, files: Sequence[str]) -> str:
    """A PNG inside the page, with the command that makes it and its other files."""
    data = base64.b64encode(image).decode()
    links = ", ".join(f'<a href="{escape(file)}">{escape(file)}</a>' for file in files)
    return (
        f'<figure><img alt="{escape(title)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}<br>{code(command)}<br>{links}</figcaption></figure>"
    )


def _cell(text: str) -> str:
    return f"<td{_class('long' if len(text) > 30 else '')}>{escape(text)}</td>"


def _class(kind: str) -> str:
    return f' class="{escape(kind)}"' if kind else ""
