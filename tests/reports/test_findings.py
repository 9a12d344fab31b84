from typing import Any

import numpy as np
import pytest

from facealign.core.faces import Faces
from facealign.evaluation import metrics, scoring
from facealign.evaluation.scoring import Ced
from facealign.reports import findings
from facealign.reports.findings import Rated
from facealign.reports.landmark_texts import TEXTS
from facealign.reports.wording import Finding, Words

CED = Ced(resamples=300, seed=1)
WORDS = Words("en", TEXTS)


def on_images(errors: np.ndarray, datasets: list[str] | None = None) -> scoring.Tested:
    count = len(errors)
    names = datasets or ["300W"] * count
    return scoring.Tested(
        faces=Faces.of(
            [f"{name}/test/{i}.jpg" for i, name in enumerate(names)],
            box=np.tile([0.0, 0, 100, 100], (count, 1)),
            points=np.zeros((count, 68, 2)),
        ),
        points=np.zeros((count, 68, 2)),
        distances=errors[:, None] * 100,
    )


def spread(count: int = 60) -> np.ndarray:
    return np.random.default_rng(3).uniform(0.01, 0.06, count)


def against(model: np.ndarray, dlib: np.ndarray) -> Finding:
    tested = {"model": on_images(model), "dlib": on_images(dlib)}
    [found] = findings.against("dlib", tested, CED, WORDS)
    return found


def test_a_significant_difference_is_reported_with_its_size_and_direction() -> None:
    errors = spread()
    better, worse = against(errors - 0.008, errors), against(errors, errors - 0.008)
    assert (better.text, worse.text) == ("better", "worse")
    assert better.values["value"] == worse.values["value"] == "0.100"
    assert WORDS.say(better).startswith("300W (60 images): AUC@0.08 is ")
    assert "The network is better by 0.100 (95\N{NO-BREAK SPACE}% CI" in WORDS.say(better)


def test_dlib_trained_here_is_told_from_the_published_one() -> None:
    errors = spread()
    tested = {"model": on_images(errors - 0.008), "dlib-trained": on_images(errors)}
    [found] = findings.against("dlib-trained", tested, CED, WORDS)
    assert "for dlib (trained here). The network is better by" in WORDS.say(found)
    [found] = findings.against("dlib-trained", tested, CED, Words("ru", TEXTS))
    assert ", dlib (обучение здесь) — " in Words("ru", TEXTS).say(found)


def test_a_difference_that_is_not_significant_is_called_so() -> None:
    errors = spread()
    assert against(errors, errors).text == "not_significant"
    assert against(errors, errors[::-1]).text == "not_significant"
    assert against(errors[:5] - 0.008, errors[:5]).text == "too_few"


def test_all_together_come_last_and_only_if_there_are_several() -> None:
    both = on_images(spread(), ["ytf"] * 30 + ["300W"] * 30)
    found = findings.against("dlib", {"model": both, "dlib": both}, CED, WORDS)
    assert [its.values["dataset"] for its in found] == ["300W", "ytf", "All data sets"]


def test_undetected_faces_are_counted_as_failures() -> None:
    def of(auc: float) -> dict[str, Any]:
        return {"images": 30, "undetected": 2, "auc_08_all": auc}

    found = findings.detection({"all": {"model": of(0.7), "dlib": of(0.6)}}, WORDS)
    assert WORDS.say(found) == (
        "The detector missed the face in 2 of 32 test images. The other figures leave these "
        "images out; counted as failures, they give AUC@0.08 0.700 for the network and 0.600 for "
        "dlib."
    )
    none = of(0.7) | {"undetected": 0}
    assert findings.detection({"all": {"model": none, "dlib": none}}, WORDS).text == "all_found"


def test_reasons_are_counted_the_most_frequent_first() -> None:
    found = findings.usage(90, {"wrong_count": 1, "profile_39": 9}, WORDS)
    assert WORDS.say(found) == (
        "Of the archive's images, 90 are used and 10 were dropped (39-point profiles: 9, wrong "
        "number of points: 1)."
    )
    assert findings.usage(90, {}, WORDS).text == "all_used"


def test_duplicates_are_told_with_the_figure_without_them() -> None:
    model = on_images(np.array([0.0, 0.04, 0.08]))
    found = findings.duplicates(model, model.faces.images[:1], WORDS)
    assert (found.values["without"], found.values["all"]) == ("0.250", "0.500")
    assert findings.duplicates(model, model.faces.images, WORDS).values["without"] == "—"
    assert findings.duplicates(model, [], WORDS) == Finding("no_duplicates")


def test_the_worst_and_the_best_part_and_those_against_the_rule() -> None:
    errors = spread()
    ours = {"jaw": errors + 0.01, "nose": errors - 0.005, "eyes": errors}
    theirs = {"jaw": errors + 0.005, "nose": errors + 0.01, "eyes": errors + 0.01}
    first, second = findings.parts({"model": ours, "dlib": theirs}, CED, WORDS)
    assert (first.values["worst"], first.values["best"]) == ("jaw", "nose")
    assert second == Finding("parts_worse", {"parts": "jaw"})
    _, back = findings.parts({"model": theirs, "dlib": ours}, CED, WORDS)
    assert back == Finding("parts_better", {"parts": "jaw"})
    assert len(findings.parts({"model": ours, "dlib": ours}, CED, WORDS)) == 1


def rated(*errors: np.ndarray) -> list[Rated]:
    return [
        Rated(f"group {i}", {"model": metrics.summarise(its, its, 0, 200, 1)})
        for i, its in enumerate(errors)
    ]


def test_a_group_is_harder_only_if_the_intervals_say_so() -> None:
    errors = spread()
    harder = findings.difficulty(
        {
            "yaw": rated(errors, errors + 0.01, errors + 0.02),
            "sharpness": rated(errors, errors),
            "size": rated(errors + 0.02, errors),
        },
        WORDS,
    )
    assert [found.text for found in harder] == ["hard_yaw", "hard_size"]
    assert harder[0].values["worst_group"] == "group 2"
    assert harder[1].values["worst_group"] == "group 0"
    assert all(WORDS.say(found) for found in harder)
    easier = {"size": rated(errors, errors + 0.02)}  # small faces are easier: no such sentence
    assert findings.difficulty(easier, WORDS) == [Finding("none_hard")]
    assert findings.difficulty({"yaw": rated(errors, errors[:3] + 0.05)}, WORDS) == [
        Finding("none_compared")
    ]


@pytest.mark.parametrize(
    ("nmes", "losses", "text"),
    [
        (
            [0.09, 0.05, 0.03, 0.03, 0.03, 0.031, 0.032, 0.033, 0.034, 0.035],
            "falling",
            "overfitted",
        ),
        ([0.09, 0.05, 0.03, 0.03, 0.03, 0.031, 0.032, 0.033, 0.034, 0.035], "rising", "settled"),
        ([0.11, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.02], "falling", "still_falling"),
        ([0.09, 0.05, 0.03, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02], "falling", "settled"),
        ([0.09], "falling", "few_epochs"),
    ],
)
def test_the_learning_curve_is_read(nmes: list[float], losses: str, text: str) -> None:
    down = np.linspace(1, 0.1, len(nmes))
    found = findings.training(down if losses == "falling" else -down, np.array(nmes), WORDS)
    assert found.text == text
    assert found.values["epochs"] == len(nmes)
    assert WORDS.say(found)
