"""Rendering of curved, textured sheets: camera, lights, shadows and a depth buffer.

Colours are linear RGB in float32, the squares of the values in a file, so that light adds up. Every
object is a sheet: a grid of places in space. Its texture has the same orientation.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facealign.synthesis import exact, planes

FAR = -1e6


@dataclass(frozen=True)
class Camera:
    """Millimetres (x right, y down, z towards the viewer) -> pixels and depth."""

    scale: float  # pixels per millimetre at z = 0
    centre: tuple[float, float]  # pixel of x = y = 0
    distance: float  # millimetres from z = 0

    def __call__(self, places: np.ndarray) -> np.ndarray:
        zoom = self.scale / (1 - places[..., 2] / self.distance)
        x = places[..., 0] * zoom + self.centre[0]
        y = places[..., 1] * zoom + self.centre[1]
        return np.stack([x, y, places[..., 2]], axis=-1)

    def halved(self) -> Camera:
        """The same view at half the resolution."""
        x, y = self.centre
        return Camera(self.scale / 2, (x / 2 - 0.25, y / 2 - 0.25), self.distance)


@dataclass(frozen=True, eq=False)
class Lamp:
    direction: np.ndarray  # unit vector towards it
    colour: np.ndarray  # (3,)


@dataclass(frozen=True, eq=False)
class Lighting:
    key: Lamp  # the one that casts shadows
    fills: tuple[Lamp, ...]
    sky: np.ndarray
    ground: np.ndarray


class Canvas:
    """A picture with a depth buffer; width and height must be even."""

    def __init__(self, background: np.ndarray) -> None:
        self.height, self.width = background.shape[0], background.shape[1]
        self.colour = background
        self.clear_depth()

    def clear_depth(self) -> None:
        """What is drawn from now on is in front of everything that is there."""
        self.depth: np.ndarray = np.full((self.height, self.width), FAR, dtype=np.float32)

    def halved(self) -> Canvas:
        size = (self.width // 2, self.height // 2)
        small = Canvas(cv2.resize(self.colour, size, interpolation=cv2.INTER_AREA))
        small.depth = cv2.resize(self.depth, size, interpolation=cv2.INTER_NEAREST)
        return small

    def take(self, small: Canvas) -> None:
        """Show a halved canvas, slightly out of focus, as objects behind a face are."""
        size = (self.width, self.height)
        self.colour = exact.resize(small.colour, size)
        self.depth = cv2.resize(small.depth, size, interpolation=cv2.INTER_NEAREST)


def normals(places: np.ndarray) -> np.ndarray:
    """Unit normals of a sheet; seen from outside, columns run to the right and rows down."""
    padded = cv2.copyMakeBorder(places.astype(np.float32), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    channels = planes.split(padded)
    right = channels[:, 1:-1, 2:] - channels[:, 1:-1, :-2]
    down = channels[:, 2:, 1:-1] - channels[:, :-2, 1:-1]
    x, y, z = (right[b] * down[c] - right[c] * down[b] for b, c in ((1, 2), (2, 0), (0, 1)))
    length = np.sqrt(x * x + y * y + z * z)
    return planes.joined(np.stack([x, y, z]) / np.maximum(length, 1e-9))


class ShadowMap:
    """The depth nearest to the lamp along its rays, on a coarse grid."""

    CELL = 4.0  # millimetres

    def __init__(self, casters: list[np.ndarray], towards_lamp: np.ndarray) -> None:
        side = np.cross(towards_lamp, (0.0, 1.0, 0.0))
        side /= exact.norm(side)
        self.axes = np.stack([side, np.cross(towards_lamp, side), towards_lamp], axis=1)
        places = np.concatenate([sheet.reshape(-1, 3) for sheet in casters])
        seen = exact.transform(places, self.axes)
        self.origin = seen[:, :2].min(axis=0) - 2 * self.CELL
        cells = np.rint((seen[:, :2] - self.origin) / self.CELL).astype(int)
        width, height = cells.max(axis=0) + 3
        self.nearest = np.full((height, width), FAR, dtype=np.float32)
        np.maximum.at(self.nearest, (cells[:, 1], cells[:, 0]), seen[:, 2].astype(np.float32))
        self.nearest = cv2.dilate(self.nearest, np.ones((2, 2), np.uint8))

    def lit(self, sheet: np.ndarray, blur: float) -> np.ndarray:
        """(h, w): 0 in shadow, 1 in full light."""
        seen = exact.transform(sheet, self.axes).astype(np.float32)
        x = (seen[..., 0] - np.float32(self.origin[0])) / self.CELL
        y = (seen[..., 1] - np.float32(self.origin[1])) / self.CELL
        nearest = exact.look_up(self.nearest, x, y, cv2.BORDER_CONSTANT, FAR)
        lit = np.clip(1 - (nearest - seen[..., 2] - 7) / 8, 0, 1)
        return exact.blur(lit, blur)


# Red light scatters furthest in skin, which makes the edges of shadows on it warm.
SKIN_WRAP = np.array([0.34, 0.2, 0.14], dtype=np.float32)
CLOTH_WRAP = np.array([0.1, 0.1, 0.1], dtype=np.float32)


def shade(
    normal: np.ndarray, lit: np.ndarray, lighting: Lighting, wrap: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Diffuse light (h, w, 3), and the highlight (h, w, 3) of a moderately shiny surface."""
    y, z = normal[..., 1], normal[..., 2]
    sky, ground, wrap = (colour[:, None, None] for colour in (lighting.sky, lighting.ground, wrap))
    up = 0.5 - 0.5 * y
    diffuse = ground + (sky - ground) * up
    shine = np.zeros_like(diffuse)
    lamps = [(lighting.key, lit)]
    lamps += [(lamp, np.ones((1, 1), np.float32)) for lamp in lighting.fills]
    for lamp, visible in lamps:
        direction, colour = lamp.direction, lamp.colour[:, None, None]
        facing = exact.dot(normal, direction.astype(np.float32))
        wrapped = np.maximum((facing + wrap) / (1 + wrap), 0)
        diffuse += wrapped * np.sqrt(np.sqrt(wrapped)) * visible * colour
        half = direction + np.array([0, 0, 1])
        half = (half / exact.norm(half)).astype(np.float32)
        glance = np.maximum(exact.dot(normal, half), 0)
        glance8 = np.square(np.square(np.square(glance)))
        shine += (glance8 * 0.25 + np.square(np.square(glance8)) * 0.75) * visible * colour
    rim = np.square(np.square(1 - np.maximum(z, 0)))
    shine += 0.35 * rim * sky
    return planes.interleaved(diffuse), planes.interleaved(shine)


def _facing(projected: np.ndarray) -> np.ndarray:
    """Which places of the sheet face the camera, with a margin of one place."""
    padded = cv2.copyMakeBorder(projected[..., :2], 0, 1, 0, 1, cv2.BORDER_REPLICATE)
    along, down = padded[:-1, 1:] - padded[:-1, :-1], padded[1:, :-1] - padded[:-1, :-1]
    front = along[..., 0] * down[..., 1] - along[..., 1] * down[..., 0] > 0
    return np.asarray(cv2.dilate(front.astype(np.uint8), np.ones((3, 3), np.uint8)))


# The samples of a sheet are ranked by their depth, in 2**16 levels, and then by their index. A rank
# fits into a float64, which OpenCV can dilate.
_PER_LEVEL = 2.0**24
_NO_SAMPLE = -1.0
_CACHED = 2**14  # so many at a time fit into the processor's cache


def _sample(rank: np.ndarray) -> np.ndarray:
    """The index of a sample, if there is one."""
    return rank.astype(np.int64) & int(_PER_LEVEL - 1)


def _steps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distances between neighbours in a row, in pixels, horizontal or vertical."""
    return np.maximum(np.abs(np.diff(x)), np.abs(np.diff(y)))


class _Scatter:
    """The sheet sampled so densely that nearly every pixel gets a sample."""

    def __init__(
        self, projected: np.ndarray, front: np.ndarray, shape: tuple[int, int], density: float
    ) -> None:
        self.whole = np.array(front.shape)[::-1]
        left, top, columns, rows = cv2.boundingRect(front)
        self.window = np.array([[left, top], [columns, rows]], dtype=np.float32)
        front = front[top : top + rows, left : left + columns]
        x, y, depth = planes.split(projected[top : top + rows, left : left + columns])
        stretch_x, stretch_y = (
            float(np.clip(density * np.percentile(steps, 92), 1, 30)) if len(steps) else 1.0
            for steps in (_steps(x, y)[front[:, 1:] > 0], _steps(x.T, y.T).T[front[1:] > 0])
        )
        self.columns, self.rows = round(columns * stretch_x), round(rows * stretch_y)
        size = (self.columns, self.rows)
        self.x, self.y, self.depth = (exact.resize(plane, size).ravel() for plane in (x, y, depth))
        front = cv2.resize(front, size, interpolation=cv2.INTER_NEAREST).ravel()
        height, width = shape
        inside = (
            (self.x > -0.5) & (self.x < width - 0.5) & (self.y > -0.5) & (self.y < height - 0.5)
        )
        samples = np.flatnonzero(inside & (front > 0))
        nearest = np.full(height * width, _NO_SAMPLE)
        if len(samples):
            depth = self.depth.take(samples)
            low, high = float(depth.min()), float(depth.max())
            per_depth = np.float32(65535 / max(high - low, 1e-3))
            for start in range(0, len(samples), _CACHED):
                part = slice(start, start + _CACHED)
                x, y = self.x.take(samples[part]), self.y.take(samples[part])
                cells = (np.rint(y) * np.float32(width) + np.rint(x)).astype(np.intp)
                levels = np.floor((depth[part] - low) * per_depth)
                np.maximum.at(nearest, cells, levels * np.float32(_PER_LEVEL) + samples[part])
        self.found, self.cells, self.index = self._close_gaps(nearest.reshape(shape))

    def _close_gaps(self, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which pixels the sheet covers, those that get a sample, and the index of that sample.

        Single pixels without a sample, or with one of a far part of the sheet (the cheek through
        the nose), take that of a neighbour; so does the ring of partly covered pixels.
        """
        square = np.ones((3, 3), np.uint8)
        closed = cv2.morphologyEx(rank, cv2.MORPH_CLOSE, square)
        nearer = np.flatnonzero(closed != rank)
        before, after = rank.take(nearer), closed.take(nearer)
        leaks = self._depth_of(after) - self._depth_of(before) > 2.5
        filled = rank.copy()
        filled.ravel()[nearer] = np.where(leaks, after, before)
        found = filled >= 0
        ring = np.where(found, filled, cv2.dilate(filled, square)).ravel()
        cells = np.flatnonzero(ring >= 0)
        return found, cells, _sample(ring.take(cells))

    def _depth_of(self, rank: np.ndarray) -> np.ndarray:
        return np.where(rank < 0, np.float32(FAR), self.depth.take(_sample(rank), mode="clip"))

    def refine(
        self, index: np.ndarray, pixel_x: np.ndarray, pixel_y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """One Newton step: the place (0 to 1 along columns and rows) at each pixel's centre."""
        row = index // self.columns
        column = index - row * self.columns
        step_x = np.where(column + 1 < self.columns, 1, -1)
        step_y = np.where(row + 1 < self.rows, 1, -1)
        right, below = index + step_x, index + step_y * self.columns
        x, y = self.x.take(index), self.y.take(index)
        sign_x, sign_y = step_x.astype(np.float32), step_y.astype(np.float32)
        along_x, along_y = (self.x.take(right) - x) * sign_x, (self.y.take(right) - y) * sign_x
        down_x, down_y = (self.x.take(below) - x) * sign_y, (self.y.take(below) - y) * sign_y
        miss_x, miss_y = pixel_x.astype(np.float32) - x, pixel_y.astype(np.float32) - y
        area = along_x * down_y - along_y * down_x
        area[np.abs(area) < 0.03] = np.inf
        column_f = column + np.clip((miss_x * down_y - miss_y * down_x) / area, -2, 2)
        row_f = row + np.clip((along_x * miss_y - along_y * miss_x) / area, -2, 2)
        (left, top), (wide, high) = (self.window / self.whole).astype(np.float32)
        u = left + (column_f + np.float32(0.5)) * np.float32(wide / self.columns)
        v = top + (row_f + np.float32(0.5)) * np.float32(high / self.rows)
        return u.astype(np.float32), v.astype(np.float32)


class _Places:
    """Places on a sheet, 0 to 1 along its columns and rows, at which to look its images up."""

    def __init__(self, u: np.ndarray, v: np.ndarray) -> None:
        self.count = len(u)
        full = -self.count % 512  # OpenCV limits the sides of the result to 2**15
        self.u, self.v = (np.pad(t, (0, full)).reshape(-1, 512) for t in (u, v))

    def look_up(self, image: np.ndarray) -> np.ndarray:
        size_v, size_u = image.shape[:2]
        x = self.u * np.float32(size_u) - np.float32(0.5)
        y = self.v * np.float32(size_v) - np.float32(0.5)
        result = exact.look_up(image, x, y, cv2.BORDER_REPLICATE)
        return np.asarray(result.reshape(-1, *image.shape[2:])[: self.count])


def draw_sheet(
    canvas: Canvas,
    projected: np.ndarray,
    texture: np.ndarray,
    light: tuple[np.ndarray, np.ndarray],
    gloss: float | np.ndarray,
    cover: np.ndarray | None = None,
    density: float = 0.8,
) -> None:
    """Draw a sheet with its diffuse light and highlights.

    `cover` is the opacity of the texture; that of hair is sparse.
    """
    height, width = canvas.height, canvas.width
    x, y = projected[..., 0], projected[..., 1]
    left, top = max(int(x.min()) - 2, 0), max(int(y.min()) - 2, 0)
    right, bottom = min(int(x.max()) + 3, width), min(int(y.max()) + 3, height)
    if right - left < 3 or bottom - top < 3:
        return
    local = (projected - np.array([left, top, 0])).astype(np.float32)
    front = _facing(local)
    if not front.any():
        return
    scatter = _Scatter(local, front, (bottom - top, right - left), density)

    depth = scatter.depth.take(scatter.index)
    visible = depth > canvas.depth[top:bottom, left:right].ravel().take(scatter.cells)
    if not visible.any():  # it is hidden behind what was drawn before
        return
    cells, index, depth = (a[visible] for a in (scatter.cells, scatter.index, depth))
    pixel_y = cells // (right - left)
    pixel_x = cells - pixel_y * (right - left)
    places = _Places(*scatter.refine(index, pixel_x, pixel_y))

    diffuse, shine = light
    colour = places.look_up(texture) * places.look_up(diffuse)
    glare = places.look_up(gloss)[:, None] if isinstance(gloss, np.ndarray) else np.float32(gloss)
    colour += places.look_up(shine) * glare
    found = scatter.found
    edge = cv2.blur(found.astype(np.float32), (3, 3)).take(cells)
    if cover is not None:
        edge = edge * places.look_up(cover)
    seen = (pixel_y + top) * width + (pixel_x + left)
    target = canvas.colour.reshape(-1, 3)
    before = target.take(seen, axis=0)
    after = before + (colour - before) * edge[:, None]
    for channel in range(3):  # faster than all at once
        target[seen, channel] = after[:, channel]
    solid = np.flatnonzero(found.take(cells) & (edge > 0.4))
    canvas.depth.ravel()[seen.take(solid)] = depth.take(solid)
