"""`facealign labels suspects`, `apply` and `edit`."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from facealign.cli import options

if TYPE_CHECKING:
    import numpy as np


def add(actions: options.Commands[argparse.ArgumentParser]) -> None:
    _add_suspects(actions)
    _add_apply(actions)
    _add_edit(actions)


def _add_suspects(actions: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        actions,
        suspects,
        "suspects",
        "export labels that are probably wrong",
        "Write the first faces of a table of the stage `suspects` for an annotation tool: their "
        "images, their present labels, and sheet.jpg, with labels in green and what is expected "
        "in red.",
    )
    parser.add_argument("table", type=Path, metavar="TABLE", help="such as data/suspects.csv")
    parser.add_argument("target", type=Path, metavar="OUT", help="a new folder, or a new file .zip")
    parser.add_argument(
        "--format", required=True, choices=("cvat", "label-studio", "imglab"), help="of the tool"
    )
    parser.add_argument(
        "--first",
        type=options.count,
        default=100,
        metavar="N",
        help="how many faces (default: 100)",
    )
    _add_present(parser)


def _add_apply(actions: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        actions,
        apply,
        "apply",
        "write what was corrected as a patch",
        "Compare corrected labels with the present ones and write the faces that changed as a "
        "patch, which `data.patches` in params.yaml names. Points that nobody moved stay as they "
        "are, even if the tool has rounded them.",
    )
    parser.add_argument(
        "corrected",
        type=Path,
        metavar="CORRECTED",
        help="a file, folder or .zip of labels in any format of `facealign labels convert`",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="such as data/patches/first.csv"
    )
    parser.add_argument(
        "--from", dest="source_format", metavar="FORMAT", help="(default: by the contents)"
    )
    _add_present(parser)


def _add_present(parser: argparse.ArgumentParser) -> None:
    """Where the present labels are."""
    parser.add_argument(
        "--images",
        type=Path,
        default=Path("data/faces"),
        metavar="DIR",
        help="the folder of the images, with their .pts (default: data/faces)",
    )
    _add_patches_and_schemes(parser)


def _add_edit(actions: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        actions,
        edit,
        "edit",
        "correct points by hand, in the browser",
        "Show labelled faces in a page of this machine, to move their points with mouse, touch or "
        "keys. Every change is written at once as a patch, which `data.patches` in params.yaml "
        "names; the same command goes on from it. Ctrl-C ends.",
    )
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("data/faces"),
        metavar="FACES",
        help="the images, with their .pts (default: data/faces)",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--suspects",
        type=Path,
        metavar="TABLE",
        help="only the faces of a table of the stage `suspects`, in its order, with what is "
        "expected of them",
    )
    chosen.add_argument(
        "--names",
        type=Path,
        metavar="LIST",
        help="only the images that this text file names, one a line",
    )
    parser.add_argument("--first", type=options.count, metavar="N", help="only the first N of them")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("data/patches/edits.csv"),
        metavar="FILE",
        help="the patch (default: data/patches/edits.csv)",
    )
    _add_patches_and_schemes(parser)
    parser.add_argument(
        "--port", type=options.port, default=0, help="(default: 0, any that is free)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address only, and open no browser"
    )


def _add_patches_and_schemes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patch",
        dest="patches",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a patch that already applies to the labels; may be repeated, in the order of "
        "`data.patches`",
    )
    options.add_own_schemes(parser)


def suspects(arguments: argparse.Namespace) -> int:
    from facealign.inference.suspects import export

    options.adopt_schemes(arguments.schemes)
    ranked = export.export(
        arguments.table,
        arguments.target,
        arguments.format,
        arguments.first,
        arguments.images,
        arguments.patches,
    )
    counts = Counter(str(kind) for kind in ranked["kind"])
    listed = ", ".join(f"{kind}: {count}" for kind, count in counts.most_common())
    print(f"{arguments.target}: faces: {len(ranked)} ({listed})")
    return 0


def apply(arguments: argparse.Namespace) -> int:
    from facealign.labels import correction

    options.adopt_schemes(arguments.schemes)
    done = correction.correct(
        arguments.corrected, arguments.images, arguments.patches, arguments.source_format
    )
    options.report_left_out(done.left_out)
    for image, moved in sorted(done.moved.items()):
        print(f"{image}: {_said(moved)}")
    print(f"{done.format}: faces: {done.faces}, changed: {len(done.points)}")
    if done.points:
        correction.write(arguments.out, done.points)
    else:
        print(f"{arguments.out} is not written: no label changed")
    return 0


def edit(arguments: argparse.Namespace) -> int:
    import contextlib
    import shlex
    import webbrowser
    from threading import Thread

    from facealign.labels import edits
    from facealign.labels.edit_server import Server

    options.adopt_schemes(arguments.schemes)
    if arguments.suspects:
        items = edits.in_table(arguments.suspects, arguments.folder)
    elif arguments.names:
        items = edits.in_list(arguments.names, arguments.folder)
    else:
        items = edits.in_folder(arguments.folder)
    work = edits.Edits(arguments.folder, items[: arguments.first], arguments.out, arguments.patches)
    with Server(work, arguments.port) as server:
        print(f"images: {len(work.items)}; Ctrl-C ends: {server.url}", flush=True)
        if not arguments.no_browser:  # one in the terminal returns when it is closed
            Thread(target=webbrowser.open, args=[server.url], daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    print(f"{work.out}: labels changed: {work.count}")
    if work.count:
        named = ",".join(map(str, [*work.present, work.out]))
        print("next:", shlex.join(["git", "add", str(work.out)]), sep="\n")
        print(shlex.join(["dvc", "exp", "run", "-S", f"data.patches=[{named}]"]))
    return 0


def _said(moved: np.ndarray) -> str:
    """By how much the points of a face moved; NaN is one that had no label."""
    said, known = [], moved[moved > 0]
    if len(known):
        said.append(
            f"points moved: {len(known)}, by {known.mean():.1f} pixels on average, "
            f"{known.max():.1f} at most"
        )
    if new := int((moved != moved).sum()):
        said.append(f"points that had no label: {new}")
    return "; ".join(said)
