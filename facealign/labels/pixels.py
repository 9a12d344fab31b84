"""Coordinates of tools that measure from the image's upper left corner, half a pixel further out
than the centre of the first pixel, which is 0 here. Converted with decimals, without rounding."""

from __future__ import annotations

from decimal import Context, Decimal
from math import isfinite

_EXACT = Context(prec=800)  # enough for the digits of any float
_HALF = Decimal("0.5")
# A percentage of an image's side may have endless digits. With these a coordinate of up to 20
# decimals comes back unchanged: any of at least 0.001 pixels, as floats have 17 digits.
_PERCENT_DIGITS, _PIXEL_DIGITS = Decimal("1e-30"), Decimal("1e-20")


def decimal(text: str) -> Decimal:
    """ArithmeticError if it is not a number, or none that a float can hold."""
    number = _EXACT.create_decimal(text)
    if not isfinite(number):
        raise ArithmeticError
    return number


def from_corner(distance: Decimal) -> float:
    return float(_EXACT.subtract(distance, _HALF))


def to_corner(coordinate: float) -> Decimal:
    return _EXACT.add(Decimal(repr(coordinate)), _HALF)


def from_percent(percent: Decimal, side: int) -> float:
    pixels = _EXACT.divide(_EXACT.multiply(percent, Decimal(side)), Decimal(100))
    return float(_EXACT.quantize(_EXACT.subtract(pixels, _HALF), _PIXEL_DIGITS))


def to_percent(coordinate: float, side: int) -> Decimal:
    return share(to_corner(coordinate), side)


def share(length: Decimal, side: int) -> Decimal:
    """A length in pixels as a percentage of an image's side."""
    percent = _EXACT.divide(_EXACT.multiply(length, Decimal(100)), Decimal(side))
    return _EXACT.normalize(_EXACT.quantize(percent, _PERCENT_DIGITS))
