"""Lists of experiments: a YAML mapping of names to the params that each changes.

all:                      # for each of them, if there is this key
  data.datasets: [300W, ytf]
onet:
  crop.size: 48           # dotted or nested, as one likes
  train: {arch: onet, epochs: 120}
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from facealign.core.config import flatten, unknown_name
from facealign.core.errors import FacealignError

SHARED = "all"
NO_FILES = {"none", "imagenet", "released"}  # what `train.init` may be but for a path
Values = dict[str, Any]  # full dotted name -> value

# what both Git, for a part of a reference, and DVC allow
_NAME = re.compile(r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*")
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


def load(path: Path) -> dict[str, Values]:
    """Each experiment's changes, those for all among them, in the order of the list."""
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
    except OSError as error:
        raise FacealignError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FacealignError(f"{path}: not YAML: {error}") from None
    if not isinstance(entries, dict) or not entries.keys() - {SHARED}:
        raise FacealignError(f"{path}: expected a mapping of names to params, at least one name")
    for name in entries:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith(".lock"):
            raise FacealignError(
                f"{path}: {name!r} cannot name an experiment, expected a text of letters, digits "
                "and _, with single . and - between them"
            )
    flat = {name: _flatten(values, f"{path}: {name}") for name, values in entries.items()}
    shared = flat.pop(SHARED, {})
    return {name: shared | values for name, values in flat.items()}


def named(experiments: Mapping[str, Values], names: Sequence[str], path: Path) -> dict[str, Values]:
    """Those of these names; all of them if there are none."""
    for name in names:
        if name not in experiments:
            raise FacealignError(f"{path}: {unknown_name('experiment', name, list(experiments))}")
    return {name: experiments[name] for name in names or experiments}


def check(experiments: Mapping[str, Values], params: Mapping[str, Any], path: Path) -> None:
    """Every name must be one of params.yaml: an experiment takes hours, a look takes none."""
    for name, values in experiments.items():
        for dotted in values:
            section, _, key = dotted.partition(".")
            if section not in params:
                said = unknown_name("section", section, list(params))
                raise FacealignError(f"{path}: {name}: {said}")
            valid = list(flatten(params[section]))
            if not key:
                raise FacealignError(
                    f"{path}: {name}: {section}: expected a mapping of {', '.join(valid)}"
                )
            if key not in valid:
                said = unknown_name("parameter", key, valid)
                raise FacealignError(f"{path}: {name}: {section}: {said}")


def initial_weights(values: Values) -> Path | None:
    """The file whose weights an experiment begins with, if it begins with one's."""
    init = values.get("train.init", "none")
    return None if init in NO_FILES else Path(init)


def overrides(values: Values) -> list[str]:
    """`name=value`, as `dvc exp run -S` reads it: the grammar of Hydra."""
    return [f"{name}={_text(value)}" for name, value in values.items()]


def different(values: Values, params: Mapping[str, Any]) -> list[str]:
    """The names whose values in params.yaml, as an experiment has it, are others than `values`."""
    known = flatten(params)
    return [
        dotted for dotted, value in values.items() if _number(known.get(dotted)) != _number(value)
    ]


def _flatten(values: Any, where: str) -> Values:
    if values is None:  # NAME: with nothing below it changes nothing
        return {}
    if not isinstance(values, dict):
        raise FacealignError(f"{where} is {values!r}, expected a mapping of params")
    flat: Values = {}
    for key, value in values.items():
        inner = (
            {f"{key}.{name}": below for name, below in _flatten(value, f"{where}: {key}").items()}
            if isinstance(value, dict) and value
            else {str(key): _plain(value, f"{where}: {key}")}
        )
        twice = flat.keys() & inner.keys()
        if twice:
            raise FacealignError(f"{where}: {', '.join(sorted(twice))} stands there twice")
        flat |= inner
    return flat


def _plain(value: Any, where: str) -> Any:
    """The value, if it is of a kind that params.yaml may hold."""
    if isinstance(value, list):
        return [_plain(item, where) for item in value]
    if isinstance(value, str):
        if "${" in value:  # DVC would look for a parameter of this name
            raise FacealignError(f"{where} is {value!r}: ${{...}} is not possible here")
        return _number(value)
    if value is not None and not isinstance(value, bool | int | float):
        raise FacealignError(f"{where} is {value!r}, expected a number, text, bool, null or list")
    return value


def _number(value: Any) -> Any:
    """YAML 1.1 reads 1e-3 as a text; whoever writes it, or DVC, means the number."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, str):
        # quoted, a text stays one, whatever it looks like; Hydra takes backslashes for themselves
        # but in front of a quote
        quoted = re.sub(r"(\\*)('|\Z)", lambda m: 2 * m[1] + m[2].replace("'", "\\'"), value)
        return f"'{quoted}'"
    return repr(value)


class _Loader(yaml.SafeLoader):
    """YAML that refuses a name which stands there twice; PyYAML drops the first without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} stands there twice", node.start_mark
                )
        return super().construct_mapping(node, deep)
