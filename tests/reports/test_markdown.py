from typing import Any

from facealign.reports.markdown import results_table, zoo_table

MODEL: dict[str, Any] = {
    "auc_08": 0.61234,
    "auc_08_ci95": [0.6004, 0.6251],
    "auc_100": 0.9712,
    "fr_08": 0.0345,
    "fr_100": 0.0,
    "nme": 0.02876,
    "nme_interocular": 0.05,
    "images": 201,
    "undetected": 1,
    "auc_08_all": 0.6,
}
NOTHING: dict[str, Any] = dict.fromkeys(MODEL) | {"images": 0, "undetected": 12}
CED = {"300W": {"model": MODEL}, "Menpo": {"dlib": NOTHING}}


def test_the_table_is_aligned_and_figures_go_to_the_right() -> None:
    head, ruler, *rows = results_table(CED).splitlines()
    assert head.startswith("| data set | method | AUC@0.08 | 95 % interval |")
    assert ruler.startswith("| -------- | ------ | -------: | ------------: |")
    assert rows[0].startswith("| 300W     | model  |   0.6123 |   0.600–0.625 |")
    assert rows[0].endswith(
        "|          0.6000 |  0.9712 |   3.5 % | 0.0288 |    201 |          1 |"
    )
    assert "|        — |             — |" in rows[1]
    assert rows[1].endswith("|      0 |         12 |")
    assert {len(line) for line in (head, ruler, *rows)} == {len(head)}


def test_a_table_of_nothing_is_its_head() -> None:
    assert len(results_table({}).splitlines()) == 2


def test_methods_stay_in_their_order() -> None:
    lines = results_table({"all": {"model": MODEL, "dlib": NOTHING, "b": MODEL}}).splitlines()[2:]
    assert [line.split()[3] for line in lines] == ["model", "dlib", "b"]


def test_dlib_trained_here_is_called_so() -> None:
    [line] = results_table({"all": {"dlib-trained": MODEL}}).splitlines()[2:]
    assert line.startswith("| all      | dlib, trained here |")


ZOO: dict[str, Any] = {
    "networks": {
        "onet": {
            "input": 48,
            "parameters": 389040,
            "megabytes": 1.5678,
            "cpu_ms": 0.7312,
            "figures": {"300W": MODEL, "ytf": MODEL | {"auc_08": 0.4, "fr_08": 0.25}},
        },
        "hourglass": {
            "input": 128,
            "parameters": None,
            "megabytes": 25.0,
            "cpu_ms": None,
            "figures": {"300W": MODEL | {"auc_08": 0.7}, "ytf": NOTHING},
        },
    },
    "dlib": {
        "megabytes": 99.7,
        "cpu_ms": 2.84,
        "figures": {"300W": MODEL | {"auc_08": 0.8}, "ytf": MODEL},
    },
}


def test_the_zoos_table_has_a_row_a_network_and_dlib_last() -> None:
    head, ruler, *rows = zoo_table(ZOO, ["300W", "ytf"]).splitlines()
    cells = [[cell.strip() for cell in row.strip("| ").split("|")] for row in (head, *rows)]
    assert cells[0][:3] == ["network", "file, MB", "CPU, ms a face"]
    assert cells[0][3:7] == ["300W AUC@0.08", "FR@0.08", "NME", "ytf AUC@0.08"]
    assert cells[1][:6] == ["onet", "1.6", "0.7", "0.6123 (0.600–0.625)", "3.5 %", "0.0288"]
    assert cells[1][6:] == ["0.4000 (0.600–0.625)", "25.0 %", "0.0288"]
    assert cells[3][:4] == ["dlib", "99.7", "2.8", "0.8000 (0.600–0.625)"]
    assert {len(line) for line in (head, ruler, *rows)} == {len(head)}
    assert ruler.startswith("| --------- | -------: |")


def test_what_is_not_known_of_a_network_is_a_dash() -> None:
    *_, hourglass, dlib = zoo_table(ZOO, ["300W", "ytf"]).splitlines()
    assert [cell.strip() for cell in hourglass.split("|")[2:4]] == ["25.0", "—"]
    assert [cell.strip() for cell in hourglass.split("|")[7:10]] == ["—"] * 3
    assert "99.7" in dlib


def test_the_zoos_table_shows_the_data_sets_asked_for() -> None:
    assert "ytf" not in zoo_table(ZOO, ["300W"])
