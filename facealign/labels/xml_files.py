"""XML files of strangers. A document type is refused, so that no entity can be declared, and with
it everything that XML could expand or fetch."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from facealign.core.errors import AnnotationError
from facealign.core.text import printable
from facealign.labels.faces import read_bytes
from facealign.labels.pixels import decimal


@dataclass(frozen=True)
class Xml:
    """An element of a file; `where` leads to it."""

    path: Path
    where: str
    element: ElementTree.Element

    def children(self, tag: str) -> list[Xml]:
        found = self.element.findall(tag)
        return [self._inner(f"{tag} {number}", one) for number, one in enumerate(found, start=1)]

    def get(self, name: str) -> str | None:
        return self.element.get(name)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise AnnotationError(f"{self}: no attribute {name!r}")
        return value

    def number(self, name: str) -> Decimal:
        try:
            return decimal(self[name])
        except ArithmeticError:
            raise self.wrong(name, "a number") from None

    def whole(self, name: str, low: int = 0, high: int = 10**9) -> int:
        number = self.number(name)
        if not low <= number <= high or number != int(number):
            raise self.wrong(name, f"a whole number from {low} to {high}")
        return int(number)

    def flag(self, name: str) -> bool:
        """0 or 1; 0 if it is not there."""
        value = self.get(name) or "0"
        if value not in {"0", "1"}:
            raise self.wrong(name, "0 or 1")
        return value == "1"

    def wrong(self, name: str, expected: str) -> AnnotationError:
        shown = printable(self[name][:60])
        return AnnotationError(f"{self}: {name} is {shown!r}, expected {expected}")

    def __str__(self) -> str:
        return f"{self.path}: {self.where}" if self.where else str(self.path)

    def _inner(self, step: str, element: ElementTree.Element) -> Xml:
        name = element.get("name") or element.get("file")
        shown = f"{step} ({printable(name[:60])})" if name else step
        return Xml(self.path, f"{self.where}, {shown}" if self.where else shown, element)


class _Builder(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("a document type (DOCTYPE) is refused")


def load(path: Path) -> Xml:
    parser = ElementTree.XMLParser(target=_Builder())
    try:
        parser.feed(read_bytes(path))
        root = parser.close()
    except ElementTree.ParseError as error:
        line, _ = error.position
        raise AnnotationError(f"{path}:{line}: not XML: {printable(str(error))[:200]}") from None
    except (ValueError, LookupError) as error:  # of the document type, of an encoding
        raise AnnotationError(f"{path}: not XML: {printable(str(error))[:200]}") from None
    return Xml(path, "", root)


def text(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'
