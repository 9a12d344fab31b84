"""`facealign score`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facealign.cli import options
from facealign.core.errors import ConfigError


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "score",
        "compare the points of any methods on annotated faces",
        "Score the points of any number of methods, published ones or your own, without running "
        "them: as labels in any format of `facealign labels`, such as folders of .pts or the CSV "
        "of `facealign predict`. Write leaderboard.json, leaderboard.html, leaderboard.pdf, CED "
        "curves, and errors.csv with each face's error.",
    )
    parser.add_argument("truth", type=Path, metavar="TRUTH", help="the true points")
    parser.add_argument(
        "methods",
        nargs="+",
        metavar="[NAME=]POINTS",
        help="the points of a method, and its name (default: that of the file or folder)",
    )
    parser.add_argument(
        "--norm",
        choices=("dlib", "points", "eyes"),
        default="dlib",
        help="divide errors by the size of dlib's rectangle, which needs the images, of the box "
        "around the true points, or by the distance of the outer eye corners (default: dlib)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="the folder of the images (default: the folder of TRUTH)",
    )
    parser.add_argument(
        "--out",
        type=options.folder,
        default=Path("leaderboard"),
        metavar="DIR",
        help="folder for the results (default: leaderboard)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print leaderboard.json instead of tables"
    )


def run(arguments: argparse.Namespace) -> int:
    from facealign.core import files
    from facealign.inference import scored_labels
    from facealign.reports import markdown

    methods: dict[str, Path] = {}
    for text in arguments.methods:
        name, equals, path = text.partition("=")
        if not equals or "/" in name:  # a path may have the sign
            name, path = Path(text).stem, text
        if methods.setdefault(name, Path(path)) != Path(path):
            raise ConfigError(f"{text}: another method has the name {name!r}: NAME={path}")
    board = scored_labels.score(arguments.truth, methods, arguments.images, arguments.norm)
    figures, differences, groups = board.summary(), board.differences(), board.groups()
    out: Path = arguments.out
    files.write_json(
        out / "leaderboard.json",
        {
            "norm": arguments.norm,
            "figures": figures,
            "differences": [
                {"method": one, "against": other, **vars(its)}
                for (one, other), its in differences.items()
            ],
            "groups": groups,
            "left_out": board.left_out,
        },
    )
    board.write_errors(out / "errors.csv")
    try:
        from facealign.reports import ced_figures, document, leaderboard
    except ModuleNotFoundError as error:
        print(f"no curves and no page: pip install {error.name}", file=sys.stderr)
    else:
        errors = {name: its.errors for name, its in board.common.items()}
        curves = {name: ced_figures.Curve.of(values) for name, values in errors.items()}
        count = len(next(iter(errors.values())))
        title = f"{count} faces for which all have points"
        norm = scored_labels.NORMS[arguments.norm]
        ced_figures.zoo_figure(curves, None, title, out / "ced", norm)
        picture = document.Picture((out / "ced.png").read_bytes(), f"CED, {title}", 0.8)
        page = leaderboard.page(figures, differences, groups, norm, board.left_out, picture)
        document.write(page, out / "leaderboard.html", out / "leaderboard.pdf")
    options.report_left_out(board.left_out)
    if arguments.json:
        print((out / "leaderboard.json").read_text(encoding="utf-8"), end="")
        return 0
    print(markdown.results_table(figures))
    if differences:
        print()
        print(markdown.table(markdown.difference_rows(differences), names=2))
    return 0
