"""Lists of experiments: a YAML mapping from names to the params that each experiment changes.

all:                      # optional: applies to every experiment
  data.datasets: [300W, ytf]
onet:
  crop.size: 48           # keys may be dotted or nested
  train: {arch: onet, epochs: 120}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facealign.core.config import flatten, load_yaml, unknown_name
from facealign.core.errors import ConfigError

SHARED = "all"
NOT_FILES = {"none", "imagenet", "released"}  # the values of `train.init` that are not paths
Values = dict[str, Any]  # full dotted name -> value

# allowed both by DVC and by Git as part of a reference
_NAME = re.compile(r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*")
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


def load(path: Path) -> dict[str, Values]:
    """The changes of each experiment, including those of `all`, in the order of the list."""
    entries = load_yaml(path)
    if not isinstance(entries, dict) or not entries.keys() - {SHARED}:
        raise ConfigError(f"{path}: expected a mapping of names to params, at least one name")
    for name in entries:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith(".lock"):
            raise ConfigError(
                f"{path}: {name!r} cannot name an experiment, expected a text of letters, digits "
                "and _, with single . and - between them"
            )
    flat = {name: _flatten(values, f"{path}: {name}") for name, values in entries.items()}
    shared = flat.pop(SHARED, {})
    return {name: shared | values for name, values in flat.items()}


def named(experiments: Mapping[str, Values], names: Sequence[str], path: Path) -> dict[str, Values]:
    """The experiments of these names, or all of them if no name is given."""
    for name in names:
        if name not in experiments:
            raise ConfigError(f"{path}: {unknown_name('experiment', name, list(experiments))}")
    return {name: experiments[name] for name in names or experiments}


def check(experiments: Mapping[str, Values], params: Mapping[str, Any], path: Path) -> None:
    """Refuse params that params.yaml does not have, and values of other types than it has, before
    an experiment runs for hours."""
    for name, values in experiments.items():
        for dotted, value in values.items():
            section, _, key = dotted.partition(".")
            if section not in params:
                message = unknown_name("section", section, list(params))
                raise ConfigError(f"{path}: {name}: {message}")
            valid = list(flatten(params[section]))
            if not key:
                raise ConfigError(
                    f"{path}: {name}: {section}: expected a mapping of {', '.join(valid)}"
                )
            if key not in valid:
                message = unknown_name("parameter", key, valid)
                raise ConfigError(f"{path}: {name}: {section}: {message}")
            expected = _type_name(flatten(params[section])[key])
            if _type_name(value) != expected:
                raise ConfigError(f"{path}: {name}: {dotted} is {value!r}, expected {expected}")


def initial_weights(values: Values) -> Path | None:
    """The file with the weights that an experiment starts from, if any."""
    init = values.get("train.init", "none")
    return None if init in NOT_FILES else Path(init)


def overrides(values: Values) -> list[str]:
    """`name=value` in the grammar of Hydra, for `dvc exp run -S`."""
    return [f"{name}={_text(value)}" for name, value in values.items()]


def different(values: Values, params: Mapping[str, Any]) -> list[str]:
    """The names whose value differs from that in `params`, the params.yaml of an experiment."""
    known = flatten(params)
    return [
        dotted for dotted, value in values.items() if _number(known.get(dotted)) != _number(value)
    ]


def _flatten(values: Any, where: str) -> Values:
    if values is None:  # `NAME:` alone: an experiment without changes
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{where} is {values!r}, expected a mapping of params")
    flat: Values = {}
    for key, value in values.items():
        inner = (
            {f"{key}.{name}": below for name, below in _flatten(value, f"{where}: {key}").items()}
            if isinstance(value, dict) and value
            else {str(key): _plain(value, f"{where}: {key}")}
        )
        if repeated := flat.keys() & inner.keys():
            raise ConfigError(f"{where}: duplicate key {', '.join(sorted(repeated))}")
        flat |= inner
    return flat


def _plain(value: Any, where: str) -> Any:
    """The value, if params.yaml may hold one of its type."""
    if isinstance(value, list):
        return [_plain(item, where) for item in value]
    if isinstance(value, str):
        if "${" in value:  # DVC would interpolate it
            raise ConfigError(f"{where} is {value!r}: ${{...}} is not supported here")
        return _number(value)
    if value is not None and not isinstance(value, bool | int | float):
        raise ConfigError(f"{where} is {value!r}, expected a number, text, bool, null or list")
    return value


def _number(value: Any) -> Any:
    """YAML 1.1 reads 1e-3, which DVC writes too, as a text; the number is meant."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _type_name(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return names.get(type(_number(value)), "null" if value is None else "a text")


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, str):
        # quotes keep a text a text; Hydra treats a backslash as an escape only before a quote
        quoted = re.sub(r"(\\*)('|\Z)", lambda m: 2 * m[1] + m[2].replace("'", "\\'"), value)
        return f"'{quoted}'"
    return repr(value)
