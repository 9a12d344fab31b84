"""The errors that a user can catch, held against the code."""

import ast
import re
from pathlib import Path

import facealign
from facealign.core import errors
from tests.helpers import ROOT

FILES = sorted((ROOT / "facealign").rglob("*.py"))


def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def test_all_errors_are_in_the_tree_and_public() -> None:
    defined = {name for name, its in vars(errors).items() if isinstance(its, type)}
    assert defined == set(re.findall(r"(\w+Error)", errors.__doc__ or ""))
    assert defined == {name for name in facealign.__all__ if name.endswith("Error")}
    for name in defined:
        assert issubclass(getattr(errors, name), errors.FacealignError)


def test_the_tree_is_drawn_as_it_is() -> None:
    lines = re.findall(r"^([├└│─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    parents: list[str] = []
    for branch, name in lines:
        depth = len(branch) // 4
        parents[depth:] = [name]
        base = "Exception" if depth == 0 else parents[depth - 1]
        assert getattr(errors, name).__base__.__name__ == base
    assert len(lines) == 11


def test_no_other_module_defines_an_error() -> None:
    for path in FILES:
        if path == ROOT / "facealign" / "core" / "errors.py":
            continue
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                assert not [b for b in bases if b.endswith(("Error", "Exception"))], (
                    f"{path}: {node.name}"
                )


def test_the_base_class_is_not_raised() -> None:
    for path in FILES:
        raised = [
            node.lineno
            for node in nodes(path)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "FacealignError"
        ]
        assert not raised, f"{path}: lines {raised}"
