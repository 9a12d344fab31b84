import re
from pathlib import Path

import numpy as np
import pytest

from facealign.reports.document import (
    Document,
    Heading,
    Items,
    Table,
    Text,
    _Pages,
    as_picture,
    write,
)

NOISE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture
def document() -> Document:
    rows = [["имя", "value"], *([f"<{i}>", str(i)] for i in range(120))]
    return Document(
        "ru",
        "Отчёт & √(H·W)",
        [
            Items(["первое < второго"], emphasised=True),
            Heading("Рисунки"),
            Text("a < b & c"),
            as_picture(NOISE, "шум", 0.5),
            Heading("Tables"),
            Table(rows),
        ],
    )


def test_the_page_loads_nothing_and_escapes_what_it_shows(
    tmp_path: Path, document: Document
) -> None:
    write(document, tmp_path / "page.html", tmp_path / "page.pdf")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<html lang="ru">' in text and "<title>Отчёт &amp; √(H·W)</title>" in text
    assert "a &lt; b &amp; c" in text and "&lt;119&gt;" in text
    sources = re.findall(r'(?:src|href)="([^"]{0,11})', text)
    assert sources == ["#s0", "#s1", "data:image/"]
    assert "http" not in text


def test_the_pdf_has_pages_text_and_an_outline(tmp_path: Path, document: Document) -> None:
    write(document, tmp_path / "page.html", tmp_path / "page.pdf")
    data = (tmp_path / "page.pdf").read_bytes()
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", data)) >= 3  # 120 rows need more than one
    assert b"/Outlines" in data and len(re.findall(rb"/Subtype /Image", data)) == 1


def test_the_same_content_gives_the_same_bytes(tmp_path: Path, document: Document) -> None:
    for name in ("one", "two"):
        write(document, tmp_path / f"{name}.html", tmp_path / f"{name}.pdf")
    for kind in ("html", "pdf"):
        one, two = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("one", "two"))
        assert one == two


def test_a_table_wider_than_the_page_is_broken_into_lines(tmp_path: Path) -> None:
    wide = Table([["name", "text"], ["x", "word " * 80]])
    write(Document("en", "wide", [wide]), tmp_path / "wide.html", tmp_path / "wide.pdf")
    assert (tmp_path / "wide.pdf").stat().st_size > 1000


def test_a_table_that_is_a_little_too_wide_gets_smaller_letters() -> None:
    pages = _Pages(Document("en", "wide", []))

    def height(letters: int) -> float:
        before = pages.get_y()
        pages.rows([["a heading"], ["x" * letters]], names=1, size=8)
        return pages.get_y() - before

    one_line, smaller, two_lines = (height(letters) for letters in (90, 115, 180))
    pages.output()  # closes the fonts
    assert smaller < one_line < two_lines


@pytest.mark.parametrize("columns", range(2, 14))
def test_a_table_wider_than_the_page_is_fitted(tmp_path: Path, columns: int) -> None:
    rows = [[f"column {i} " * (i + 3) for i in range(columns)], [str(i) for i in range(columns)]]
    made = Document("en", "wide", [Table(rows, names=1)])
    write(made, tmp_path / "page.html", tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
