"""The documentation against the project: links, commands, parameters, figures, and the site."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

import facealign
from facealign.core import config
from tests.helpers import PARAMS, ROOT
from tests.project.documents import DOCUMENTS, Block, blocks, commands

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
EXCUSED = [block for block in BLOCKS if block.excuse is not None]
COMMANDS = [
    (block, command) for block in BLOCKS if block.language == "bash" for command in commands(block)
]

FILES = (".csv", ".html", ".json", ".jsonl", ".pdf", ".yaml")  # no parameters


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def figures(text: str) -> list[list[str]]:
    """The cells of each line of a table."""
    rows = re.findall(r"^\|(.*)\|$", text, re.M)
    return [[cell.strip() for cell in row.split("|")] for row in rows]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), target


def test_pages_named_in_code_exist() -> None:
    listed = subprocess.run(
        ["git", "grep", "-Eoh", r"docs/[A-Za-z/-]+\.md"], cwd=ROOT, capture_output=True, text=True
    )
    named = set(listed.stdout.split())
    assert named and {name for name in named if not (ROOT / name).is_file()} == set()


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 150


def test_each_block_names_its_language() -> None:
    assert {block.language for block in BLOCKS} == {"bash", "python", "json", "text", "yaml"}
    for document in DOCUMENTS:
        outside = re.sub(
            r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.M | re.S
        )
        indented = re.findall(r"^ {4}(?:dvc|facealign|git|make|python) .*", outside, re.M)
        assert not indented, f"{document.name}: commands belong into a fenced block: {indented}"


@pytest.mark.parametrize("block", EXCUSED, ids=str)
def test_a_block_that_is_not_run_says_why(block: Block) -> None:
    assert block.excuse and len(block.excuse.split()) >= 3
    assert block.language in ("bash", "python"), "only these are run at all"


def test_every_excuse_stands_above_a_block() -> None:
    excuses = sum(
        document.read_text(encoding="utf-8").count("<!-- not run") for document in DOCUMENTS
    )
    assert excuses == len(EXCUSED) + 1  # CONTRIBUTING.md quotes one


def test_makes_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M)) | {".venv/installed"}
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        named = re.findall(r"(?:`|^|&& )make ([a-z./-]+)", text, re.M)
        assert set(named) <= targets, document.name


def test_parameters_exist() -> None:
    known = config.flatten(config.load_all(PARAMS)).keys()
    named = {
        name: block
        for block, command in COMMANDS
        for name in re.findall(r"-S '?([a-z0-9_.]+)=", command)
    }
    assert len(named) > 20
    unknown = {name: str(block) for name, block in named.items() if name not in known}
    assert unknown == {}


def test_parameters_in_sentences_exist() -> None:
    names = [name.split(".") for name in config.flatten(config.load_all(PARAMS))]
    known = {".".join(parts[:depth]) for parts in names for depth in range(2, len(parts) + 1)}
    quoted = re.compile(rf"`((?:{'|'.join(config.SECTIONS)})\.[a-z0-9_.]+)[`=]")
    for document in DOCUMENTS:
        if document.name == "CHANGELOG.md":  # it names those of before, too
            continue
        named = quoted.findall(document.read_text(encoding="utf-8"))
        parameters = {name for name in named if not name.endswith(FILES)}
        assert {name for name in parameters if name not in known} == set(), document.name


@cache
def help_of(*command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "facealign", *command, "--help"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_options_and_modules_exist() -> None:
    checked = 0
    for block, command in COMMANDS:
        words = shlex.split(command)
        if words[0] == "facealign" and not words[1].startswith("-"):
            options = [word for word in words[2:] if word.startswith("--")]
            actions = [word for word in words[2:3] if f"\n    {word} " in help_of(words[1])]
            said = help_of(words[1], *actions)
            assert all(option in said for option in options), f"{block}: {command}"
            checked += 1
        elif words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]), f"{block}: {words[2]}"
            checked += 1
    assert checked > 20


def test_the_readme_has_the_model_cards_figures() -> None:
    card = figures(read("MODEL_CARD.md").split("### By data set")[1])
    measured = {(row[0], row[1]): row for row in card if len(row) == 8}
    sizes = {row[0]: row[-1] for row in figures(read("MODEL_CARD.md")) if len(row) == 5}
    rows = [row for row in figures(read("README.md")) if len(row) == 7][2:]
    assert len(rows) == 5
    for row in rows:
        name = row[0].split()[0].strip("`,").removesuffix("'s")
        for dataset, cells in (("300W", row[1:3]), ("ytf", row[3:5])):
            auc, nme = measured[dataset, name][2].split()[0], measured[dataset, name][5]
            assert cells == [auc, nme], f"{name} on {dataset}"
        assert row[5] == sizes.get(name, "99.7")


def test_the_readme_has_the_demos_table() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "facealign.experiments.results", "metrics/ced.json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert figures(printed)[2:] == [row for row in figures(read("README.md")) if len(row) == 10][2:]


def test_the_changelog_has_the_version() -> None:
    versions = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.M)
    assert facealign.__version__ in versions[:2]


def test_the_citation_has_what_the_format_requires() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation.keys() >= {"message", "title", "authors"} and citation["type"] == "software"
    assert all(set(author) == {"name"} for author in citation["authors"])


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """A dead link or anchor, or a page that is missing in the navigation, is an error."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--site-dir",
            str(tmp_path),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    pages = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.html")}
    assert "facealign predict [-h]" in pages["reference/command-line/index.html"].read_text()
    assert "predict_batch" in pages["reference/python/index.html"].read_text()
    for name, page in pages.items():
        loaded = re.findall(
            r"<(?:script|link|img)[^>]*(?:src|href)=\"?(https?:[^\s\"]*)", page.read_text()
        )
        assert not loaded, f"{name} loads {loaded}"
