import copy
from typing import Any

import pytest

from facealign.core.errors import FacealignError
from facealign.experiments.zoo import Network, require_same_dlib, summarise

DLIB: dict[str, Any] = {"auc_08": 0.8, "auc_08_ci95": [0.78, 0.82], "images": 9, "nme": 0.016}
NOTHING: dict[str, Any] = dict.fromkeys(DLIB) | {"images": 0}


def network(name: str, **changes: dict[str, Any]) -> Network:
    """One whose dlib has these changes, by data set."""
    ced = {
        "300W": {"model": {"auc_08": 0.6}, "dlib": DLIB},
        "Menpo": {"model": {"auc_08": None}, "dlib": NOTHING},
    }
    ced = copy.deepcopy(ced)
    for dataset, figures in changes.items():
        ced[dataset.removeprefix("on_")]["dlib"] |= figures
    return Network(name, "c0ffee", 48, 1000, 0.25, None, ced, {})


def test_the_summary_holds_each_network_and_dlib_once() -> None:
    both = summarise([network("onet"), network("pipnet")], {"megabytes": 99.7, "cpu_ms": 2.8})
    assert list(both["networks"]) == ["onet", "pipnet"]
    assert both["networks"]["onet"] == {
        "commit": "c0ffee",
        "input": 48,
        "parameters": 1000,
        "megabytes": 0.25,
        "cpu_ms": None,
        "figures": {"300W": {"auc_08": 0.6}, "Menpo": {"auc_08": None}},
    }
    assert both["dlib"] == {
        "megabytes": 99.7,
        "cpu_ms": 2.8,
        "figures": {"300W": DLIB, "Menpo": NOTHING},
    }


def test_another_machines_last_bits_are_no_difference() -> None:
    other = {"auc_08": 0.8 + 1e-9, "auc_08_ci95": [0.78, 0.82 - 1e-9]}
    require_same_dlib([network("onet"), network("pipnet", on_300W=other)])


@pytest.mark.parametrize(
    ("dataset", "change"),
    [
        ("on_300W", {"auc_08": 0.8001}),
        ("on_300W", {"auc_08_ci95": [0.78, 0.83]}),
        ("on_300W", {"images": 8}),
        ("on_Menpo", {"auc_08": 0.5}),
    ],
)
def test_other_figures_of_dlib_are_an_error_that_names_them(
    dataset: str, change: dict[str, Any]
) -> None:
    networks = [network("onet"), network("yinnet"), network("pipnet", **{dataset: change})]
    [key] = change
    said = rf"dlib's {key} on {dataset[3:]} is .* in onet and .* in pipnet: they were not measured"
    with pytest.raises(FacealignError, match=said):
        require_same_dlib(networks)


def test_other_data_sets_are_an_error_that_names_them() -> None:
    alone = network("pipnet")
    less = Network(**vars(alone) | {"ced": {"300W": alone.ced["300W"]}})
    said = "onet was measured on 300W, Menpo, pipnet on 300W: they cannot be compared"
    with pytest.raises(FacealignError, match=said):
        require_same_dlib([network("onet"), less])
