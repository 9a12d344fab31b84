from typing import Any

from facealign.report import results_table

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
    assert rows[0].endswith("|  0.9712 |   3.5 % | 0.0288 |    201 |          1 |")
    assert "|        – |             – |" in rows[1]
    assert rows[1].endswith("|      0 |         12 |")
    assert {len(line) for line in (head, ruler, *rows)} == {len(head)}


def test_a_table_of_nothing_is_its_head() -> None:
    assert len(results_table({}).splitlines()) == 2


def test_methods_stay_in_their_order() -> None:
    lines = results_table({"all": {"model": MODEL, "dlib": NOTHING, "b": MODEL}}).splitlines()[2:]
    assert [line.split()[3] for line in lines] == ["model", "dlib", "b"]
