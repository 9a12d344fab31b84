"""The command `facealign`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from facealign import __version__
from facealign.core.errors import FacealignError

FACES, PICTURES, FEW = 40, 200, 20  # of `bench`

# What a command needs is imported when it runs: `facealign --help` must not take a second.


def main() -> None:
    arguments = _parser().parse_args()
    # what OpenCV and FFmpeg have to say about a bad file, our error says in one line
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        with tempfile.TemporaryDirectory() as folder:
            _export_checkpoints(arguments, Path(folder))
            status = arguments.run(arguments)
        sys.exit(status)
    except FacealignError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read the output has seen enough
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # a folder that cannot be written, a disk that is full
        sys.exit(f"error: {error.filename or 'output'}: {error.strerror or error}")


def _export_checkpoints(arguments: argparse.Namespace, folder: Path) -> None:
    """Let --model name ONNX files only: checkpoints become such in the folder."""
    given = getattr(arguments, "model", None)
    models = given if isinstance(given, list) else [given]
    usable = [
        str(_exported(Path(model), folder / str(number) / f"{Path(model).stem}.onnx"))
        if isinstance(model, str) and model.endswith(".pt")
        else model
        for number, model in enumerate(models)
    ]
    arguments.model = usable if isinstance(given, list) else usable[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facealign",
        description="The 68 iBUG/300-W landmarks of the faces in pictures.",
        epilog="The weights that come along are for research only: they were trained on 300-W, "
        "whose terms exclude commercial use.",
    )
    parser.add_argument("--version", action="version", version=f"facealign {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser(
        "predict",
        help="landmarks of pictures, as json, pts or csv",
        description="Find the faces of pictures and their 68 points. Without --out the result goes "
        "to the standard output: a line of JSON for each picture, or one table.",
    )
    predict.add_argument("paths", nargs="+", metavar="PATH", help="pictures, folders or patterns")
    predict.add_argument("--format", choices=["json", "pts", "csv"], default="json")
    predict.add_argument(
        "--out",
        type=_folder,
        metavar="DIR",
        help="write NAME.json or NAME.pts for each picture, or landmarks.csv, into this folder",
    )
    predict.add_argument(
        "--overlay", action="store_true", help="write NAME.jpg with the points drawn into DIR, too"
    )
    _add_model(predict)
    predict.set_defaults(run=_predict)

    video = commands.add_parser(
        "video",
        help="landmarks drawn into a video, from frame to frame",
        description="Follow the faces of a video and draw their points, free of jitter. The "
        "detector is needed for new and lost faces only. Sound is not kept.",
    )
    video.add_argument("source", type=Path, metavar="VIDEO")
    video.add_argument(
        "--out", type=Path, metavar="FILE", help=".mp4 or .avi; default: VIDEO_landmarks.mp4 here"
    )
    video.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="a line for each frame, - for the standard output; without --out no video",
    )
    _add_smooth(video)
    _add_model(video)
    video.set_defaults(run=_video)

    webcam = commands.add_parser(
        "webcam",
        help="landmarks in the picture of a camera",
        description="Show a camera's picture with the points of its faces, until q or Esc.",
    )
    webcam.add_argument(
        "--camera", default="0", metavar="N", help="its number, or a stream's address (default: 0)"
    )
    webcam.add_argument("--out", type=Path, metavar="FILE", help="an .mp4 or .avi to write as well")
    _add_smooth(webcam)
    _add_model(webcam)
    webcam.set_defaults(run=_webcam)

    evaluate = commands.add_parser(
        "evaluate",
        help="how good landmarks are on pictures whose points are known",
        description="Score the network, and dlib beside it on the same rectangles, on the pictures "
        "of a folder that have 68 points in a .pts beside them or in a table. The folders in it "
        "are data sets. Writes ced.json, groups.json (by yaw, sharpness, size and part of the "
        "face), CED figures and a sheet of faces from best to worst.",
    )
    evaluate.add_argument("folder", type=Path, metavar="DIR")
    _add_table(evaluate)
    evaluate.add_argument(
        "--out", type=_folder, default=Path("evaluation"), metavar="DIR", help="default: evaluation"
    )
    evaluate.add_argument(
        "--json", action="store_true", help="print ced.json in place of the table"
    )
    evaluate.add_argument(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="other pictures, with .pts by the same annotators: how far each point is off there in "
        "the mean, in units of the rectangle, is subtracted before the measuring",
    )
    _add_model(evaluate)
    evaluate.set_defaults(run=_evaluate)

    show = commands.add_parser(
        "show",
        help="contact sheets of a folder's faces with their points",
        description="Draw the faces of a folder, many on a page: true points, from .pts or a "
        "table, in green, a network's in red, with its error. Without any true points the faces "
        "are looked for.",
    )
    show.add_argument("folder", type=Path, metavar="DIR")
    _add_table(show)
    show.add_argument(
        "--model", help="draw its points, too: cascade, small, an .onnx file, a checkpoint"
    )
    show.add_argument(
        "--worst", action="store_true", help="the largest errors first, which need --model"
    )
    show.add_argument(
        "--out", type=_folder, default=Path("sheets"), metavar="DIR", help="default: sheets"
    )
    show.set_defaults(run=_show)

    align = commands.add_parser(
        "align",
        help="crops of faces, upright and of one size",
        description="Cut out each face, turned, scaled and shifted so that its points lie where "
        "those of an average face do. Nothing is stretched. A picture's further faces are NAME_2, "
        "NAME_3 and so on.",
    )
    align.add_argument("paths", nargs="+", metavar="PATH", help="pictures, folders or patterns")
    align.add_argument(
        "--points",
        type=int,
        choices=[2, 3, 5],
        default=5,
        help="by the eyes, by eyes and nose, or by the mouth's corners as well (default: 5)",
    )
    align.add_argument(
        "--size", type=_pixels, default=112, metavar="N", help="side, pixels (default: 112)"
    )
    align.add_argument(
        "--out", type=_folder, metavar="DIR", required=True, help="for NAME.png of each"
    )
    _add_model(align)
    align.set_defaults(run=_align)

    embed = commands.add_parser(
        "embed",
        help="faces as directions in space, near each other if they are of one person",
        description="Print a line of JSON for each picture: its faces' boxes and embeddings, of "
        "length 1, whose products say how alike two faces are.",
    )
    embed.add_argument("paths", nargs="+", metavar="PATH", help="pictures, folders or patterns")
    _add_recogniser(embed)
    _add_model(embed)
    embed.set_defaults(run=_embed)

    compare = commands.add_parser(
        "compare",
        help="whether two pictures show the same person",
        description="Print how alike each face of one picture is to each of the other: 1 is the "
        "same, about 0 somebody else.",
    )
    compare.add_argument("one", metavar="A")
    compare.add_argument("other", metavar="B")
    compare.add_argument("--json", action="store_true", help="all pairs as JSON")
    _add_recogniser(compare)
    _add_model(compare)
    compare.set_defaults(run=_compare)

    export = commands.add_parser(
        "export",
        help="a trained checkpoint as ONNX",
        description="Write a checkpoint of the pipeline (data/model.pt) as an ONNX file for "
        "--model, and hold its points against torch's. Needs torch: pip install "
        "'facealign[export]'.",
    )
    export.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    export.add_argument(
        "--out", type=Path, metavar="FILE", help="default: CHECKPOINT with .onnx for its suffix"
    )
    export.add_argument(
        "--flip",
        action="store_true",
        help="flip test-time augmentation: a little more accurate, and twice the time",
    )
    export.set_defaults(run=_export)

    bench = commands.add_parser(
        "bench",
        help="how fast this machine finds landmarks, beside dlib's predictor",
        description="Time the landmark step and dlib's 68-point predictor on the same boxes, each "
        "after the detector as in use; the detector, the import and a whole folder as well.",
    )
    bench.add_argument(
        "--model", action="append", help="released weights or an .onnx file; may be repeated"
    )
    bench.add_argument("--faces", type=_count, default=FACES, metavar="N", help=f"default: {FACES}")
    bench.add_argument(
        "--pictures",
        type=_count,
        default=PICTURES,
        metavar="N",
        help=f"in the folder (default: {PICTURES})",
    )
    bench.add_argument("--json", action="store_true", help="all figures as JSON, no table")
    bench.set_defaults(run=_bench)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from 1 on")
    return int(text)


def _folder(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file, expected a folder")
    return path


def _pixels(text: str) -> int:
    if not text.isdecimal() or not 16 <= int(text) <= 4096:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from 16 to 4096")
    return int(text)


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="a table as the facial-keypoints course has it: names of columns, then in each line "
        "a picture's name and 136 numbers that count pixels from 1",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default="cascade",
        help="released weights, an .onnx file, or a checkpoint of the pipeline, which needs torch "
        "(default: cascade)",
    )


def _add_recogniser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--recogniser",
        type=Path,
        metavar="FILE",
        help="a recogniser.onnx of `make recognition` (default: the one that comes along)",
    )


def _add_smooth(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-smooth", action="store_true", help="points as each frame gives them, with jitter"
    )


def _predict(arguments: argparse.Namespace) -> int:
    from facealign.inference import folders

    return folders.predict(
        arguments.paths, arguments.format, arguments.out, arguments.overlay, arguments.model
    )


def _video(arguments: argparse.Namespace) -> int:
    from facealign.inference import video

    source, out = arguments.source, arguments.out
    if out is None and arguments.json is None:
        out = Path(f"{source.stem}_landmarks.mp4")
    video.annotate(source, out, arguments.json, arguments.model, not arguments.no_smooth)
    return 0


def _webcam(arguments: argparse.Namespace) -> int:
    from facealign.inference import video

    video.watch(arguments.camera, arguments.out, arguments.model, not arguments.no_smooth)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from facealign.core import files, images
    from facealign.inference import annotated
    from facealign.reports import contact_sheet, markdown

    known, dropped = annotated.known_faces(arguments.folder, arguments.csv)
    for dataset in annotated.splits_together(arguments.folder, known):
        print(
            f"warning: {dataset} has pictures of train and of test, which are measured together; "
            "name the folder of one of them",
            file=sys.stderr,
        )
    others: list[annotated.Known] = []
    if arguments.calibrate:
        others, left_out = annotated.other_faces(arguments.calibrate, known)
        dropped = dropped + left_out
    done = annotated.score(known, dropped, arguments.model, _baseline(), others)
    if others:
        print(f"calibrated by {done.calibrated} of {len(others)} faces", file=sys.stderr)
    files.write_json(arguments.out / "ced.json", done.summary)
    files.write_json(arguments.out / "groups.json", done.groups)
    if done.examples:
        images.write(arguments.out / "faces.jpg", contact_sheet.best_to_worst(done.examples))
    try:
        from facealign.reports import plotting
    except ModuleNotFoundError:
        print("no CED figure: pip install 'facealign[figures]'", file=sys.stderr)
    else:
        for dataset, errors in done.errors.items():
            plotting.ced_figure(errors, dataset, arguments.out / dataset)
    for reason in done.dropped:
        print(f"dropped: {reason}", file=sys.stderr)
    for path in done.undetected:
        print(f"no face found: {path}", file=sys.stderr)
    if arguments.json:
        print((arguments.out / "ced.json").read_text(encoding="utf-8"), end="")
    else:
        print(markdown.results_table(done.summary))
        for dataset, groups in done.groups.items():
            print(f"\n{dataset}\n\n{markdown.groups_table(groups)}")
        if done.correlation is not None:
            print(f"\nRank correlation of scores and errors of all points: {done.correlation:.3f}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from facealign.inference import gallery

    if arguments.worst and arguments.model is None:
        raise FacealignError("--worst sorts by a network's errors: name it with --model")
    return gallery.show(
        arguments.folder, arguments.csv, arguments.model, arguments.worst, arguments.out
    )


def _align(arguments: argparse.Namespace) -> int:
    from facealign.inference import folders

    return folders.align(
        arguments.paths, arguments.points, arguments.size, arguments.out, arguments.model
    )


def _embed(arguments: argparse.Namespace) -> int:
    from facealign.recognition import commands

    recogniser = arguments.recogniser or commands.released()
    return commands.embed(arguments.paths, recogniser, arguments.model)


def _compare(arguments: argparse.Namespace) -> int:
    from facealign.recognition import commands

    recogniser = arguments.recogniser or commands.released()
    return commands.compare(
        arguments.one, arguments.other, recogniser, arguments.model, arguments.json
    )


def _export(arguments: argparse.Namespace) -> int:
    path = arguments.out or arguments.checkpoint.with_suffix(".onnx")
    _exported(arguments.checkpoint, path, arguments.flip)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, the same points as torch's")
    return 0


def _exported(checkpoint: Path, path: Path, flip: bool = False) -> Path:
    if not checkpoint.is_file():
        raise FacealignError(f"{checkpoint}: no such file")
    try:
        from facealign.export import landmarks
    except ModuleNotFoundError as error:
        raise FacealignError(
            f"{checkpoint}: needs {error.name}: pip install 'facealign[export]'"
        ) from None
    off = landmarks.export_checked(checkpoint, path, flip)
    print(f"{checkpoint}: off torch's points by {off:.1e} px at most", file=sys.stderr)
    return path


def _bench(arguments: argparse.Namespace) -> int:
    import json

    from facealign.inference import aligner, benchmark
    from facealign.reports import markdown

    if min(arguments.faces, arguments.pictures // 5) < FEW:
        print(
            f"few faces or pictures: the figures vary; the defaults are {FACES} and {PICTURES}",
            file=sys.stderr,
        )
    models = arguments.model or aligner.released()
    figures = benchmark.bench(models, _baseline(), arguments.faces, arguments.pictures)
    print(json.dumps(figures, indent=2) if arguments.json else markdown.bench_table(figures))
    return 0


def _baseline() -> Path | None:
    """The file of dlib's predictor, if it is installed."""
    from facealign.faces import dlib_predictor

    try:
        return dlib_predictor.predictor_file(dlib_predictor.PUBLISHED)
    except FacealignError:
        print("dlib is left out: pip install 'facealign[baseline]'", file=sys.stderr)
        return None
