"""The review of two runs, from files as Git and DVC would give them."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from facealign.core import images, tables
from facealign.core.errors import ExperimentError
from facealign.evaluation.scoring import Ced
from facealign.experiments import comparison, review
from facealign.experiments.comparison import Comparison
from tests.helpers import ROOT

CED = Ced(resamples=300, seed=1)
NAMES = [f"300W/test/{i}.png" for i in range(20)] + [f"ytf/test/{i}.png" for i in range(15)]
DLIB = np.linspace(0.03, 0.05, len(NAMES))


@dataclass
class Stored:
    """A run's files, in memory."""

    name: str
    what: str = ""
    files: dict[str, bytes] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise ExperimentError(f"{self.name} has no {path}")
        return self.files[path]

    fetch = read


def table(folder: Path, columns: Mapping[str, tables.Column], points: np.ndarray | None) -> bytes:
    tables.write(folder / "table.csv", columns, points)
    return (folder / "table.csv").read_bytes()


def stored(
    folder: Path,
    name: str,
    errors: np.ndarray,
    images: list[str] = NAMES,
    dlib: np.ndarray = DLIB,
    params: str = "train: {epochs: 3, loss: wing}",
) -> Stored:
    columns: dict[str, tables.Column] = {"image": images, "model": errors, "dlib": dlib}
    return Stored(
        name,
        f"{name} is 1234567",
        {
            "params.yaml": params.encode(),
            "metrics/ced.json": json.dumps({"all": {"model": {"nme": errors.mean()}}}).encode(),
            "metrics/data.json": b'{"300W": {"test": {"kept": 20}}}',
            "metrics/validation.json": json.dumps({"auc_08": 1 - errors.mean()}).encode(),
            "metrics/errors.csv": table(folder, columns, None),
        },
    )


def compared(base: Stored, head: Stored) -> Comparison:
    return comparison.compare(comparison.load(base), comparison.load(head), CED)


def lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def spread() -> np.ndarray:
    return np.random.default_rng(1).uniform(0.01, 0.06, len(NAMES))


def test_a_better_run_is_called_better_with_figures_for_each_data_set(tmp_path: Path) -> None:
    errors = spread()
    base = stored(tmp_path, "main", errors)
    head = stored(tmp_path, "mine", errors - 0.004, params="train: {epochs: 9, loss: wing}")
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert text.startswith("# mine against main\n\nmain is 1234567, mine is 1234567.\n\nOn all")
    assert "On all data sets (35 images): **significantly better**. AUC@0.08 " in text
    assert lines(text, "| validation.auc_08 ")
    [row] = lines(text, "| 300W ")
    assert row.split("|")[5].strip() == "+0.0500" and row.split("|")[-2].strip() == "better"
    assert lines(text, "| train.epochs")[0].split() == [
        "|",
        "train.epochs",
        "|",
        "3",
        "|",
        "9",
        "|",
    ]
    assert not lines(text, "| train.loss") and not lines(text, "| 300W.test.kept")
    assert lines(text, "| all.model.nme ")
    linked = set(re.findall(r"\]\((\S+)\)", text))
    assert linked == {"300W.png", "ytf.png", "all.png"}
    assert all((tmp_path / "out" / name).is_file() for name in linked)
    assert "Note:" not in text
    assert (tmp_path / "out" / "review.md").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (np.zeros(35), "the same"),
        (np.full(35, 0.004), "significantly worse"),
        (np.resize([0.004, -0.004], 35), "no significant difference"),
    ],
)
def test_other_verdicts(tmp_path: Path, change: np.ndarray, said: str) -> None:
    base = stored(tmp_path, "main", spread())
    head = stored(tmp_path, "mine", spread() + change)
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert f"**{said}**" in text


def test_the_comment_links_to_figures_that_are_pushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str | Path) -> str:
        done = subprocess.run(["git", *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q", "--bare", tmp_path / "origin")
    git("clone", "-q", tmp_path / "origin", tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "clone")
    base, head = stored(tmp_path, "main", spread()), stored(tmp_path, "mine", spread() - 0.004)
    publish = ROOT / ".github" / "publish-review.sh"
    for name in ("pull-1", "pull-2", "pull-1"):
        review.write(compared(base, head), base, head, Path("plots/review"), CED)
        comment = subprocess.run(
            [publish, "https://example.org/team/faces", name],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        commit = git("-C", tmp_path / "origin", "rev-parse", "review-figures")
        linked = re.findall(r"\]\(https://example.org/team/faces/raw/(\w+)/(\S+)\)", comment)
        assert linked == [(commit, f"{name}/{figure}.png") for figure in ("300W", "ytf", "all")]
    kept = git("-C", tmp_path / "origin", "ls-tree", "-r", "--name-only", "review-figures").split()
    assert sorted(kept) == [
        f"pull-{n}/{name}.png" for n in (1, 2) for name in ("300W", "all", "ytf")
    ]


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a|b\n\n| c",
    "[x](javascript:x) ![y](http://e.org/y.png)",
    "@everyone a@e.org #1 GH-1 https://e.org www.e.org",
    "`x` **b** _i_ ~s~ $x$ &lt; \\",
    "\u202egnp" + "x" * 300,
]


TAGS = {"h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "img"}
TAGS |= {"details", "summary"}


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_parameters_are_shown_as_text(tmp_path: Path, text: str) -> None:
    names = [f"300W/test/{text}", f"{text.replace('/', '')}/test/a.png", *NAMES[2:]]
    params = json.dumps({"train": {text: text}})
    base = stored(tmp_path, text, spread(), names)
    head = stored(tmp_path, "mine", spread() + 0.01, names, params=params)
    page = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    drawn = MarkdownIt("commonmark").enable("table").render(page)
    assert set(re.findall(r"<(\w+)", drawn)) == TAGS
    for rows in re.findall(r"<table>.*?</table>", drawn, re.DOTALL):
        assert len({len(re.findall("<t[hd][ >]", row)) for row in rows.split("</tr>")[:-1]}) == 1
    for source in re.findall(r'src="(.*?)"', drawn):
        assert re.fullmatch(r"[\w-]+\.png", source) and (tmp_path / "out" / source).is_file()
    # GitHub makes links of these, too
    assert not re.search(r"://|\bwww\.\w|(?<!AUC)@\w|GH-\d|(?<!&)#\d", page)


def test_few_images_give_no_verdict(tmp_path: Path) -> None:
    few = slice(0, 5)
    base = stored(tmp_path, "main", spread()[few], NAMES[few], DLIB[few])
    head = stored(tmp_path, "mine", spread()[few] - 0.01, NAMES[few], DLIB[few])
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert "On 300W (5 images): **too few images** to tell" in text


def test_only_common_images_are_compared_each_with_itself(tmp_path: Path) -> None:
    errors = spread()
    base = stored(tmp_path, "main", errors)
    back = slice(None, 4, -1)  # other rows, in another order
    head = stored(tmp_path, "mine", errors[back], NAMES[back], DLIB[back])
    both = compared(base, head)
    assert len(both.images) == 30 and not both.gains.any() and not both.other_boxes
    text = review.write(both, base, head, tmp_path / "out", CED)
    assert "5 of the 35 images of main are not in mine, and are left out." in text
    assert text.index("The test data differ") < text.index("**the same**")


def test_other_rectangles_are_noticed(tmp_path: Path) -> None:
    base = stored(tmp_path, "main", spread())
    head = stored(tmp_path, "mine", spread(), dlib=DLIB + np.resize([0, 0, 0.001], 35))
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert "dlib's error differs on 11 of the 35 images" in text


def test_runs_without_a_common_image_cannot_be_compared(tmp_path: Path) -> None:
    base = stored(tmp_path, "main", spread())
    others = [name.replace("test/", "test/x") for name in NAMES]
    head = stored(tmp_path, "mine", spread(), others)
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert "The test data differ: the runs have no test image in common." in text
    assert "There is nothing to compare." in text


def test_the_faces_that_changed_most_are_drawn_if_they_are_at_hand(
    tmp_path: Path, face: np.ndarray
) -> None:
    change = np.zeros(35)
    change[[3, 20]] = -0.01, 0.01
    base, head = stored(tmp_path, "main", spread()), stored(tmp_path, "mine", spread() + change)
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert "The faces cannot be shown: mine has no data/boxes.csv" in text
    assert [row.split()[1] for row in lines(text, "| 300W/") + lines(text, "| ytf/")] == [
        NAMES[3],
        NAMES[20],
    ]
    sides = {"left": 0.0, "top": 0.0, "right": 180.0, "bottom": 180.0}
    corners: dict[str, tables.Column] = {side: [value] * 35 for side, value in sides.items()}
    points = np.repeat(face[None] + 90, 35, axis=0)
    head.files["data/boxes.csv"] = table(tmp_path, corners | {"image": NAMES}, None)
    for its in (base, head):
        for name in ("index", "predicted"):
            its.files[f"data/{name}.csv"] = table(tmp_path, {"image": NAMES}, points)
    images.write(tmp_path / "grey.png", np.full((180, 180, 3), 90, np.uint8))
    for name in NAMES:
        head.files[f"data/faces/{name}"] = (tmp_path / "grey.png").read_bytes()
    text = review.write(compared(base, head), base, head, tmp_path / "out", CED)
    assert "![Faces that changed most](faces.jpg)" in text
    assert images.read(tmp_path / "out" / "faces.jpg").shape[1] > 1000
