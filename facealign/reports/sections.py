"""What the reports on landmarks and on recognition have in common: summary, figures, parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from facealign.reports.document import Block, Heading, Items, Table, Text
from facealign.reports.wording import Finding, Words

Row = tuple[Sequence[str], Mapping[str, Any]]


def summary(findings: Iterable[Finding], words: Words) -> list[Block]:
    return [
        Heading(words("summary")),
        Items([words.say(finding) for finding in findings], emphasised=True),
    ]


def figures(
    names: Sequence[str], columns: Mapping[str, str], rows: Iterable[Row], words: Words
) -> Table:
    """Rows of texts, under the heads `names`, and of figures; `columns` has the key and the head of
    each figure."""
    cells = [
        [*texts, *(words.cell(key, values.get(key)) for key in columns)] for texts, values in rows
    ]
    return Table([[*names, *columns.values()], *cells], names=len(names))


def parameters(params: Mapping[str, Any], words: Words) -> list[Block]:
    rows = [[name, str(value)] for name, value in params.items()]
    heads = [words("parameter"), words("value")]
    return [
        Heading(words("parameters")),
        Text(words("parameters_method")),
        Table([heads, *rows], names=2, small=True),
    ]
