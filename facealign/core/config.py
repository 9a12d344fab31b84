"""params.yaml as frozen dataclasses: every value that changes results, checked before any work.

Each section's dataclass is defined beside the code that reads it, so that a new option for the
plots does not change the code of the training. A field's annotation is its whole contract: type,
choices (`Literal`) and range (`Annotated[..., Range]`). A tuple is a list of at least one value; a
list, or a frozenset where the order does not matter, may be empty.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from facealign.core.errors import ConfigError, DependencyError

SECTIONS = (
    *("data", "demo", "detect", "label", "crop", "train", "predict", "dlib", "ced", "report"),
    "suspects",  # of no result: what people look at next
    "recognition",  # a pipeline of its own, stages/recognition/
)

Section = TypeVar("Section")

_WORDS = {int: "an integer", bool: "true or false", str: "a string"}
MOST_SHOWN = 200  # letters of a wrong value
MOST_VALUES = 100_000  # of a YAML file, aliases expanded; params.yaml has about a hundred


@dataclass(frozen=True)
class Range:
    low: float
    high: float = math.inf

    def __str__(self) -> str:
        above = f"of at least {self.low:g}"
        return above if math.isinf(self.high) else f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Named:
    """Of a mapping: it has the keys of `kinds()`; each key's dataclass describes its value."""

    what: str
    kinds: Callable[[], Mapping[str, type]]


Count = Annotated[int, Range(1, 100_000)]  # of epochs, of faces in a batch
Seed = Annotated[int, Range(0, 2**32 - 1)]
Share = Annotated[float, Range(0, 1)]


def load_all(path: Path = Path("params.yaml")) -> dict[str, Any]:
    """The whole file; only the names of its sections are checked."""
    values = load_yaml(path)
    if not isinstance(values, dict):
        raise _wrong(path, "the whole file", values, f"a mapping of {', '.join(SECTIONS)}")
    for name in values:
        if name not in SECTIONS:
            raise ConfigError(f"{path}: {unknown_name('section', str(name), SECTIONS)}")
    return values


def load_yaml(path: Path) -> Any:
    """The value in a YAML file; duplicate keys are errors, and so are aliases that stand for more
    values than MOST_VALUES."""
    try:
        import yaml  # a dependency of the pipeline only, not of finding landmarks
    except ModuleNotFoundError:
        raise DependencyError(f"{path}: YAML needs PyYAML: pip install pyyaml") from None

    class Loader(yaml.SafeLoader):
        def get_single_node(self) -> Any:
            node = super().get_single_node()
            if node is not None and _count_values(node) > MOST_VALUES:
                raise yaml.composer.ComposerError(
                    None, None, f"more than {MOST_VALUES:,} values", node.start_mark
                )
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                    raise yaml.constructor.ConstructorError(
                        None, None, f"duplicate key {key.value!r}", key.start_mark
                    )
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; run from the project's top folder") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{where}: not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except (ValueError, OverflowError) as error:  # an integer of 5,000 digits, month 13
        raise ConfigError(f"{path}: {error}") from None


def _count_values(node: Any) -> float:
    """How many values a YAML node holds once its aliases are expanded."""
    counts: dict[int, float] = {}

    def count(node: Any) -> float:
        if id(node) not in counts:
            counts[id(node)] = math.inf  # until it is known, so that a cycle is endless
            inner = node.value if isinstance(node.value, list) else []
            pairs = [
                part for item in inner for part in (item if isinstance(item, tuple) else [item])
            ]
            counts[id(node)] = 1 + sum(map(count, pairs))
        return counts[id(node)]

    return count(node)


def file_in(folder: Path, name: str, key: str) -> Path:
    """The file that the value `key` names, in the folder that the stage depends on."""
    path = Path(name)
    if folder not in path.parents or ".." in path.parts:
        raise ConfigError(f"params.yaml: {key} is {name!r}, expected a file in {folder}/")
    return path


def load_flat(without: Collection[str], path: Path = Path("params.yaml")) -> dict[str, Any]:
    """All values by their dotted names, except those of the sections `without`."""
    return flatten({name: value for name, value in load_all(path).items() if name not in without})


def load(
    section: str,
    kind: type[Section],
    path: Path = Path("params.yaml"),
    changes: Mapping[str, Any] | None = None,
) -> Section:
    """One section of the file, or one within it ("a.b"), as the dataclass `kind` describes it;
    with `changes` of some values, by their full names."""
    values: Any = load_all(path)
    for name, value in (changes or {}).items():
        *parents, last = name.split(".")
        within = values
        for parent in parents:
            within = within.setdefault(parent, {})
        within[last] = value
    return convert(_within(values, section, path), kind, section, path)


def load_part(section: str, kind: type[Section], path: Path = Path("params.yaml")) -> Section:
    """Those values of a section that the dataclass `kind` describes. The others are not looked at,
    so a stage need not depend on them."""
    values = _within(load_all(path), section, path)
    if isinstance(values, dict):
        wanted = {field.name for field in fields(kind)}  # type: ignore[arg-type]
        values = {name: value for name, value in values.items() if name in wanted}
    return convert(values, kind, section, path)


def _within(values: Any, section: str, path: Path) -> Any:
    for name in section.split("."):
        if not isinstance(values, dict) or name not in values:
            raise ConfigError(f"{path}: missing section: {section}")
        values = values[name]
    return values


def convert(values: Any, kind: type[Section], key: str, path: Path) -> Section:
    """`values` as the dataclass `kind` describes them; errors name `key` and `path`."""
    converted = _convert(values, kind, key, path)
    assert isinstance(converted, kind)
    return converted


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} -> {"a.b": 1}, the names that DVC uses."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def unknown_name(what: str, name: str, valid: Sequence[str]) -> str:
    """The text of an error: the closest valid name, then all of them."""
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f", did you mean {close[0]}?" if close else "."
    return f"unknown {what} {name!r}{hint} Valid: {', '.join(valid)}"


def _convert(value: Any, kind: Any, key: str, path: Path) -> Any:
    """`value` as the annotation `kind` wants it, or an error that names the key."""
    if is_dataclass(kind):
        return _section(value, kind, key, path)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated and isinstance(args[1], Named):
        return _mapping(value, args[1].kinds(), args[1].what, key, path)
    if origin is Annotated:
        number = _convert(value, args[0], key, path)
        if not args[1].low <= number <= args[1].high:
            raise _wrong(path, key, value, f"a number {args[1]}")
        return number
    if origin is Literal:
        # the types must agree as well: True == 1
        if not any(value == arg and type(value) is type(arg) for arg in args):
            raise _wrong(path, key, value, f"one of {', '.join(map(str, args))}")
        return value
    if origin in {tuple, list, frozenset}:
        if not isinstance(value, list) or (origin is tuple and not value):
            some = " of at least one value" if origin is tuple else ""
            raise _wrong(path, key, value, f"a list{some}")
        return origin(_convert(item, args[0], f"{key}[{i}]", path) for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            raise _wrong(path, key, value, "a mapping")
        return {name: _convert(its, args[1], f"{key}.{name}", path) for name, its in value.items()}
    if origin is UnionType:
        if type(value) not in args:
            raise _wrong(path, key, value, " or ".join(_WORDS[arg] for arg in args))
        return value
    if kind is float:
        return _number(value, key, path)
    if type(value) is not kind:  # not isinstance, since True is an int
        raise _wrong(path, key, value, _WORDS[kind])
    return value


def _section(value: Any, kind: Any, key: str, path: Path) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    kinds = {field.name: hints[field.name] for field in fields(kind)}
    return kind(**_mapping(value, kinds, "parameter", key, path))


def _mapping(
    value: Any, kinds: Mapping[str, Any], what: str, key: str, path: Path
) -> dict[str, Any]:
    """Exactly the names of `kinds`, each value as its annotation wants it."""
    valid = list(kinds)
    if not isinstance(value, dict):
        raise _wrong(path, key, value, f"a mapping of {', '.join(valid)}")
    for name in value:
        if name not in valid:
            said = unknown_name(what, str(name), valid)
            raise ConfigError(f"{path}: {key}: {said}")
    missing = [f"{key}.{name}" for name in valid if name not in value]
    if missing:
        raise ConfigError(f"{path}: missing parameters: {', '.join(missing)}")
    return {name: _convert(value[name], kinds[name], f"{key}.{name}", path) for name in valid}


def _number(value: Any, key: str, path: Path) -> float:
    try:
        # YAML 1.1 reads 1e-3 as a string, but a number is meant
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(path, key, value, "a number")
    return number


def _wrong(path: Path, key: str, value: Any, expected: str) -> ConfigError:
    shown = " ".join(repr(value).split())  # a tensor has several lines
    if len(shown) > MOST_SHOWN:
        shown = f"{shown[:MOST_SHOWN]}…"
    return ConfigError(f"{path}: {key} is {shown}, expected {expected}")
