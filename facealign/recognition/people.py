"""Whose pictures there are, what can be seen in each, and which are good enough."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np

from facealign.core import images
from facealign.core.config import Range, Seed, Share
from facealign.core.errors import FacealignError
from facealign.core.faces import Pose
from facealign.core.geometry import CORNERS, Box
from facealign.core.parallel import map_in_order
from facealign.core.points import COUNT, select
from facealign.core.tables import KEY, Table, dataset_and_split
from facealign.data.annotations import read_pts
from facealign.data.filtering import SPLITS
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
    network: str  # the stage's first path
    landmarks: Literal["model", "dlib", "dataset"]
    upsample: tuple[Annotated[int, Range(0, 3)], ...]


@dataclass(frozen=True)
class Identities:
    """The section `recognition.identities` of params.yaml."""

    people: Annotated[int, Range(2)]
    pictures: Annotated[int, Range(2)]
    least: Annotated[int, Range(2)]
    yaw: Annotated[float, Range(0, 90)]
    pitch: Annotated[float, Range(0, 90)]
    sharpness: Annotated[float, Range(0)]
    face: Annotated[float, Range(0)]
    split: Literal["archive", "drawn"]
    validation: Annotated[float, Range(0.01, 0.99)]
    unseen: Share
    seed: Seed


@dataclass(frozen=True)
class Seen:
    """A picture of somebody, or why it is none."""

    image: str  # DATASET/SPLIT/[PERSON/]FILE
    person: str
    reason: str = ""
    detail: str = ""
    box: Box = field(default_factory=lambda: Box(0, 0, 0, 0))  # dlib's
    points: np.ndarray = field(default_factory=lambda: np.zeros((5, 2)))  # to align it by
    yaw: float = 0.0
    pitch: float = 0.0
    sharpness: float = 0.0


@dataclass(frozen=True)
class Chosen:
    """A picture that takes part."""

    row: int
    person: str
    role: str


def person_of(image: str) -> str:
    """The folder's name below the split, or the file's without its number; "" if it has none."""
    _, _, *folders, name = PurePosixPath(image).parts
    if folders:
        return folders[-1]
    numbered = _NUMBERED.fullmatch(PurePosixPath(name).stem)
    return numbered[1] if numbered else ""


def find_pictures(root: Path, datasets: Sequence[str]) -> list[str]:
    found = []
    for dataset in dict.fromkeys(datasets):
        if not (root / dataset).is_dir():
            there = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
            raise FacealignError(
                f"recognition.examine.datasets: the archive has no {dataset!r}, it has {there}"
            )
        for split in SPLITS:
            found += [
                path.relative_to(root).as_posix()
                for path in images.find_pictures(root / dataset / split)
            ]
    if not found:
        raise FacealignError(f"{root}: no pictures in {', '.join(datasets)}")
    return found


def examine(
    root: Path, pictures: Sequence[str], config: Examine, network: Path, model: Path
) -> list[Seen]:
    """Each picture's face, with points to align it by, and what makes it easy or hard. `network`
    is an ONNX file, `model` that of dlib's predictor."""
    Network(network, threads=1)  # its errors, before there are processes to say them from
    work = partial(_examine, root, network, model, config)
    return list(map_in_order(work, pictures, "examine"))


def _examine(root: Path, network: Path, model: Path, config: Examine, image: str) -> Seen:
    person = person_of(image)
    if not person:
        return Seen(image, "", "no_person")
    try:
        picture = images.read(root / image)
        annotated = (root / image).with_suffix(".pts")
        truth = read_pts(annotated) if annotated.is_file() else None
    except FacealignError as error:
        return Seen(image, person, "unreadable", str(error).removeprefix(f"{root}/"))
    known = truth is not None and len(truth) in (COUNT, 5) and bool(np.isfinite(truth).all())
    if config.landmarks == "dataset" and not known:
        return Seen(image, person, "no_points")
    box = _face(picture, truth if known else None, config.upsample)
    if box is None:
        return Seen(image, person, "no_face")
    (points,), _ = _network(network)(picture, [box])
    # a network for five points does not tell which way the head is turned
    turned = pose.estimate(points) if len(points) == COUNT else Pose(0, 0, 0)
    if config.landmarks == "dataset" and truth is not None:
        points = truth
    elif config.landmarks == "dlib":
        points = dlib_predictor.predict(picture, box, model)
    return Seen(
        image,
        person,
        box=box,
        points=select(points, 5),
        yaw=turned.yaw,
        pitch=turned.pitch,
        sharpness=sharpness(picture, box),
    )


def _face(picture: np.ndarray, truth: np.ndarray | None, upsample: Sequence[int]) -> Box | None:
    """The annotated face's rectangle; the largest one if there are no points."""
    if truth is not None:
        found = detection.locate(picture, truth, upsample)
        return found.box if isinstance(found, detection.Found) else None
    for doublings in upsample:
        if boxes := detection.find_faces(picture, doublings):
            return max(boxes, key=lambda box: box.width)
    return None


def read_seen(table: Table) -> list[Seen]:
    """What the stage `examine` has written."""
    corners = table.numbers(*CORNERS).tolist()
    quality = table.numbers("yaw", "pitch", "sharpness").tolist()
    words = zip(*(table[name] for name in (KEY, "person", "reason", "detail")), strict=True)
    return [
        Seen(image, person, reason, detail, Box(*box), points, *numbers)
        for (image, person, reason, detail), box, points, numbers in zip(
            words, corners, table.points(), quality, strict=True
        )
    ]


@cache
def _network(path: Path) -> Network:
    return Network(path, threads=1)


def choose(seen: Sequence[Seen], config: Identities) -> tuple[list[Chosen], dict[int, str]]:
    """Who takes part with which pictures, and for the others' rows the reason why they do not."""
    reasons = {row: reason for row, one in enumerate(seen) if (reason := _fault(one, config))}
    usable: defaultdict[str, list[int]] = defaultdict(list)
    for row, one in enumerate(seen):
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
    chosen: list[Chosen] = []
    for person in sorted(people):
        rows = sorted(usable[person], key=lambda row: _order(seen[row].image, config))
        reasons |= dict.fromkeys(rows[config.pictures :], "beyond_pictures")
        kept = rows[: config.pictures]
        if person in unseen:
            roles = [UNSEEN] * len(kept)
        else:
            roles = _roles([seen[row].image for row in kept], config)
        if person not in unseen and len(set(roles)) < 2:
            reasons |= dict.fromkeys(kept, "one_sided")
            continue
        chosen += [Chosen(row, person, role) for row, role in zip(kept, roles, strict=True)]
    count = len({one.person for one in chosen if one.role == TRAIN})
    if count < 2:
        said = ", ".join(f"{reason} {n}" for reason, n in Counter(reasons.values()).most_common())
        hint = (
            "; if the pictures are of one split, set split to drawn" if "one_sided" in said else ""
        )
        raise FacealignError(
            f"recognition.identities: {count} people are left to learn, expected two at least; "
            f"kept as unseen: {len(unseen)}; dropped: {said or 'nothing'}{hint}"
        )
    return sorted(chosen, key=lambda one: one.row), dict(sorted(reasons.items()))


def summarise(
    seen: Sequence[Seen], chosen: Sequence[Chosen], reasons: Iterable[str]
) -> dict[str, Any]:
    """Counts, for metrics/identities.json."""
    roles = Counter(one.role for one in chosen)
    people = {role: len({one.person for one in chosen if one.role == role}) for role in roles}
    dropped = dict(sorted(Counter(reasons).items()))
    return {
        "pictures": len(seen),
        "kept": len(chosen),
        "dropped": sum(dropped.values()),
        "reasons": dropped,
        "people": len({one.person for one in chosen}),
        "people_learnt": people.get(TRAIN, 0),
        "people_unseen": people.get(UNSEEN, 0),
        "train": roles[TRAIN],
        "validate": roles[VALIDATE],
        "unseen": roles[UNSEEN],
    }


def _fault(one: Seen, config: Identities) -> str:
    """Why the picture is not good enough."""
    if one.reason:
        return one.reason
    if one.box.width < config.face:
        return "small"
    if abs(one.yaw) > config.yaw or abs(one.pitch) > config.pitch:
        return "turned"
    return "blurred" if one.sharpness < config.sharpness else ""


def _roles(names: Sequence[str], config: Identities) -> list[str]:
    """Of one person's pictures, in an order that no name decides."""
    if config.split == "archive":
        return [TRAIN if dataset_and_split(name)[1] == "train" else VALIDATE for name in names]
    validate = max(1, round(config.validation * len(names)))
    return [VALIDATE] * validate + [TRAIN] * (len(names) - validate)


def _order(name: str, config: Identities) -> str:
    """By chance, but always the same, and other names do not change it."""
    return sha256(f"{config.seed} {name}".encode()).hexdigest()
