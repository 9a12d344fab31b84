"""The page of `facealign score`: methods, the best first, and how sure their order is."""

from __future__ import annotations

from collections.abc import Mapping

from facealign.evaluation.metrics import Difference, Summary
from facealign.evaluation.subgroups import Groups
from facealign.reports import markdown
from facealign.reports.document import Block, Document, Heading, Items, Picture, Table, Text


def page(
    summary: Mapping[str, Mapping[str, Summary]],
    differences: Mapping[tuple[str, str], Difference],
    groups: Groups,
    norm: str,
    left_out: Mapping[str, int],
    curves: Picture,
) -> Document:
    """`norm` says what an error is divided by."""
    blocks: list[Block] = [
        Heading("Methods"),
        Text(
            f"The error of a face is the mean distance of its points, divided by {norm}. "
            "Undetected: faces for which a method has no points, or none near the face; in the "
            "column before AUC@1.0 they are failures, and methods are in its order."
        ),
        Table(markdown.results_rows(summary), names=2),
        curves,
    ]
    if differences:
        blocks += [
            Heading("Differences"),
            Text(
                "Each method against those below it, on the faces for which all have points: the "
                "gain in AUC@0.08, its 95 % interval and the two-sided p of a paired bootstrap "
                "over faces. The p are not corrected for the number of pairs."
            ),
            Table(markdown.difference_rows(differences), names=2),
        ]
    if groups:
        blocks += [Heading("By difficulty"), Table(markdown.groups_rows(groups), 2, small=True)]
    if left_out:
        blocks += [
            Heading("Left out"),
            Items([f"{what}: {count}" for what, count in left_out.items()]),
        ]
    return Document("en", "Leaderboard", blocks)
