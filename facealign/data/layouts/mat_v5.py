"""Arrays of numbers in MATLAB's files of version 5.

They are read here, since SciPy's reader ends the process on some damaged files. A file is a header
and elements; an element is a tag (type and number of bytes) and data, padded to eight bytes. A
variable is an element of elements, often compressed: flags, dimensions, name, real part.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facealign.core.errors import ArchiveError

MOST_BYTES = 2**26  # of a file, and of a variable in it
_HEADER, _TAG = 128, 8
_MATRIX, _COMPRESSED = 14, 15
_WHOLE = ("i1", "u1", "i2", "u2", "i4", "u4")  # as numbers are stored
_TYPES = dict(enumerate(_WHOLE, start=1)) | {7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMBERS = range(6, 16)  # classes of variables; the others are texts, cells, structures and so on

Element = tuple[int, bytes]  # its type and data


def load(path: Path) -> dict[str, np.ndarray]:
    """The variables that are arrays of numbers."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES:,} bytes")
        order = {b"IM": "<", b"MI": ">"}.get(data[126:_HEADER])
        if order is None or data[124:126] != struct.pack(f"{order}H", 0x100):
            raise ValueError("no header of this version")
        found = [_variable(one, order) for one in _elements(data[_HEADER:], order)]
    except (ValueError, struct.error, zlib.error) as error:
        raise ArchiveError(f"{path}: not a .mat file of version 5: {error}") from None
    return dict(one for one in found if one is not None)


def _elements(data: bytes, order: str) -> Iterator[Element]:
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        start = place + _TAG
        if kind >> 16:  # a small element: its size beside its type, its data in the tag
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
            place += _TAG
        else:
            # elements are padded, compressed ones are not
            place = start + (size if kind == _COMPRESSED else -(-size // 8) * 8)
        if start + size > min(len(data), place):
            raise ValueError("cut short")
        yield kind, data[start : start + size]


def _variable(element: Element, order: str) -> tuple[str, np.ndarray] | None:
    kind, data = element
    if kind == _COMPRESSED:
        unpacking = zlib.decompressobj()
        whole = unpacking.decompress(data, MOST_BYTES)
        if not unpacking.eof:
            raise ValueError(f"a variable that is cut short or has more than {MOST_BYTES:,} bytes")
        [(kind, data)] = _elements(whole, order)
    if kind != _MATRIX:
        return None
    flags, dimensions, name, *parts = _elements(data, order)
    if struct.unpack_from(f"{order}I", flags[1])[0] & 0xFF not in _NUMBERS:
        return None
    shape = tuple(_numbers(dimensions, order).tolist())
    values = _numbers(parts[0], order) if parts else np.array([])
    if len(parts) > 1 or min(shape, default=-1) < 0 or math.prod(shape) != len(values):
        raise ValueError(f"an array of {len(values)} numbers for the shape {shape}")
    return name[1].decode("ascii", errors="replace"), values.reshape(shape, order="F")


def _numbers(element: Element, order: str) -> np.ndarray:
    kind, data = element
    if kind not in _TYPES:
        raise ValueError(f"numbers of the type {kind}")
    return np.frombuffer(data, f"{order}{_TYPES[kind]}")
