"""dvc.yaml, the stages and the order of the packages, checked against each other."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml

from facealign.core import config
from facealign.core.config import SECTIONS
from tests.helpers import PARAMS, ROOT

PIPELINES = {"": ROOT / "dvc.yaml", "recognition.": ROOT / "stages" / "recognition" / "dvc.yaml"}
STAGES = {  # by the name below `stages`
    prefix + name: stage
    for prefix, path in PIPELINES.items()
    for name, stage in yaml.safe_load(path.read_text(encoding="utf-8"))["stages"].items()
}
CHOSEN = {"${item.points}", "${item.loss}"}  # the parts of a variant's name
SPEED = "metrics/speed.json"  # seconds differ from run to run, so it is no stage's output
MOST_DEPS = 13
NETWORK = "facealign/models/${train.arch}.py"
NETWORKS = sorted(ROOT.glob("facealign/models/[a-z]*.py"))


def packages() -> dict[str, list[set[str]]]:
    """The table of docs/architecture.md: each package, lowest first, and the stages of the two
    pipelines that an edit of it makes stale."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+)` \|[^|]+\|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)
    return {name: [set(re.findall(r"`(\w+)`", cell)) for cell in cells] for name, *cells in rows}


@cache
def imported_files(path: Path) -> frozenset[Path]:
    """The project's own files that a file imports, wherever in it the import stands."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            module = ROOT.joinpath(*name.split("."))
            for file in (module.with_suffix(".py"), module / "__init__.py"):
                if file.is_file():
                    found.add(file)
    return frozenset(found - {ROOT / "facealign" / "__init__.py"})  # loads names on demand


def closure(path: Path) -> set[Path]:
    seen: set[Path] = set()
    new = {path}
    while new:
        seen |= new
        new = set().union(*map(imported_files, new)) - seen
    return seen


def file_of(stage: str) -> Path:
    return ROOT.joinpath("stages", *stage.split(".")).with_suffix(".py")


def code_of(stage: str, network: Path) -> set[str]:
    """What a stage runs if `train.arch` names this network: files that are not just a docstring."""
    files = closure(file_of(stage))
    if ROOT / "facealign" / "models" / "__init__.py" in files:  # it imports what the params name
        files |= closure(network)
    return {file.relative_to(ROOT).as_posix() for file in files if has_code(file)}


def has_code(file: Path) -> bool:
    return len(ast.parse(file.read_text(encoding="utf-8")).body) > 1


def code_deps(stage: str) -> list[str]:
    return [dep for dep in STAGES[stage]["deps"] if dep.startswith(("facealign/", "stages/"))]


def covers(dep: str, file: str) -> bool:
    return file == dep or file.startswith(f"{dep}/")


def section_of(param: str) -> str:
    """recognition.align and crop.size are of the sections recognition.align and crop."""
    depth = 2 if param.startswith("recognition.") else 1
    return ".".join(param.split(".")[:depth])


@pytest.mark.parametrize("network", NETWORKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs(stage: str, network: Path) -> None:
    deps = [dep.replace("${train.arch}", network.stem) for dep in code_deps(stage)]
    code = code_of(stage, network)
    assert not [file for file in code if not any(covers(dep, file) for dep in deps)]
    assert not [dep for dep in deps if not any(covers(dep, file) for file in code)]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_few_dependencies(stage: str) -> None:
    assert len(STAGES[stage]["deps"]) <= MOST_DEPS


@pytest.mark.parametrize("stage", STAGES)
def test_the_command_names_the_stage_and_the_data_it_depends_on(stage: str) -> None:
    words = STAGES[stage]["cmd"].split()
    assert words[:3] == ["python", "-m", f"stages.{stage}"]
    outs = [
        out if isinstance(out, str) else next(iter(out)) for out in STAGES[stage].get("outs", [])
    ]
    data = [dep for dep in STAGES[stage]["deps"] if dep not in code_deps(stage)]
    assert sorted(set(words[3:]) - {SPEED, *CHOSEN}) == sorted(data + outs)


def sections_loaded(stage: str, function: str = "config.load") -> dict[str, str]:
    """What a stage loads so: section -> name of the dataclass."""
    tree = ast.parse(file_of(stage).read_text(encoding="utf-8"))
    return {
        node.args[0].value: ast.unparse(node.args[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func) == function
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_the_params_it_loads(stage: str) -> None:
    loaded = {*sections_loaded(stage), *sections_loaded(stage, "config.load_part")}
    listed = {section_of(param) for param in STAGES[stage].get("params", [])}
    # one shows them all, one logs them all but the language that they are reported in
    own = set(SECTIONS) - {"recognition", "suspects"}  # a ranking changes no result
    all_of = {"report": own, "track": own - {"report"}}
    all_of["recognition.report"] = {"recognition", "report"}
    assert listed == all_of.get(stage, loaded)


def test_no_section_is_tracked_whole_that_has_a_key_which_the_run_cache_ignores() -> None:
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    for name, stage in STAGES.items():
        for section in stage.get("params", []):
            values = config.flatten(params).keys()
            keys = {key.split(".")[-1] for key in values if key.startswith(f"{section}.")}
            assert not {"size", "nfiles"} & keys, f"{name}: {section}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_tracks_all_params_of_a_section_it_loads(stage: str) -> None:
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    tracked = set(STAGES[stage].get("params", []))
    parts = sections_loaded(stage, "config.load_part")
    for section, kind in parts.items():
        names = get_type_hints(getattr(importlib.import_module(f"stages.{stage}"), kind))
        assert {f"{section}.{name}" for name in names} == {
            param for param in tracked if section_of(param) == section
        }
    for section in {section_of(param) for param in tracked} - {"data", *parts}:
        assert section in tracked or tracked >= {f"{section}.{key}" for key in params[section]}


def test_nothing_lies_outside_the_packages() -> None:
    here = {path.name for path in (ROOT / "facealign").iterdir() if path.name != "__pycache__"}
    assert here == {"__init__.py", "__main__.py", "py.typed", "weights", *packages()}


def test_packages_import_from_those_below_only() -> None:
    height = {name: number for number, name in enumerate(packages())}
    for name in height:
        for file in (ROOT / "facealign" / name).rglob("*.py"):
            for other in imported_files(file):
                package = other.relative_to(ROOT / "facealign").parts[0]
                assert height[package] <= height[name], f"{file} imports {other}"


def test_the_architecture_says_which_stages_an_edit_makes_stale() -> None:
    for name, (landmarks, recognition) in packages().items():
        folder = f"facealign/{name}"
        stale = {s for s in STAGES if any(covers(folder, dep) for dep in code_deps(s))}
        assert landmarks == {stage for stage in stale if "." not in stage}, name
        people = {stage.split(".")[1] for stage in stale if "." in stage}
        assert recognition == people, name


@pytest.mark.parametrize("package", ["reports", "inference", "experiments", "cli", "synthesis"])
def test_an_edit_above_the_training_never_retrains(package: str) -> None:
    assert not packages()[package][0] & {"detect", "crop", "train", "predict"}


def test_the_core_knows_neither_dvc_nor_mlflow() -> None:
    for file in (ROOT / "facealign").rglob("*.py"):
        if file.stem not in ("tracking", "revisions"):
            text = file.read_text(encoding="utf-8")
            assert "import mlflow" not in text and "import dvc" not in text, file


def test_stages_holds_the_stages_only() -> None:
    files = {file for file in (ROOT / "stages").rglob("*.py") if file.stem != "__init__"}
    assert files == set(map(file_of, STAGES))


def test_stages_are_thin() -> None:
    for stage in STAGES:
        text = file_of(stage).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60, stage
