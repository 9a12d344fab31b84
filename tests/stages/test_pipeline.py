"""The pipeline as its users run it: real dvc, real dlib, real MLflow, in a project of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import yaml

from facealign.core.files import sha256
from facealign.data import archive
from facealign.data.annotations import read_pts
from facealign.evaluation import metrics
from facealign.experiments import model_card
from facealign.reports import markdown
from tests.helpers import EPOCHS, Project

# MLflow's own use of SQLAlchemy
MLFLOW_WARNS = pytest.mark.filterwarnings("ignore:.*noload:DeprecationWarning")


def test_the_figures_are_there_and_add_up(project: Project) -> None:
    ced = project.json("metrics/ced.json")
    assert list(ced) == ["300W", "Menpo", "all"]
    for dataset in ced:
        assert set(ced[dataset]) == {"model", "dlib"}
        model, dlib = ced[dataset]["model"], ced[dataset]["dlib"]
        assert model["images"] == dlib["images"] > 0
        low, high = dlib["auc_08_ci95"]
        assert low <= dlib["auc_08"] <= high
    kept = project.json("metrics/data.json")
    for dataset in ("300W", "Menpo"):
        figures = ced[dataset]["model"]
        assert figures["images"] + figures["undetected"] == kept[dataset]["test"]["kept"]
        detected = project.json("metrics/detection.json")[dataset]
        assert detected["test"]["missed"] == figures["undetected"]
        for split, counts in detected.items():
            assert counts["found"] + counts["missed"] == kept[dataset][split]["kept"]
    assert ced["all"]["dlib"]["images"] == sum(ced[d]["dlib"]["images"] for d in ("300W", "Menpo"))
    # dlib's own model knows the generated faces for faces; a slip of pixels or boxes would show
    assert ced["all"]["dlib"]["auc_08"] > 0.5


def test_the_leaderboard_agrees_with_the_figures(project: Project) -> None:
    figures = project.json("metrics/ced.json")["all"]
    (first, best), (second, other) = project.json("metrics/leaderboard.json").items()
    assert best["auc_08_all"] == figures[first]["auc_08_all"] >= other["auc_08_all"]
    ahead = figures[first]["auc_08"] - figures[second]["auc_08"]
    assert best["against"][second]["auc_08"] == pytest.approx(ahead)


def test_what_is_dropped_is_counted_and_listed(project: Project) -> None:
    kept = project.json("metrics/data.json")
    listed = [row for row in project.rows("data/dropped.csv") if row["reason"] == "profile_39"]
    counted = [
        kept[dataset][split]["reasons"].get("profile_39", 0)
        for dataset in kept
        for split in kept[dataset]
    ]
    assert len(listed) == sum(counted) > 0
    files = list((project.folder / "data" / "faces").rglob("*.pts"))
    assert len(project.rows("data/index.csv")) + len(project.rows("data/dropped.csv")) == len(files)


def test_the_errors_in_git_are_those_behind_the_figures(project: Project) -> None:
    ced, rows = project.json("metrics/ced.json"), project.rows("metrics/errors.csv")
    assert len(rows) == ced["all"]["model"]["images"]
    for method in ("model", "dlib"):
        errors = [float(row[method]) for row in rows]
        assert sum(errors) / len(errors) == pytest.approx(ced["all"][method]["nme"])
        parts = {
            r["region"]: float(r["error"]) for r in project.rows(f"plots/regions/{method}.csv")
        }
        assert parts.keys() == {"jaw", "brows", "nose", "eyes", "mouth"}
        assert min(parts.values()) < ced["all"][method]["nme"] < max(parts.values())


def test_the_report_tells_the_figures_and_its_bytes_are_the_same_each_time(
    project: Project, tmp_path: Path
) -> None:
    written = {kind: project.folder / "plots" / f"report.{kind}" for kind in ("html", "pdf")}
    page = written["html"].read_text(encoding="utf-8")
    for methods in project.json("metrics/ced.json").values():
        assert f">{methods['model']['auc_08']:.4f}<" in page
    assert "http" not in page and "39-point profiles" in page
    data = "faces index.csv scheme.json dropped.csv boxes.csv predicted.csv baselines training.csv"
    again = [tmp_path / path.name for path in written.values()]
    project.run(
        *("python", "-m", "stages.report", *(f"data/{name}" for name in data.split())),
        *map(str, again),
    )
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written.values()]


def test_a_second_run_does_nothing_and_the_status_is_clean(project: Project) -> None:
    assert "Running stage" not in project.run("dvc", "repro")
    assert "up to date" in project.run("dvc", "status", "dvc.yaml")
    assert project.run("git", "status", "--porcelain") == ""


def train_elsewhere(project: Project, folder: Path) -> tuple[bytes, bytes]:
    """Model and curve of the workspace's recipe, trained without a break into another folder."""
    outs = [folder / name for name in ("model.pt", "training.csv", "speed.json")]
    project.run("python", "-m", "stages.train", "data/crops", "data/scheme.json", *map(str, outs))
    return outs[0].read_bytes(), outs[1].read_bytes()


def model_and_curve(project: Project) -> tuple[bytes, bytes]:
    data = project.folder / "data"
    return (data / "model.pt").read_bytes(), (data / "training.csv").read_bytes()


def test_training_again_gives_the_same_bytes(project: Project, tmp_path: Path) -> None:
    assert train_elsewhere(project, tmp_path) == model_and_curve(project)


def logged_runs(project: Project, experiment: str) -> tuple[mlflow.MlflowClient, list[Any]]:
    client = mlflow.MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    found = client.get_experiment_by_name("facealign")
    assert found is not None
    query = f"tags.`dvc.experiment` = '{experiment}'"
    return client, list(client.search_runs([found.experiment_id], query))


@MLFLOW_WARNS
def test_the_training_says_how_fast_it_was(project: Project) -> None:
    _, [run] = logged_runs(project, "workspace")
    assert run.data.metrics["train.faces_per_second"] > 0
    assert 0 <= run.data.metrics["train.waiting_share"] < 1


def test_a_killed_training_goes_on_and_ends_in_the_same_weights(
    project: Project, tmp_path: Path
) -> None:
    params = project.folder / "params.yaml"
    values = yaml.safe_load(params.read_text(encoding="utf-8"))
    values["train"]["epochs"] = 60
    params.write_text(yaml.safe_dump(values), encoding="utf-8")
    scratch = project.folder / "data" / ".training"
    earlier = set(scratch.glob("*"))  # of the finished training
    killed = subprocess.Popen(
        ["dvc", "repro", "train"],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a process group of its own: dvc and the stage die together
    )
    while set(scratch.glob("[0-9a-f]*.pt")) <= earlier:
        assert killed.poll() is None
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    said = project.run("dvc", "repro", "train")
    resumed = re.search(r"resumed after epoch (\d+)", said)
    assert resumed, said
    assert 1 <= int(resumed.group(1)) < 60
    trained = model_and_curve(project)
    assert trained == train_elsewhere(project, tmp_path)
    # as if DVC had been killed before it recorded the outputs
    recorded = project.folder / ".dvc" / "cache" / "runs"
    recorded.rename(tmp_path / "runs")
    for name in ("model.pt", "training.csv"):
        (project.folder / "data" / name).unlink()
    project.run("git", "checkout", "-q", "dvc.lock")
    assert "resumed after epoch 60" in project.run("dvc", "repro", "train")
    shutil.copytree(tmp_path / "runs", recorded, dirs_exist_ok=True)
    assert model_and_curve(project) == trained
    project.run("git", "checkout", "-q", ".")
    project.run("dvc", "checkout", "-q", "dvc.yaml")
    assert "up to date" in project.run("dvc", "status", "dvc.yaml")


@MLFLOW_WARNS
def test_one_mlflow_run_holds_params_epochs_figures_picture_and_model(project: Project) -> None:
    client, [run] = logged_runs(project, "workspace")
    assert run.data.params["train.epochs"] == str(EPOCHS)
    ced = project.json("metrics/ced.json")
    assert run.data.metrics["all.model.auc_08"] == ced["all"]["model"]["auc_08"]
    validation = project.json("metrics/validation.json")
    assert run.data.metrics["validation.nme"] == validation["nme"]
    curve = project.rows("plots/training.csv")
    assert validation["nme"] == min(float(row["validation_nme"]) for row in curve)
    assert float(curve[validation["epoch"] - 1]["validation_auc_08"]) == validation["auc_08"]
    history = client.get_metric_history(run.info.run_id, "validation_nme")
    assert [point.step for point in history] == list(range(1, EPOCHS + 1))
    artifacts = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"model", "report.html", "report.pdf", "all.png"} <= artifacts
    assert len(run.data.tags["dvc.revision"]) == 40


@MLFLOW_WARNS
def test_an_experiment_in_a_folder_of_its_own_logs_to_the_project(project: Project) -> None:
    project.run("dvc", "exp", "run", "--temp", "-n", "elsewhere", "-S", "train.loss=l1")
    _, [run] = logged_runs(project, "elsewhere")
    assert run.data.params["train.loss"] == "l1"
    assert run.data.tags["dvc.revision"] == project.run("git", "rev-parse", "HEAD").strip()
    assert project.run("git", "status", "--porcelain") == ""


def test_an_experiment_overrides_params_and_is_compared(project: Project) -> None:
    values = ("train.epochs=1", "crop.size=40", "train.points=5")
    changes = [word for value in values for word in ("-S", value)]
    project.run("dvc", "exp", "run", "-n", "smaller", *changes)
    assert len(project.rows("data/training.csv")) == 1
    columns = set(project.rows("data/predicted.csv")[0])
    assert {"x4", "y4"} <= columns and "x5" not in columns
    assert project.json("data/crops/stats.json")["size"] == 40
    diff = project.run("dvc", "params", "diff", "main", "--json")
    changed = json.loads(diff)["params.yaml"]
    assert (changed["crop.size"]["old"], changed["crop.size"]["new"]) == (48, 40)
    diff = project.run("dvc", "metrics", "diff", "main", "--json")
    assert "all.model.auc_08" in json.loads(diff)["metrics/ced.json"]
    # dlib is measured on the same five points, and on no others
    assert "all.dlib.auc_08" in json.loads(diff)["metrics/ced.json"]
    listed = project.run("make", "-o", ".venv/installed", "experiments")
    assert "[smaller]" in listed and "crop.size" in listed and "train.batch" not in listed
    plots = json.loads(project.run("dvc", "plots", "diff", "main", "workspace", "--json"))
    [chart] = plots["data"]["CED all"]
    points = chart["content"]["data"]["values"]
    curves = {(point["rev"], point["filename"]) for point in points}
    assert len(curves) == 4  # two revisions, model and dlib
    project.run("python", "-m", "facealign.experiments.plots_page", ".dvc/plots.html")
    project.run("dvc", "plots", "diff", "main", "workspace")
    charts = (project.folder / "dvc_plots" / "index.html").read_text(encoding="utf-8")
    # seven of landmarks and two of recognition
    assert charts.count("vegaEmbed('#") == 9 and not re.search(r"<(script|link)[^>]+http", charts)
    page = str(project.folder.parent / "review")
    said = project.run("python", "-m", "facealign.experiments.review", "main", "smaller", page)
    # five points against 68: dlib shows that the same name does not stand for the same error
    assert "# smaller against main" in said and "**Note:** The test data differ: dlib's" in said
    assert "| train.points" in said and "![Faces that changed most](faces.jpg)" in said
    project.run("git", "checkout", "-q", ".")
    project.run("dvc", "checkout", "-q", "dvc.yaml")
    assert "up to date" in project.run("dvc", "status", "dvc.yaml")


def test_a_queued_experiment_is_run_and_promoted(project: Project) -> None:
    project.run("dvc", "exp", "run", "--queue", "-n", "queued", "-S", "train.epochs=1")
    project.run("dvc", "queue", "start")
    while "Success" not in (status := project.run("dvc", "queue", "status")):
        assert "Failed" not in status
        time.sleep(1)
    project.run("git", "checkout", "-q", "-b", "promoted")
    said = project.run("python", "-m", "facealign.experiments.promote", "queues", fails=True)
    assert "unknown experiment 'queues', did you mean queued?" in said
    assert "Promote queued" in project.run(
        "python", "-m", "facealign.experiments.promote", "queued"
    )
    assert "up to date" in project.run("dvc", "status", "dvc.yaml")
    assert project.run("git", "status", "--porcelain") == ""
    assert yaml.safe_load(project.run("git", "show", "HEAD:params.yaml"))["train"]["epochs"] == 1
    assert len(project.rows("plots/training.csv")) == len(project.rows("data/training.csv")) == 1
    project.run("git", "checkout", "-q", "main")
    project.run("dvc", "checkout", "-q", "dvc.yaml")


def test_a_mistyped_parameter_names_the_valid_ones(project: Project) -> None:
    said = project.run("dvc", "exp", "run", "-S", "+train.epoch=3", fails=True)
    assert "train: unknown parameter 'epoch', did you mean epochs?" in said
    assert "learning_rate" in said and "Traceback" not in said
    project.run("git", "checkout", "-q", ".")
    project.run("dvc", "checkout", "-q", "dvc.yaml")


def test_a_missing_archive_gives_one_clear_line(project: Project) -> None:
    # of another length than the right one: DVC rewrites params.yaml and Git's index so fast that a
    # file of the same size may pass for unchanged
    said = project.run("dvc", "exp", "run", "-S", "data.archive=data/absent.tgz", fails=True)
    assert "data/absent.tgz" in said and "Traceback" not in said
    project.run("git", "checkout", "-q", ".")
    project.run("dvc", "checkout", "-q", "dvc.yaml")


def test_an_unknown_data_set_lists_those_there_are(project: Project) -> None:
    said = project.run("dvc", "exp", "run", "-S", "data.datasets=[300W,COFW]", fails=True)
    assert "'COFW'" in said and "300W, Menpo" in said and "Traceback" not in said
    project.run("git", "checkout", "-q", ".")
    project.run("dvc", "checkout", "-q", "dvc.yaml")


def test_a_dead_tracking_server_costs_a_warning_only(project: Project) -> None:
    uri = "http://127.0.0.1:9"  # nobody listens on the discard port
    said = project.run("dvc", "repro", "-f", "-s", "track", MLFLOW_TRACKING_URI=uri)
    assert "WARNING: MLflow: the run was not logged" in said
    assert "dvc repro -f -s track" in said
    assert "up to date" in project.run("dvc", "status", "dvc.yaml")


def test_experiments_of_a_list_are_put_side_by_side(project: Project) -> None:
    entries = "all: {train.epochs: 1}\nwith-l1: {train.loss: l1}\nwith-wing: {train.seed: 2}\n"
    # as an untracked file: the list itself may be one that nobody wants to keep
    (project.folder / "list.yaml").write_text(entries, encoding="utf-8")
    project.run("python", "-m", "facealign.experiments.sweep", "list.yaml")
    assert project.run("git", "status", "--porcelain") == "?? list.yaml\n"
    assert "up to date" in project.run("dvc", "status", "dvc.yaml")

    (project.folder / "list.yaml").replace(project.folder / "experiments" / "zoo.yaml")
    table = project.run(
        "python",
        "-m",
        "facealign.experiments.zoo",
        "experiments/zoo.yaml",
        "metrics/zoo.json",
        "plots/zoo",
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert [row[0] for row in rows] == ["network", rows[1][0], "with-l1", "with-wing", "dlib"]
    zoo, baseline = project.json("metrics/zoo.json"), project.json("metrics/ced.json")
    assert zoo["dlib"]["figures"] == {name: both["dlib"] for name, both in baseline.items()}
    assert zoo["dlib"]["megabytes"] == pytest.approx(99.7, abs=0.1) and zoo["dlib"]["cpu_ms"] > 0
    first, second = (zoo["networks"][name] for name in ("with-l1", "with-wing"))
    assert first["figures"]["300W"]["nme"] != second["figures"]["300W"]["nme"]
    model = (project.folder / "data" / "model.pt").stat().st_size
    for network in (first, second):
        assert network["input"] == 48 and network["cpu_ms"] > 0
        assert network["megabytes"] == pytest.approx(model / 1e6, rel=0.01)
        # four bytes each, the rest of the file is small
        assert network["parameters"] == pytest.approx(model / 4, rel=0.1)
    other = "with-l1: {train.loss: smooth_l1}\n"
    (project.folder / "experiments" / "other.yaml").write_text(other, encoding="utf-8")
    refused = (
        "facealign.experiments.zoo",
        "experiments/other.yaml",
        "metrics/zoo.json",
        "plots/zoo",
    )
    said = project.run("python", "-m", *refused, fails=True)
    assert "the experiment with-l1 has other values of train.loss than the list" in said
    (project.folder / "experiments" / "other.yaml").unlink()
    release_and_describe(project)
    drawn = {path.name for path in (project.folder / "plots" / "zoo").iterdir()}
    assert drawn == {f"{name}.{kind}" for name in baseline for kind in ("png", "svg")}
    changed = project.run("git", "status", "--porcelain", "--", "data", "params.yaml", "dvc.lock")
    assert changed == ""
    shutil.rmtree(project.folder / "plots" / "zoo")
    (project.folder / "metrics" / "zoo.json").unlink()
    project.run("git", "checkout", "-q", ".")
    project.run("dvc", "checkout", "-q", "dvc.yaml")


def test_a_data_sets_points_are_moved_to_where_a_network_means_them(
    project: Project, tmp_path: Path
) -> None:
    target, faces = tmp_path / "translated.tgz", project.folder / "data" / "faces"
    command = ("python", "-m", "facealign.experiments.translate", "data/faces")
    said = project.run(*command, "Menpo", str(target), fails=True)
    assert "error: networks: none given, expected .onnx files" in said
    said = project.run(*command, "Mempo", str(target), "small", fails=True)
    assert "error: data/faces/Mempo/train: no such folder" in said and not target.exists()
    said = project.run(*command, "Menpo", str(target), "facealign/weights/small.onnx")
    numbers = re.search(r"(\d+) faces, of which the detector misses (\d+); .* (\d+), is in", said)
    assert numbers, said
    known, missed, kept = map(int, numbers.groups())
    profiles = project.json("metrics/data.json")["Menpo"]["train"]["reasons"]["profile_39"]
    assert said.count("dropped: ") == said.count(": 39 points, expected 68") == profiles > 0
    lost = [row["image"] for row in project.rows("data/undetected.csv")]
    assert missed == sum(name.startswith("Menpo/train/") for name in lost)
    assert kept == -(-(known - missed) // 3)
    archive.extract(target, tmp_path / "faces")
    before, after = (
        {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        for root in (faces, tmp_path / "faces")
    )
    moved = [name for name in after if name.startswith("Menpo/train/")]
    assert len(moved) == 2 * kept
    assert after.keys() - set(moved) == {n for n in before if not n.startswith("Menpo/train/")}
    for name, path in after.items():
        if name not in moved or path.suffix != ".pts":
            assert path.read_bytes() == before[name].read_bytes()
        else:
            points, own = read_pts(path), read_pts(before[name])
            distance = np.linalg.norm(points - own, axis=1).mean() / metrics.interocular(own[None])
            assert 0 < distance < 0.2, name


def release_and_describe(project: Project) -> None:
    """The network `with-l1` as one that comes along, and the model card's figures of it."""
    release = (
        "python",
        "-m",
        "facealign.experiments.release",
        "experiments/zoo.yaml",
        "facealign/weights",
    )
    said = project.run(*release, "with-2", fails=True)
    assert "experiments/zoo.yaml: unknown experiment 'with-2', did you mean with-l1?" in said
    weights = project.folder / "facealign" / "weights"
    shutil.rmtree(weights)
    project.run(*release)
    kinds = ("pt", "onnx", "json")
    written = {f"{name}.{kind}" for name in ("with-l1", "with-wing") for kind in kinds}
    assert {path.name for path in weights.iterdir()} == written
    # where DVC links files, it does not overwrite them
    project.run("dvc", "config", "--local", "cache.type", "hardlink,copy")
    project.run(*release, "both=with-l1+with-wing")
    project.run("dvc", "config", "--local", "--unset", "cache.type")
    assert {path.name for path in weights.iterdir()} == written | {f"both.{its}" for its in kinds}
    both, alone, other = (
        project.json(f"facealign/weights/{name}.json") for name in ("both", "with-l1", "with-wing")
    )
    for name, recipe in (("both", both), ("with-l1", alone)):
        for suffix in ("pt", "onnx"):
            assert recipe[f"{suffix}_sha256"] == sha256(weights / f"{name}.{suffix}")
    assert both["pt_sha256"] == alone["pt_sha256"]
    size, of_both = ((weights / f"{name}.onnx").stat().st_size for name in ("with-l1", "both"))
    assert 1.5 * size < of_both < 2.5 * size
    assert list(alone["networks"]) == ["with-l1"]
    assert list(both["networks"]) == ["with-l1", "with-wing"]
    assert both["networks"] == alone["networks"] | other["networks"]
    recipe = alone["networks"]["with-l1"]
    assert recipe["params"]["train.loss"] == "l1" and recipe["params"]["crop.size"] == 48
    assert "demo.seed" in recipe["params"]  # the archive is generated
    labelled = project.json("metrics/labels.json")
    assert recipe["pictures"] == project.json("metrics/data.json") | labelled
    assert recipe["epoch"] == 1 and 0 < recipe["validation_nme"] < 1

    card = project.folder / "CARD.md"
    card.write_text(f"before\n{model_card.BEGIN}\nold\n{model_card.END}\nafter\n", encoding="utf-8")
    project.run("python", "-m", "facealign.experiments.model_card", "data/faces", "CARD.md")
    text = card.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    dlib = project.json("metrics/ced.json")["300W"]["dlib"]
    assert re.search(rf"\| 300W +\| dlib +\| +{re.escape(markdown.with_interval(dlib))} \|", text)
    assert "### Menpo, by difficulty" in text
    assert all(re.search(rf"\| 300W +\| {name} +\|", text) for name in ("both", "with-wing"))
    card.write_text("nothing", encoding="utf-8")
    said = project.run(
        "python",
        "-m",
        "facealign.experiments.model_card",
        "data/faces",
        "CARD.md",
        fails=True,
    )
    assert f"CARD.md: expected {model_card.BEGIN} and {model_card.END}" in said
    card.unlink()
    project.run("git", "checkout", "-q", "facealign/weights")
    project.run("git", "clean", "-fdq", "facealign/weights")
