"""A document of headings, texts, tables and pictures, written as one HTML file and as a PDF.

The HTML file is self-contained: style and pictures are embedded. The same document gives the same
bytes.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from facealign.core.files import atomic_write, write_text
from facealign.core.text import printable


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Items:
    """A bulleted list."""

    texts: Sequence[str]
    emphasised: bool = False


@dataclass(frozen=True)
class Table:
    """Heads, then rows; the first `names` columns are aligned left, the others right."""

    rows: Sequence[Sequence[str]]
    names: int = 1
    small: bool = False


@dataclass(frozen=True)
class Picture:
    data: bytes  # of a .png or .jpg
    caption: str
    width: float = 1.0  # as a share of the page's


Block = Heading | Text | Items | Table | Picture


@dataclass(frozen=True)
class Document:
    language: str  # "en", "ru"
    title: str
    blocks: Sequence[Block]


def as_picture(image: np.ndarray, caption: str, width: float = 1.0) -> Picture:
    """RGB pixels as a picture of the document."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert done
    return Picture(data.tobytes(), caption, width)


def write(document: Document, page: Path, pdf: Path) -> None:
    write_text(page, _page(document))
    with atomic_write(pdf) as part:
        part.write_bytes(_pdf(document))


# --- HTML ---

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #fff;
       max-width: 62rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 1rem 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-top: 1px solid #d5dae1; padding-top: 1rem; }
nav { font-size: .9rem; margin: .75rem 0 1.25rem; line-height: 1.9; }
nav a { margin-right: 1rem; white-space: nowrap; }
a { color: #1f5fb4; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
table.small { font-size: .8rem; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e4e8ee;
         white-space: nowrap; }
th { border-bottom: 2px solid #9aa5b4; }
.name { text-align: left; white-space: normal; overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; }
figcaption { font-size: .85rem; color: #556070; }
ul.emphasised { background: #f1f5fa; border-left: 4px solid #1f5fb4;
             padding: .75rem 1rem .75rem 2rem; }
"""


def _escape(text: str) -> str:
    return html.escape(printable(text))


def _page(document: Document) -> str:
    heads = [block.text for block in document.blocks if isinstance(block, Heading)]
    links = "\n".join(f'<a href="#s{i}">{_escape(head)}</a>' for i, head in enumerate(heads))
    body = "\n".join(_blocks(document))
    title = _escape(document.title)
    return (
        f'<!DOCTYPE html>\n<html lang="{document.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"<nav>\n{links}\n</nav>\n{body}\n</body>\n</html>\n"
    )


def _blocks(document: Document) -> Iterator[str]:
    number = 0
    for block in document.blocks:
        match block:
            case Heading(text):
                yield f'<h2 id="s{number}">{_escape(text)}</h2>'
                number += 1
            case Text(text):
                yield f"<p>{_escape(text)}</p>"
            case Items(texts, emphasised):
                items = "".join(f"<li>{_escape(text)}</li>\n" for text in texts)
                yield f"<ul class='{'emphasised' if emphasised else 'plain'}'>\n{items}</ul>"
            case Table(rows, names, small):
                yield _html_table(rows, names, small)
            case Picture(data, caption, width):
                kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
                code = base64.b64encode(data).decode()
                text = _escape(caption)
                yield (
                    f'<figure><img style="width: {width:.0%}" alt="{text}" '
                    f'src="data:image/{kind};base64,{code}"><figcaption>{text}</figcaption></figure>'
                )


def _html_table(rows: Sequence[Sequence[str]], names: int, small: bool) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag} class='{'name' if i < names else 'figure'}'>{_escape(cell)}</{tag}>"
            for i, cell in enumerate(cells)
        )

    body = "\n".join(f"<tr>{line(row, 'td')}</tr>" for row in rows[1:])
    return (
        f"<div class='scroll'><table class='{'small' if small else 'plain'}'>\n"
        f"<thead><tr>{line(rows[0], 'th')}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


# --- PDF ---

_FONT = "DejaVu"  # shipped with matplotlib; covers Cyrillic and mathematical signs
_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # a fixed date, so that the bytes are the same
_INK, _BLUE, _GREY = (28, 36, 48), (31, 95, 180), (85, 96, 112)
_POINTS = 9.5
_LONGEST = 400  # characters of a cell: a row must not be taller than a page


def _pdf(document: Document) -> bytes:
    pages = _Pages(document)
    for block, after in zip_longest(document.blocks, document.blocks[1:]):
        match block:
            case Heading(text):
                shown = (
                    pages.extent(after.data, after.width)[1] if isinstance(after, Picture) else 0
                )
                pages.heading(text, shown)
            case Text(text):
                pages.paragraph(text, _POINTS)
                pages.ln(1.5)
            case Items(texts, emphasised):
                pages.items(texts, _BLUE if emphasised else _INK)
            case Table(rows, names, small):
                pages.rows(rows, names, 7.0 if small else 8.0)
            case Picture(data, caption, width):
                pages.picture(data, caption, width)
    return bytes(pages.output())


class _Pages(FPDF):
    """A4 pages; lengths are in millimetres."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self.set_creation_date(_DATE)
        self.set_title(printable(document.title))
        self.set_lang(document.language)
        self.set_margins(18, 16)
        self.set_auto_page_break(True, margin=18)
        self.c_margin = 0.0
        self.set_draw_color(200)
        self.set_line_width(0.15)
        fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
        self.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        self.add_page()
        self.paragraph(document.title, 17, "B")
        self.ln(2)

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(_FONT, size=8)
        self.set_text_color(*_GREY)
        self.cell(0, 6, f"{self.page_no()}", align="C")

    def heading(self, text: str, picture: float) -> None:
        """On the page of what follows it; `picture` is the height of a picture that does."""
        if self.will_page_break(max(40, picture + 25)):
            self.add_page()
        self.ln(4)
        self.start_section(printable(text))
        self.paragraph(text, 13, "B", _BLUE)
        self.ln(1.5)

    def paragraph(
        self, text: str, size: float, style: str = "", colour: tuple[int, ...] = _INK
    ) -> None:
        self.set_font(_FONT, style, size)
        self.set_text_color(*colour)
        self.multi_cell(0, size / 2, printable(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def items(self, texts: Sequence[str], dot: tuple[int, ...]) -> None:
        for text in texts:
            self.set_font(_FONT, "B", _POINTS)
            self.set_text_color(*dot)
            self.cell(5, _POINTS / 2, "•")
            self.paragraph(text, _POINTS)
            self.ln(0.8)
        self.ln(1.5)

    def rows(self, rows: Sequence[Sequence[str]], names: int, size: float) -> None:
        """As wide as the cells need; on a page that is too narrow, the letters are smaller, then
        the wider columns get lines of equal length. What is longer than `_LONGEST` is cut."""
        shown = [[_shortened(printable(text)) for text in row] for row in rows]
        self.set_text_color(*_INK)
        for smaller in (1.0, 0.9, 0.8):
            self.set_font(_FONT, "B", smaller * size)
            columns = zip(*shown, strict=True)
            needed = [max(map(self.get_string_width, cells)) + 3 for cells in columns]
            if sum(needed) <= self.epw:
                break
        widths = _fitted(needed, self.epw)
        size *= smaller
        self.set_font(_FONT, "", size)
        with self.table(
            shown,
            width=min(sum(widths), self.epw),  # their sum may be a bit above it
            col_widths=tuple(widths),
            align="LEFT",
            text_align=tuple("LEFT" if i < names else "RIGHT" for i in range(len(widths))),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            line_height=size * 0.58,
            padding=(0, 1.2),
            headings_style=FontFace(emphasis="BOLD"),
        ):
            pass  # `shown` is all that the table needs
        self.ln(3)

    def extent(self, data: bytes, width: float) -> tuple[float, float]:
        """Width and height of a picture on the page."""
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        tall, across = decoded.shape[:2]
        scale = min(self.epw * width / across, (self.eph - 30) / tall)
        return across * scale, tall * scale

    def picture(self, data: bytes, caption: str, width: float) -> None:
        across, tall = self.extent(data, width)
        if self.will_page_break(tall + 10):  # room for its caption, too
            self.add_page()
        self.image(io.BytesIO(data), w=across, h=tall, alt_text=printable(caption))
        self.ln(1)
        self.paragraph(caption, 8, colour=_GREY)
        self.ln(3)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _fitted(widths: Sequence[float], available: float) -> list[float]:
    """The widths, the largest cut to one limit if together they exceed what is available."""
    left = available
    for place, width in enumerate(sorted(widths)):
        limit = left / (len(widths) - place)
        if width > limit:
            return [min(width, limit) for width in widths]
        left -= width
    return list(widths)
