"""A folder of `.pts` files, each named as its image: NAME.pts, NAME_2.pts for a second face, and so
on. They count pixels from 1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from facealign.core.errors import AnnotationError, InputError
from facealign.core.images import find_pictures
from facealign.data.annotations import format_pts, read_pts
from facealign.labels.faces import Images, LabelledFace, Labels, by_image, face_of, image_name


def recognise(folder: Path) -> bool:
    return any(_files(folder))


def read(folder: Path, images: Images) -> Labels:
    pictures: dict[str, list[str]] = {}
    for path in find_pictures(images.folder):
        name = path.relative_to(images.folder).as_posix()
        pictures.setdefault(str(PurePosixPath(name).with_suffix("")), []).append(name)
    found = []
    for path in _files(folder):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        image, number = _picture(stem, pictures, path, images.folder)
        found.append(
            (image, number, face_of(image_name(image, str(path)), read_pts(path).tolist()))
        )
    return Labels([face for _, _, face in sorted(found, key=lambda one: one[:2])])


def write(folder: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    texts: dict[Path, str] = {}
    for image, its in by_image(faces).items():
        first = folder / PurePosixPath(image).with_suffix("")
        for number, face in enumerate(its, start=1):
            path = first.with_name(f"{first.name}{'' if number == 1 else f'_{number}'}.pts")
            if path in texts:
                raise InputError(f"{path}: two faces have this file, {image!r} is the image of one")
            texts[path] = format_pts(face.points)
    return texts


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.pts") if not path.name.startswith("."))


def _picture(
    stem: str, pictures: dict[str, list[str]], path: Path, folder: Path
) -> tuple[str, int]:
    """The image of a file of points, and which of its faces they are."""
    numbered = re.fullmatch(r"(.+)_([1-9][0-9]{0,8})", stem)
    for name, number in ((stem, 1), *([(numbered[1], int(numbered[2]))] if numbered else [])):
        match pictures.get(name, []):
            case [picture]:
                return picture, number
            case [one, other, *_]:
                raise AnnotationError(f"{path}: points of {one} or of {other}? expected one image")
    raise AnnotationError(
        f"{path}: no image of this name in {folder}; name the folder of the images with --images"
    )
