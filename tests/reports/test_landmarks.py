"""The report on a handful of pictures; tests/test_pipeline.py makes one of a real run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facealign.core import images, tables
from facealign.core.faces import Faces
from facealign.core.geometry import Box
from facealign.core.points import select
from facealign.evaluation import scoring
from facealign.evaluation.scoring import Ced
from facealign.reports import landmarks
from facealign.reports.document import (
    Document,
    Heading,
    Items,
    Picture,
    Table,
    Text,
    write,
)
from facealign.reports.material import Material
from facealign.reports.wording import Language

CED = Ced(resamples=100, seed=1)
BOX = Box(179, 83, 266, 170)  # dlib's
Make = Callable[..., Material]
SPLITS = {"a.jpg": "train", "b.jpg": "train", "c.jpg": "test", "d.jpg": "test", "e.jpg": "test"}


@pytest.fixture
def make(tmp_path: Path, astronaut: np.ndarray, face: np.ndarray) -> Make:
    """Material of five pictures; `lost` names those without a rectangle."""
    names = {name: f"300W/{split}/{name}" for name, split in SPLITS.items()}
    shifts = {name: 4 * i for i, name in enumerate(names)}
    truth = {name: face * 0.5 + (222 + shifts[name], 120) for name in names}
    for name, key in names.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        images.write(tmp_path / key, np.roll(astronaut, shifts[name], axis=1))
    # e.jpg is b.jpg once more: a test picture that was learnt from
    images.write(tmp_path / names["e.jpg"], np.roll(astronaut, shifts["b.jpg"], axis=1)[:, :, ::-1])

    def stored(name: str, columns: Mapping[str, tables.Column]) -> tables.Table:
        tables.write(tmp_path / name, columns)
        return tables.read(tmp_path / name)

    def material(
        lost: tuple[str, ...] = (), count: int = 68, trained: float | None = None
    ) -> Material:
        index = Faces.of([*names.values()], points=np.array([truth[name] for name in names]))
        boxed = [name for name in names if name not in lost]
        boxes = Faces.of(
            [names[name] for name in boxed],
            box=np.array([BOX.corners] * len(boxed)),
            source=["upsample 0"] * len(boxed),
        )
        off = np.array([truth[name] for name in boxed])
        guesses = {"model": select(off + (3, 0), count), "dlib": off + (0, 5)}
        if trained is not None:  # dlib's predictor trained here, off by so many pixels
            guesses["dlib-trained"] = off + (0, trained)
        predicted = {method: boxes.with_columns(points=its) for method, its in guesses.items()}
        tested = scoring.measure(boxes.join(index).where(split="test"), predicted)
        return Material(
            faces=tmp_path,
            index=index,
            dropped=stored(
                "dropped.csv",
                {"image": ["300W/train/x.jpg"], "reason": ["profile_39"], "detail": [""]},
            ),
            boxes=boxes,
            tested=tested,
            training=stored(
                "training.csv",
                {
                    "epoch": [1, 2, 3],
                    "learning_rate": [0.1, 0.2, 0.1],
                    "train_loss": [0.3, 0.2, 0.1],
                    "validation_nme": [0.05, 0.03, 0.04],
                },
            ),
            figures=scoring.summarise(tested, scoring.undetected(index, boxes), CED),
            params={
                "data.archive": "data/demo.tgz",
                "crop.size": 48,
                "train.arch": "onet",
                "train.epochs": 3,
                "train.seed": 1,
            },
            ced=CED,
        )

    return material


def heads(document: Document) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Heading)]


def said(document: Document) -> str:
    [items] = [block for block in document.blocks if isinstance(block, Items)]
    return "\n".join(items.texts)


def test_it_has_every_section_and_says_what_was_measured(make: Make) -> None:
    document = landmarks.build(make(), "en")
    assert document.title == "Facial landmarks: 300W"
    assert heads(document) == [
        "Summary",
        "Results",
        "Error by facial region",
        "Accuracy by yaw, sharpness and face size",
        "Examples",
        "Training",
        "Data",
        "Parameters",
    ]
    # 3 px and 5 px of 87, three images
    assert "AUC@0.08 is 0.569 for the network and 0.282 for dlib" in said(document)
    results, data, params = (block for block in document.blocks if isinstance(block, Table))
    assert results.rows[1][:3] == ["300W", "network", "0.5690"]
    assert data.rows[1:] == [
        ["300W", "test", "3", "3", "0", ""],
        ["300W", "training", "2", "2", "1", "39-point profiles: 1"],
    ]
    assert params.rows[1:] == [[name, str(value)] for name, value in make().params.items()]
    first = document.blocks[0]
    assert isinstance(first, Text)
    assert first.text.startswith(
        "Network: onet at 48 px, 3 epochs, seed 1. Archive: data/demo.tgz. "
        "Run without an experiment; "
    )
    run = replace(make(), experiment="short", revision="0123456789")
    [first, *_] = landmarks.build(run, "en").blocks
    assert isinstance(first, Text)
    assert first.text.endswith("Archive: data/demo.tgz. Experiment: short, on revision 0123456.")


def test_on_300w_the_report_says_that_dlib_was_trained_on_it(make: Make) -> None:
    demo = make()
    assert "was trained on images of 300-W" not in said(landmarks.build(demo, "en"))
    real = replace(demo, params={**demo.params, "data.archive": "data/real.tgz"})
    assert "its test images included: on 300W it is at an advantage" in said(
        landmarks.build(real, "en")
    )


@pytest.mark.parametrize(
    ("language", "name", "sentence"),
    [
        ("en", "dlib, trained here", "and 0.425 for dlib (trained here)"),
        ("ru", "dlib, обучен здесь", "dlib (обучение здесь) — 0,425"),
    ],
)
def test_dlib_trained_here_is_a_row_and_a_sentence_more(
    make: Make, language: Language, name: str, sentence: str
) -> None:
    document = landmarks.build(make(trained=4), language)
    results = next(block for block in document.blocks if isinstance(block, Table))
    assert [row[1] for row in results.rows[1:4]][1:] == ["dlib", name]
    assert sentence in said(document)
    without = landmarks.build(make(), language)
    results = next(block for block in without.blocks if isinstance(block, Table))
    assert name not in [row[1] for row in results.rows]
    assert sentence not in said(without)


def test_few_epochs_and_few_images_support_no_conclusion(make: Make) -> None:
    document = landmarks.build(make(), "en")
    assert "at epoch 2 of 3: too few epochs to tell whether more would help" in said(document)
    assert "Too few test images to compare turned, blurred and small faces" in said(document)
    captions = [block.caption for block in document.blocks if isinstance(block, Picture)]
    assert not any(caption.startswith("AUC@0.08 by yaw") for caption in captions)


def test_a_test_picture_that_was_learnt_from_is_shown(make: Make) -> None:
    document = landmarks.build(make(), "en")
    assert "Test images that are near-duplicates of training images: " in said(document)
    assert any(
        isinstance(block, Picture) and block.caption.startswith("Near-duplicates")
        for block in document.blocks
    )


def test_faces_that_were_not_found_are_shown_and_counted(make: Make) -> None:
    document = landmarks.build(make(lost=("c.jpg",)), "en")
    assert "missed the face in 1 of 3 test images" in said(document)
    captions = [block.caption for block in document.blocks if isinstance(block, Picture)]
    assert "Test faces that the detector missed: 1 of 1." in captions


def test_without_any_measured_face_the_rest_is_still_there(make: Make, tmp_path: Path) -> None:
    document = landmarks.build(make(lost=("c.jpg", "d.jpg", "e.jpg")), "ru")
    assert heads(document) == ["Основные выводы", "Обучение", "Данные", "Параметры"]
    assert "300W: детектор не обнаружил лиц ни на одном тестовом изображении" in said(document)
    write(document, tmp_path / "report.html", tmp_path / "report.pdf")


def test_five_points_have_no_parts_to_compare(make: Make) -> None:
    document = landmarks.build(make(count=5), "en")
    assert "Error by facial region" in heads(document)
    assert "least accurate" not in said(document)
