"""Texts and numbers of a report in English and Russian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from facealign.core.faces import METHOD_NAMES
from facealign.reports import markdown

Language = Literal["en", "ru"]
Texts = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Report:
    """The section `report` of params.yaml."""

    language: Language


@dataclass(frozen=True)
class Finding:
    """A sentence of the summary: the name of its text, and the values to fill in."""

    text: str
    values: dict[str, str | int] = field(default_factory=dict)


_SPACE = "\N{NO-BREAK SPACE}"  # a number and its sign stay on one line

# what the reports on landmarks and on recognition have in common
TEXTS: Texts = {
    "summary": ("Summary", "Основные выводы"),
    "results": ("Results", "Результаты"),
    "training": ("Training", "Обучение"),
    "parameters": ("Parameters", "Параметры"),
    "parameters_method": (
        "The values of params.yaml in this experiment.",
        "Значения из params.yaml для этого эксперимента.",
    ),
    "parameter": ("parameter", "параметр"),
    "value": ("value", "значение"),
    "interval": ("95 % CI", "95%-й ДИ"),
    "images": ("images", "изображений"),
    "reason": ("reason", "причина"),
    "epoch": ("epoch", "эпоха"),
    "train_loss": ("training loss", "функция потерь на обучении"),
}


REGIONS = ("jaw", "brows", "nose", "eyes", "mouth", "ears")  # of the published schemes


class Words:
    """The texts and the number format of one language."""

    def __init__(self, language: Language, texts: Texts) -> None:
        """`texts` are the report's own, beside the common ones."""
        self.language = language
        self._texts = {**TEXTS, **texts}
        self._place = get_args(Language).index(language)

    def __call__(self, key: str, **values: str | int) -> str:
        return self._texts[key][self._place].format(**values).replace(" %", f"{_SPACE}%")

    def say(self, finding: Finding) -> str:
        return self(finding.text, **finding.values)

    def dataset(self, name: str) -> str:
        return self("all") if name == "all" else name

    def method(self, name: str) -> str:
        return self(name) if name in ("model", *METHOD_NAMES) else name

    def region(self, name: str) -> str:
        """Of the face; those that only a user's scheme has are called as there."""
        return self(name) if name in REGIONS else name

    def number(self, value: float | None, digits: int = 3) -> str:
        return "—" if value is None else self._localise(f"{value:.{digits}f}")

    def percent(self, share: float | None, digits: int = 1) -> str:
        return "—" if share is None else f"{self.number(100 * share, digits)}{_SPACE}%"

    def tick(self, value: float) -> str:
        """A label on an axis, as short as possible."""
        return self._localise(f"{value:g}")

    def p_value(self, p: float) -> str:
        return f"< {self.number(0.001)}" if p < 0.001 else f"= {self.number(p)}"

    def cell(self, key: str, value: Any) -> str:
        """A figure as the tables in Markdown show it."""
        return self._localise(markdown.cell(key, value)).replace(" %", f"{_SPACE}%")

    def _localise(self, number: str) -> str:
        return number.replace(".", ",") if self.language == "ru" else number
