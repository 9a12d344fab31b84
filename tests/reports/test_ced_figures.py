import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from facealign.reports.ced_figures import COLOURS, Curve, ced_figure, zoo_figure
from facealign.reports.figures import METHODS
from tests.helpers import ROOT

ERRORS = {"model": np.array([0.02, 0.04, 0.06]), "dlib": np.array([0.03, 0.09, 0.05])}


def drawn(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_picture_and_a_drawing_are_written_and_nothing_else(tmp_path: Path) -> None:
    ced_figure(ERRORS, "300W", tmp_path / "plots" / "300W")
    assert drawn(tmp_path / "plots").keys() == {"300W.png", "300W.svg"}
    picture = cv2.imread(str(tmp_path / "plots" / "300W.png"))
    assert picture is not None
    assert picture.shape == (576, 768, 3)


def test_the_drawing_names_the_data_set_and_each_methods_area(tmp_path: Path) -> None:
    ced_figure(ERRORS, "300W", tmp_path / "a")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "300W, 3 test images" in text
    assert "model, AUC 0.500" in text  # 3/4, 1/2 and 1/4
    assert "dlib, AUC 0.333" in text  # 5/8, nothing and 3/8


def test_dlib_trained_here_has_a_name_and_a_look_of_its_own(tmp_path: Path) -> None:
    ced_figure(ERRORS | {"dlib-trained": ERRORS["model"]}, "300W", tmp_path / "a")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "dlib, trained here, AUC 0.500" in text
    assert len({look for look, _ in METHODS.values()}) == len(METHODS) == 3


def test_the_same_errors_give_the_same_bytes_and_others_do_not(tmp_path: Path) -> None:
    for name, errors in (("a", ERRORS), ("b", ERRORS), ("c", {"model": np.array([0.01])})):
        ced_figure(errors, "300W", tmp_path / name)
    files = drawn(tmp_path)
    for suffix in (".png", ".svg"):
        assert files["a" + suffix] == files["b" + suffix] != files["c" + suffix]


def test_another_figure_replaces_an_earlier_one(tmp_path: Path) -> None:
    ced_figure(ERRORS, "300W", tmp_path / "a")
    before = drawn(tmp_path)
    ced_figure(ERRORS, "Menpo", tmp_path / "a")
    assert drawn(tmp_path).keys() == before.keys()
    assert drawn(tmp_path)["a.svg"] != before["a.svg"]


def test_a_method_without_images_is_drawn_as_such(tmp_path: Path) -> None:
    ced_figure({"model": np.empty(0)}, "Menpo", tmp_path / "a")
    assert "model, AUC no images" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_a_dot_in_the_data_sets_name_is_part_of_the_name(tmp_path: Path) -> None:
    ced_figure(ERRORS, "v1.5", tmp_path / "v1.5")
    assert drawn(tmp_path).keys() == {"v1.5.png", "v1.5.svg"}


def curve(auc: float) -> Curve:
    return Curve(np.array([0.0, 0.02, 0.08]), np.array([0.0, auc, auc]), auc)


def test_the_zoos_legend_goes_from_the_best_down(tmp_path: Path) -> None:
    networks = {"onet": curve(0.5), "pipnet": curve(0.7), "yinnet": curve(0.4)}
    zoo_figure(networks, curve(0.6), "ytf, 9 test images", tmp_path / "ytf")
    text = (tmp_path / "ytf.svg").read_text(encoding="utf-8")
    labels = re.findall(r">(\w+), AUC ([0-9.]+)<", text)
    assert labels == [
        ("pipnet", "0.700"),
        ("dlib", "0.600"),
        ("onet", "0.500"),
        ("yinnet", "0.400"),
    ]
    assert "ytf, 9 test images" in text
    assert drawn(tmp_path).keys() == {"ytf.png", "ytf.svg"}


def lines(drawing: Path) -> list[tuple[str, str]]:
    """Colour and dashes of each curve, in the order in which they were drawn."""
    text = drawing.read_text(encoding="utf-8")
    styles = re.findall(r'clip-path="[^"]*" style="([^"]*stroke-width: 1.5[^"]*)"', text)
    return [
        (
            re.findall("stroke: (#[0-9a-f]{6})", style)[0],
            "".join(re.findall("array: (.*?);", style)),
        )
        for style in styles
    ]


def test_a_network_keeps_its_colour_when_another_becomes_better(tmp_path: Path) -> None:
    x, y = (colour.lower() for colour in COLOURS[:2])
    for first, second, order in ((0.5, 0.7, [y, x]), (0.7, 0.5, [x, y])):
        networks = {"x": curve(first), "y": curve(second)}
        zoo_figure(networks, curve(0.6), "both", tmp_path / "both")
        best, dlib, worst = lines(tmp_path / "both.svg")
        assert [best, worst] == [(order[0], ""), (order[1], "")]
        assert dlib[0] == "#888888" and dlib[1]


def test_no_two_of_twenty_networks_look_the_same(tmp_path: Path) -> None:
    zoo_figure({f"n{i}": curve(0.5) for i in range(20)}, curve(0.6), "many", tmp_path / "many")
    looks = lines(tmp_path / "many.svg")
    assert len(set(looks)) == len(looks) == 21


def test_importing_the_reports_leaves_matplotlibs_settings_alone() -> None:
    code = (
        "import sys, matplotlib\n"
        "from facealign.recognition import report\n"
        "from facealign.reports import ced_figures, landmarks\n"
        "keys = ('font.size', 'svg.hashsalt', 'svg.fonttype')\n"
        "assert all(matplotlib.rcParams[k] == matplotlib.rcParamsDefault[k] for k in keys)\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
