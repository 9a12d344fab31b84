"""CelebA's layout through both pipelines, with real dvc: five points learnt, people recognised."""

import io
import json
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from facealign.core.points import select
from facealign.synthesis.pictures import plan_people, render
from tests.helpers import Project

PEOPLE, EACH = 6, 8


def celeba(path: Path) -> None:
    """An archive of generated faces; the last person's pictures are nobody's."""
    lists = {
        "list_bbox_celeba.txt": [str(PEOPLE * EACH), "image_id x_1 y_1 width height"],
        "list_landmarks_celeba.txt": [str(PEOPLE * EACH), "lefteye_x lefteye_y and so on"],
        "identity_CelebA.txt": [],
    }
    contents: dict[str, bytes] = {}
    for number, plan in enumerate(plan_people(PEOPLE, EACH, 6)):
        name = f"{number + 1:06}.jpg"
        contents[f"img_celeba/{name}"], points = render(plan)
        five = select(points, 5).round().astype(int)
        (left, top), (right, bottom) = five.min(axis=0), five.max(axis=0)
        box = f"{left} {top} {right - left} {bottom - top}"
        lists["list_bbox_celeba.txt"].append(f"{name} {box}")
        lists["list_landmarks_celeba.txt"].append(f"{name} {' '.join(map(str, five.ravel()))}")
        if number < (PEOPLE - 1) * EACH:
            lists["identity_CelebA.txt"].append(f"{name} {100 + number // EACH}")
    contents |= {name: "\n".join([*lines, ""]).encode() for name, lines in lists.items()}
    with tarfile.open(path, "w:gz") as tar:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Both pipelines after their runs."""
    project = Project.begun_in(tmp_path_factory.mktemp("celeba"))
    celeba(project.folder / "celeba.tgz")
    path = project.folder / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["demo"]["pictures"] = 12
    params["data"] |= {"archive": "celeba.tgz", "datasets": ["celeba"], "points": 5}
    params["detect"] |= {"upsample": [0], "undetected": "truth"}
    params["crop"] |= {"size": 64, "context": 0.1}
    params["train"] |= {"arch": "hourglass", "points": 5, "loss": "l2", "epochs": 1}
    params["train"]["networks"]["hourglass"]["stacks"] = 1
    recognition = params["recognition"]
    recognition["compare"] = {"points": ["none", 5], "losses": ["arcface"]}
    recognition["examine"] |= {"datasets": ["celeba"], "landmarks": "dataset", "upsample": [0]}
    recognition["identities"] |= {"split": "drawn", "yaw": 90, "unseen": 0.4, "sharpness": 0}
    recognition["align"]["side"] = 32
    recognition["recognize"] |= {"epochs": 2, "embedding": 16}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    project.run("dvc", "repro")
    project.run("dvc", "repro", "stages/recognition/dvc.yaml")
    return project


def test_five_points_are_learnt_from_celebas(project: Project) -> None:
    kept = project.json("metrics/data.json")["celeba"]
    assert kept["train"]["kept"] + kept["test"]["kept"] == PEOPLE * EACH
    assert not kept["train"]["dropped"] and not kept["test"]["dropped"]
    (first, *_) = project.rows("data/predicted.csv")
    assert "x4" in first and "x5" not in first
    ced = project.json("metrics/ced.json")["celeba"]
    assert ced["model"]["images"] == ced["dlib"]["images"] > 0
    assert ced["dlib"]["auc_08"] > 0.3  # its 68 points, as five, against CelebA's
    assert (project.folder / "plots" / "report.pdf").is_file()


def test_people_are_recognised_and_verified(project: Project) -> None:
    figures = project.json("metrics/recognition.json")
    assert {points: list(losses) for points, losses in figures.items()} == {
        "none": ["arcface"],
        "5": ["arcface"],
    }
    counts = project.json("metrics/identities.json")
    for its in (figures["none"]["arcface"], figures["5"]["arcface"]):
        low, high = its["top1_ci95"]
        assert 0 <= low <= its["top1"] <= high <= 1
        assert (its["people"], its["images"]) == (counts["people_learnt"], counts["validate"])
        assert 0 <= its["tar_1e-3"] <= its["tar_1e-2"] <= 1 and 0 <= its["eer"] <= 1
    assert counts["people_learnt"] == 3 and counts["people_unseen"] == 2
    assert counts["reasons"]["no_person"] == EACH
    listed = [row["reason"] for row in project.rows("data/recognition/rejected.csv")]
    assert len(listed) == counts["dropped"] and listed.count("no_person") == EACH


def test_the_report_tells_who_is_ahead(project: Project) -> None:
    page = (project.folder / "plots/recognition/report.html").read_text(encoding="utf-8")
    assert "has the highest top-1 accuracy" in page and "http" not in page
    assert (project.folder / "plots/recognition/report.pdf").stat().st_size > 20_000
    curve = project.rows("plots/recognition/roc/5-arcface.csv")
    shares = np.array([[float(row["far"]), float(row["tar"])] for row in curve])
    assert (np.diff(shares, axis=0) >= 0).all() and shares[-1].tolist() == [1, 1]


def test_a_second_run_does_nothing_and_another_loss_only_what_it_needs(project: Project) -> None:
    assert "Running stage" not in project.run("dvc", "repro", "stages/recognition/dvc.yaml")
    path = project.folder / "params.yaml"
    before = path.read_text(encoding="utf-8")
    params = yaml.safe_load(before)
    params["recognition"]["compare"]["losses"] = ["arcface", "ce"]
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    said = project.run("dvc", "repro", "--dry", "stages/recognition/dvc.yaml")
    path.write_text(before, encoding="utf-8")
    running = [line for line in said.splitlines() if line.startswith("Running stage")]
    first, *trained, last, after = [line.split(":")[1].rstrip("'") for line in running]
    assert (first, last, after) == ("identities", "verify", "report")
    assert set(trained) == {"recognize@none-ce", "recognize@5-ce"}  # DVC chooses the order


def test_faces_are_embedded_and_compared_by_command(project: Project) -> None:
    network = "data/recognition/networks/5-arcface/recogniser.onnx"
    pictures = [
        f"data/faces/{row['image']}"
        for row in project.rows("data/recognition/people.csv")
        if row["role"] == "unseen"
    ][:2]
    command = ("python", "-m", "facealign")
    # a progress bar may stand before it on its line
    printed = project.run(*command, "compare", *pictures, "--json", "--recogniser", network)
    compared = json.loads(re.findall(r"\{\"measured.*", printed)[0])
    printed = project.run(*command, "embed", *pictures, "--recogniser", network)
    found = [json.loads(line)["faces"] for line in re.findall(r"\{\"image.*\}", printed)]
    one, other = (np.array(faces[0]["embedding"]) for faces in found)
    assert compared["pairs"][0]["similarity"] == pytest.approx(one @ other, abs=1e-3)
    wrong = ("compare", pictures[0], "data/index.csv", "--recogniser", network)
    assert "data/index.csv: not a picture" in project.run(*command, *wrong, fails=True)
