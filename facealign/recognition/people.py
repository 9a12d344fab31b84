"""Selecting people: whose picture each one is, how good it is, and which take part."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np

from facealign.core import images
from facealign.core.config import Range, Seed, Share
from facealign.core.errors import AnnotationError, ConfigError, ImageError, InputError
from facealign.core.faces import Pose
from facealign.core.files import is_utf8
from facealign.core.geometry import CORNERS, Box
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT, can_become, select
from facealign.core.tables import KEY, Table, dataset_and_split
from facealign.data.annotations import read_pts
from facealign.data.filtering import SPLITS, check_names
from facealign.detectors import hog
from facealign.faces import detection, dlib_predictor, pose
from facealign.faces.quality import sharpness
from facealign.inference.network import Network
from facealign.recognition.recipe import TRAIN, UNSEEN, VALIDATE

# Luis_Fonsi_21, Luis_Fonsi_0001; a name has a letter
_NUMBERED = re.compile(r"(?=.*[^\W\d_])(.+)_\d+")


@dataclass(frozen=True)
class Examine:
    """The section `recognition.examine` of params.yaml."""

    datasets: tuple[str, ...]
    network: str  # a path; the stage gets it as an argument
    landmarks: Literal["model", "dlib", "dataset"]
    upsample: tuple[Annotated[int, Range(0, 3)], ...]


@dataclass(frozen=True)
class Identities:
    """The section `recognition.identities` of params.yaml."""

    people: Annotated[int, Range(2, 1_000_000)]
    pictures: Annotated[int, Range(2, 100_000)]
    least: Annotated[int, Range(2, 100_000)]
    yaw: Annotated[float, Range(0, 90)]
    pitch: Annotated[float, Range(0, 90)]
    sharpness: Annotated[float, Range(0, 10)]
    face: Annotated[float, Range(0, 100_000)]
    split: Literal["archive", "drawn"]
    validation: Annotated[float, Range(0.01, 0.99)]
    unseen: Share
    seed: Seed


@dataclass(frozen=True, eq=False)
class Examined:
    """A picture of a person, or the reason why it cannot be one."""

    image: str  # DATASET/SPLIT/[PERSON/]FILE
    person: str
    reason: str = ""
    detail: str = ""
    box: Box = field(default_factory=lambda: Box(0, 0, 0, 0))  # dlib's rectangle
    points: np.ndarray = field(default_factory=lambda: np.zeros((5, 2)))  # to align by
    yaw: float = 0.0
    pitch: float = 0.0
    sharpness: float = 0.0


def person_of(image: str) -> str:
    """The name of the folder below the split, or of the file without its number; "" if none."""
    _, _, *folders, name = PurePosixPath(image).parts
    if folders:
        return folders[-1]
    numbered = _NUMBERED.fullmatch(PurePosixPath(name).stem)
    return numbered[1] if numbered else ""


def find_pictures(root: Path, datasets: Sequence[str]) -> list[str]:
    check_names("recognition.examine.datasets", datasets)
    if not root.is_dir():
        raise InputError(f"{root}: not a folder")
    found = []
    for dataset in dict.fromkeys(datasets):
        if not (root / dataset).is_dir():
            names = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
            raise ConfigError(
                f"recognition.examine.datasets: the archive has no {dataset!r}, it has {names}"
            )
        for split in SPLITS:
            found += [
                path.relative_to(root).as_posix()
                for path in images.find_pictures(root / dataset / split)
            ]
    if odd := [name for name in found if not is_utf8(name)]:
        raise InputError(f"{root}: {odd[0]!r}: a name that is not UTF-8: rename the file")
    if not found:
        raise InputError(f"{root}: no pictures in {', '.join(datasets)}")
    return found


def examine(
    root: Path, pictures: Sequence[str], config: Examine, network: Path, model: Path
) -> list[Examined]:
    """Detect and measure the face of each picture. `network` is the landmarks' ONNX file, `model`
    the file of dlib's predictor."""
    Network(network, threads=1)  # fail fast, before spawning workers
    work = partial(_examine, root, network, model, config)
    return list(map_in_order(work, pictures, "examine"))


def _examine(root: Path, network: Path, model: Path, config: Examine, image: str) -> Examined:
    person = person_of(image)
    if not person:
        return Examined(image, "", "no_person")
    try:
        picture = images.read(root / image)
        annotated = (root / image).with_suffix(".pts")
        truth = read_pts(annotated) if annotated.is_file() else None
    except (AnnotationError, ImageError) as error:
        return Examined(image, person, "unreadable", str(error).removeprefix(f"{root}/"))
    known = truth is not None and can_become(len(truth), 5) and bool(np.isfinite(truth).all())
    if config.landmarks == "dataset" and not known:
        return Examined(image, person, "no_points")
    box = _face(picture, truth if known else None, config.upsample)
    if box is None:
        return Examined(image, person, "no_face")
    (points,), _ = _network(network)(picture, [box])
    # five points do not give the pose of the head
    turned = pose.estimate(points) if can_become(len(points), COUNT) else Pose(0, 0, 0)
    if config.landmarks == "dataset" and truth is not None:
        points = truth
    elif config.landmarks == "dlib":
        points = dlib_predictor.predict(picture, box, model)
    return Examined(
        image,
        person,
        box=box,
        points=select(points, 5),
        yaw=turned.yaw,
        pitch=turned.pitch,
        sharpness=sharpness(picture, box),
    )


def _face(picture: np.ndarray, truth: np.ndarray | None, upsample: Sequence[int]) -> Box | None:
    """The rectangle of the annotated face, or the largest one if there are no points."""
    if truth is not None:
        found = detection.locate(picture, truth, upsample)
        return found.face.box if isinstance(found, detection.Found) else None
    for doublings in upsample:
        if faces := hog.find_faces(picture, doublings):
            return max((face.box for face in faces), key=lambda box: box.width)
    return None


def read_examined(table: Table) -> list[Examined]:
    """The table that the stage `examine` writes."""
    corners = table.numbers(*CORNERS).tolist()
    quality = table.numbers("yaw", "pitch", "sharpness").tolist()
    texts = zip(*(table[name] for name in (KEY, "person", "reason", "detail")), strict=True)
    return [
        Examined(image, person, reason, detail, Box(*box), points, *numbers)
        for (image, person, reason, detail), box, points, numbers in zip(
            texts, corners, table.points(), quality, strict=True
        )
    ]


@cache
def _network(path: Path) -> Network:
    return Network(path, threads=1)


def choose(
    examined: Sequence[Examined], config: Identities
) -> tuple[dict[int, str], dict[int, str]]:
    """The roles of the pictures that take part, and the reasons of the others, both by row."""
    reasons = {row: reason for row, one in enumerate(examined) if (reason := _fault(one, config))}
    usable: defaultdict[str, list[int]] = defaultdict(list)
    for row, one in enumerate(examined):
        if row not in reasons:
            usable[one.person].append(row)
    for person in [person for person, rows in usable.items() if len(rows) < config.least]:
        reasons |= dict.fromkeys(usable.pop(person), "few_pictures")
    ranked = sorted(
        usable,
        key=lambda person: (-min(len(usable[person]), config.pictures), _order(person, config)),
    )
    for person in ranked[config.people :]:
        reasons |= dict.fromkeys(usable.pop(person), "beyond_people")
    people = sorted(usable, key=lambda person: _order(person, config))
    unseen = set(people[: round(config.unseen * len(people))])
    roles: dict[int, str] = {}
    for person in people:
        rows = sorted(usable[person], key=lambda row: _order(examined[row].image, config))
        reasons |= dict.fromkeys(rows[config.pictures :], "beyond_pictures")
        kept = rows[: config.pictures]
        own = _roles([examined[row].image for row in kept], config)
        if person in unseen:
            roles |= dict.fromkeys(kept, UNSEEN)
        elif len(set(own)) < 2:
            reasons |= dict.fromkeys(kept, "one_sided")
        else:
            roles |= zip(kept, own, strict=True)
    learnt = {examined[row].person for row, role in roles.items() if role == TRAIN}
    if len(learnt) < 2:
        counts = Counter(reasons.values()).most_common()
        dropped = ", ".join(f"{reason} {count}" for reason, count in counts) or "nothing"
        one_sided = "one_sided" in reasons.values()
        hint = "; if all pictures are of one split, set split to drawn" if one_sided else ""
        raise InputError(
            f"recognition.identities: {len(learnt)} people are left to train on, expected at least "
            f"two; held out as unseen: {len(unseen)}; dropped: {dropped}{hint}"
        )
    return dict(sorted(roles.items())), dict(sorted(reasons.items()))


def summarise(
    examined: Sequence[Examined], roles: Mapping[int, str], reasons: Iterable[str]
) -> dict[str, Any]:
    """The counts of metrics/identities.json."""
    pictures = Counter(roles.values())
    people = Counter(role for _, role in {(examined[row].person, roles[row]) for row in roles})
    dropped = dict(sorted(Counter(reasons).items()))
    return {
        "pictures": len(examined),
        "kept": len(roles),
        "dropped": sum(dropped.values()),
        "reasons": dropped,
        "people": len({examined[row].person for row in roles}),
        "people_learnt": people[TRAIN],
        "people_unseen": people[UNSEEN],
        "train": pictures[TRAIN],
        "validate": pictures[VALIDATE],
        "unseen": pictures[UNSEEN],
    }


def _fault(one: Examined, config: Identities) -> str:
    """Why the picture is not good enough; "" if it is."""
    if one.reason:
        return one.reason
    if one.box.width < config.face:
        return "small"
    if abs(one.yaw) > config.yaw or abs(one.pitch) > config.pitch:
        return "turned"
    return "blurred" if one.sharpness < config.sharpness else ""


def _roles(names: Sequence[str], config: Identities) -> list[str]:
    """The roles of one person's pictures, which are in random order."""
    if config.split == "archive":
        return [TRAIN if dataset_and_split(name)[1] == "train" else VALIDATE for name in names]
    validate = max(1, round(config.validation * len(names)))
    return [VALIDATE] * validate + [TRAIN] * (len(names) - validate)


def _order(name: str, config: Identities) -> str:
    """A key for a random order that stays the same when other names are added."""
    return sha256(f"{config.seed} {name}".encode()).hexdigest()
