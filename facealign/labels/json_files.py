"""JSON files whose values know their place, for errors, and keep all digits of their numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from facealign.core.errors import AnnotationError
from facealign.core.text import printable
from facealign.labels.faces import read_bytes
from facealign.labels.pixels import decimal


@dataclass(frozen=True)
class Json:
    """A value of a file; `key` leads to it."""

    path: Path
    key: str
    value: Any

    def __getitem__(self, name: str) -> Json:
        found = self.get(name)
        if found is None:
            raise AnnotationError(f"{self}: no {name!r}")
        return found

    def get(self, name: str) -> Json | None:
        """The value of an object, if it is there and not null."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        value = self.value.get(name)
        return None if value is None else self._inner(f".{name}", value)

    def items(self) -> list[Json]:
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return [self._inner(f"[{number}]", value) for number, value in enumerate(self.value)]

    def entries(self) -> dict[str, Json]:
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return {name: self._inner(f".{name}", value) for name, value in self.value.items()}

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        return self.value

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def number(self) -> Decimal:
        try:
            if isinstance(self.value, Decimal):
                return decimal(str(self.value))
        except ArithmeticError:
            pass
        raise self.wrong("a number")

    def whole(self, low: int = 0, high: int = 10**9) -> int:
        number = self.number()
        if not low <= number <= high or number != int(number):
            raise self.wrong(f"a whole number from {low} to {high}")
        return int(number)

    def wrong(self, expected: str) -> AnnotationError:
        return AnnotationError(f"{self} is {_shown(self.value)}, expected {expected}")

    def __str__(self) -> str:
        return f"{self.path}: {printable(self.key)[-200:].lstrip('.') or 'the whole file'}"

    def _inner(self, step: str, value: Any) -> Json:
        return Json(self.path, f"{self.key}{step[:60]}", value)


def load(path: Path) -> Json:
    try:
        value = json.loads(
            read_bytes(path).decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise AnnotationError(f"{path}: not JSON: {printable(str(error))[:200]}") from None
    return Json(path, "", value)


def text(value: Any, indent: str = "") -> str:
    """As JSON, on a line if it is short; Python's own writer has no decimals."""
    inner = f"{indent} "
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            parts = [
                f"{json.dumps(k, ensure_ascii=False)}: {text(v, inner)}" for k, v in value.items()
            ]
            return _joined(parts, "{}", indent)
        case list() | tuple():
            return _joined([text(part, inner) for part in value], "[]", indent)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _joined(parts: Iterable[str], ends: str, indent: str) -> str:
    line = ", ".join(parts := list(parts))
    if len(line) < 100 and "\n" not in line:
        return f"{ends[0]}{line}{ends[1]}"
    return f"{ends[0]}\n{indent} " + f",\n{indent} ".join(parts) + f"\n{indent}{ends[1]}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two keys {twice[:40]!r} in one object")
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _shown(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case Decimal():
            return str(value)[:40]
        case str():
            return repr(printable(value[:40]))
    return json.dumps(value)
