"""dvc.yaml, the stages and the library's layers, held against each other."""

import ast
from pathlib import Path

import pytest
import yaml

from facealign import config
from facealign.config import SECTIONS

ROOT = Path(__file__).parents[1]
PIPELINES = {"": ROOT / "dvc.yaml", "recognition.": ROOT / "stages" / "recognition" / "dvc.yaml"}
STAGES = {  # by the name below `stages`
    prefix + name: stage
    for prefix, path in PIPELINES.items()
    for name, stage in yaml.safe_load(path.read_text(encoding="utf-8"))["stages"].items()
}
CHOSEN = {"${item.points}", "${item.loss}"}  # what a variant is called
SPEED = "metrics/speed.json"  # seconds differ from run to run: it can be nobody's out
NETWORK = "facealign/models/${train.arch}.py"

# A module may import from a lower layer, and from its own.
LAYERS = [
    {"errors", "files", "points", "geometry", "config", "recipe"},
    {"tables", "archive", "celeba", "course", "annotations", "sweeps", "experiments", "workspace"}
    | {"images", "drawing", "metrics", "parallel", "filtering", "synthesis", "document", "wording"}
    | {"duplicates", "charts", "translation"},
    {"detection", "augment", "dlib_baseline", "cropping", "evaluation", "contact_sheet", "pose"}
    | {
        "quality",
        "landmarks",
        "benchmark",
        "folders",
        "alignment",
        "video",
        "footage",
        "scoring",
        "gallery",
    },
    {"codecs", "losses", "layers", "models", "crops", "schedule", "device", "onnx_files"}
    | {"optimiser"},
    {"batches", "checkpoint", "training", "prediction", "export", "quantisation", "cost"}
    | {"release"},
    {"recognition"},
    {
        "markdown",
        "plotting",
        "comparison",
        "review",
        "findings",
        "report_plots",
        "report",
        "tracking",
        "zoo",
        "model_card",
    },
    {"cli", "__main__"},
]


def imported_files(path: Path) -> set[Path]:
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
    return found - {ROOT / "facealign" / "__init__.py"}  # says only the version


def closure(path: Path) -> set[Path]:
    seen: set[Path] = set()
    new = {path}
    while new:
        seen |= new
        new = set().union(*map(imported_files, new)) - seen
    return seen


def file_of(stage: str) -> Path:
    return ROOT.joinpath("stages", *stage.split(".")).with_suffix(".py")


def code_dependencies(stage: str) -> set[str]:
    files = {file.relative_to(ROOT).as_posix() for file in closure(file_of(stage))}
    if "facealign/models/__init__.py" in files:  # it imports the network that the params name
        networks = set((ROOT / "facealign" / "models").glob("*.py"))
        shared = set().union(*map(closure, networks)) - networks
        files |= {file.relative_to(ROOT).as_posix() for file in shared} | {NETWORK}
    return files


def section_of(param: str) -> str:
    """recognition.align and crop.size are of the sections recognition.align and crop."""
    depth = 2 if param.startswith("recognition.") else 1
    return ".".join(param.split(".")[:depth])


def module_name(path: Path) -> str:
    return path.relative_to(ROOT / "facealign").parts[0].removesuffix(".py")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_exactly_the_code_it_imports(stage: str) -> None:
    listed = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    assert listed == code_dependencies(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_the_command_names_the_stage_and_the_data_it_depends_on(stage: str) -> None:
    words = STAGES[stage]["cmd"].split()
    assert words[:3] == ["python", "-m", f"stages.{stage}"]
    outs = [
        out if isinstance(out, str) else next(iter(out)) for out in STAGES[stage].get("outs", [])
    ]
    data = [dep for dep in STAGES[stage]["deps"] if not dep.endswith(".py")]
    assert sorted(set(words[3:]) - {SPEED, *CHOSEN}) == sorted(data + outs)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_the_params_it_loads(stage: str) -> None:
    tree = ast.parse(file_of(stage).read_text(encoding="utf-8"))
    loaded = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func) == "config.load"
        and isinstance(node.args[0], ast.Constant)
    }
    listed = {section_of(param) for param in STAGES[stage].get("params", [])}
    # one shows them all, one logs them all but the language that they are reported in
    own = set(SECTIONS) - {"recognition"}
    all_of = {"report": own, "track": own - {"report"}}
    all_of["recognition.report"] = {"recognition", "report"}
    assert listed == all_of.get(stage, loaded)


def test_no_section_is_tracked_whole_that_has_a_key_which_the_run_cache_ignores() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for name, stage in STAGES.items():
        for section in stage.get("params", []):
            values = config.flatten(params).keys()
            keys = {key.split(".")[-1] for key in values if key.startswith(f"{section}.")}
            assert not {"size", "nfiles"} & keys, f"{name}: {section}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_tracks_all_params_of_a_section_it_loads(stage: str) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tracked = set(STAGES[stage].get("params", []))
    for section in {section_of(param) for param in tracked} - {"data"}:
        assert section in tracked or tracked >= {f"{section}.{key}" for key in params[section]}


def test_modules_import_from_lower_layers_only() -> None:
    layer = {name: height for height, names in enumerate(LAYERS) for name in names}
    files = [f for f in (ROOT / "facealign").rglob("*.py") if f != ROOT / "facealign/__init__.py"]
    assert {module_name(file) for file in files} == set(layer)
    for file in files:
        for other in imported_files(file):
            assert layer[module_name(other)] <= layer[module_name(file)], f"{file} imports {other}"


def test_the_core_knows_neither_dvc_nor_mlflow() -> None:
    for file in (ROOT / "facealign").rglob("*.py"):
        if file.stem not in ("tracking", "experiments"):
            text = file.read_text(encoding="utf-8")
            assert "import mlflow" not in text and "import dvc" not in text, file


def test_stages_are_thin() -> None:
    for stage in STAGES:
        text = file_of(stage).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60, stage
