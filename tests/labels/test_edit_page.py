"""The page that corrects labels, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facealign.core.points import mirror
from facealign.data import patches
from facealign.data.annotations import format_pts, read_pts
from facealign.labels import edits
from facealign.labels.edit_server import Server
from facealign.labels.edits import Edits, Item
from facealign.synthesis.pictures import plan_pictures, render
from tests.data.test_filtering import add
from tests.labels.chromium import NAMES, PROGRAM, Page, chromium
from tests.labels.editing import serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason=f"none of {', '.join(NAMES)} is installed"),
]

SAVED = "!sending && unsaved.size === 0 && $('status').textContent === 'Saved'"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generated faces, and between them a file that is no picture."""
    folder = tmp_path_factory.mktemp("faces")
    plans = [plan for plan in plan_pictures(80, 9, odd=0) if plan.kind == "plain"][:2]
    for name, plan in zip(("a", "c"), plans, strict=True):
        data, points = render(plan)
        add(folder, f"train/{name}{Path(plan.name).suffix}", data)
        add(folder, f"train/{name}.pts", format_pts(points))
    add(folder, "train/b.png", b"no picture")
    add(folder, "train/b.pts", format_pts(points))
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[Server]:
    points = read_pts(root / "train" / "a.pts")
    first, *others = edits.in_folder(root)
    items = [Item(first.image, "part: mouth, score 9.5", points + 3), *others]
    with serving(Edits(root, items, tmp_path / "p.csv")) as started:
        yield started


@pytest.fixture
def page(browser: Page, server: Server) -> Page:
    browser.open(server.url)
    browser.wait_for("at === 0 && face !== null && $('points').children.length === 68")
    return browser


def place_of(page: Page, point: int) -> tuple[float, float]:
    """Where the page draws a point, in its own pixels."""
    box = f"$('points').children[{point}].querySelector('.dot').getBoundingClientRect()"
    x, y = page.value(
        f"(() => {{ const {{x, y, width, height}} = {box};"
        " return [x + width / 2, y + height / 2]; })()"
    )
    return x, y


def patched(server: Server, number: int = 0) -> np.ndarray:
    return patches.read([server.edits.out])[server.edits.items[number].image].points


def test_a_point_that_is_dragged_is_in_the_patch(page: Page, server: Server) -> None:
    before = server.edits.label(0).original
    zoom = page.value("view.zoom")
    page.drag(place_of(page, 30), (40, -25))
    page.wait_for(SAVED)
    after = patched(server)
    np.testing.assert_array_equal(np.delete(after, 30, 0), np.delete(before, 30, 0))
    assert after[30] - before[30] == pytest.approx(np.array([40, -25]) / zoom, abs=0.03)
    x, y = place_of(page, 30)
    assert page.value("$('about').textContent").startswith("Point 31 of 68, nose · x ")
    assert page.value("$('progress').textContent") == "1 of 3, 1 changed · this one is changed"
    page.press("u")
    page.wait_for("state.count === 0")
    assert not server.edits.out.exists()  # the label is the original one again
    page.press("U", "Shift")
    page.wait_for("state.count === 1")
    np.testing.assert_array_equal(patched(server), after)
    assert place_of(page, 30) == (x, y)


def test_a_point_is_drawn_where_its_pixel_is(page: Page) -> None:
    """The centre of the first pixel is 0, so that the image begins at -0.5."""
    left, top = page.value("(({x, y}) => [x, y])($('image').getBoundingClientRect())")
    zoom, (x, y) = page.value("view.zoom"), page.value("face.points[36]")
    wanted = left + zoom * (x + 0.5), top + zoom * (y + 0.5)
    assert place_of(page, 36) == pytest.approx(wanted, abs=0.01)


def test_the_keyboard_is_enough(page: Page, server: Server) -> None:
    before = server.edits.label(0).original
    page.press("Tab")
    page.press("Tab")
    page.press("Tab", "Shift")
    page.press("ArrowRight")
    page.press("ArrowDown", "Shift")
    page.press("ArrowLeft", "Alt")
    page.wait_for(SAVED)
    after = patched(server)
    assert after[0] - before[0] == pytest.approx([0.9, 10], abs=0.011)
    np.testing.assert_array_equal(after[1:], before[1:])
    page.press("m")
    page.wait_for(SAVED)
    np.testing.assert_array_equal(patched(server), after[mirror(68)])
    page.press("r")
    page.wait_for("state.count === 0")
    page.press("n")
    page.wait_for("$('problem').textContent !== ''")
    assert page.value("$('problem').textContent").endswith("b.png: not a picture that can be read")
    page.press("n")
    page.wait_for("at === 2 && face !== null")
    page.press("n")  # it is the last one
    page.press("ArrowUp")
    page.wait_for(SAVED)
    assert patched(server, 2)[0, 1] == pytest.approx(
        server.edits.label(2).original[0, 1] - 1, abs=0.006
    )
    assert page.value("$('progress').textContent").startswith("3 of 3, 1 changed")
    for number, at in (("1", 0), ("x", 0), ("4", 0), ("3", 2)):  # as one writes it into the address
        page.value(f"void (location.hash = '{number}')")
        page.wait_for(f"at === {at} && face !== null")
    assert not [url for url in page.requested if "NaN" in url]


def test_what_is_shown_can_be_hidden(page: Page) -> None:
    def hidden(name: str) -> bool:
        return bool(page.value(f"getComputedStyle($('{name}')).visibility") == "hidden")

    assert page.value("$('note').textContent") == "part: mouth, score 9.5"
    assert not hidden("expected") and not hidden("points")
    page.press("g")
    page.press("h")
    assert hidden("expected") and hidden("points") and hidden("lines")
    page.press("h")
    assert not hidden("points") and not hidden("lines")
    page.press("?")
    assert page.value("$('help').open")
    page.press("n")  # no key but Esc counts now
    page.press("Escape")
    page.wait_for("!$('help').open")
    assert page.value("at") == 0


def test_the_wheel_zooms_where_the_mouse_is(page: Page) -> None:
    x, y = place_of(page, 30)
    before = page.value("view.zoom")
    page.mouse("Wheel", x, y, deltaX=0, deltaY=-240)
    page.wait_for(f"view.zoom > {before}")
    assert place_of(page, 30) == pytest.approx((x, y), abs=0.6)
    page.press("0")
    assert page.value("view.zoom") == pytest.approx(before)


def test_fingers_drag_points_and_zoom(page: Page, server: Server) -> None:
    before, zoom = server.edits.label(0).original, page.value("view.zoom")
    x, y = place_of(page, 8)
    page.touch("Start", (x + 10, y))  # near it is enough
    page.touch("Move", (x + 30, y - 20))
    page.touch("Move", (x + 50, y - 30))
    page.touch("End")
    page.wait_for(SAVED)
    after = patched(server)
    assert after[8] - before[8] == pytest.approx(np.array([40, -30]) / zoom, abs=0.03)
    page.touch("Start", (500, 300))
    page.touch("Start", (500, 300), (600, 300))
    page.touch("Move", (450, 300), (650, 300))
    page.touch("End")
    assert page.value("view.zoom") == pytest.approx(2 * zoom)
    np.testing.assert_array_equal(patched(server), after)


def test_a_change_without_a_connection_is_kept_and_sent_again(page: Page, server: Server) -> None:
    def connect(offline: bool) -> None:
        speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.call("Network.emulateNetworkConditions", offline=offline, **speed)

    connect(offline=True)
    page.press("Tab")
    page.press("ArrowRight")
    page.wait_for("$('status').classList.contains('bad')")
    said = "Not saved: no connection to facealign labels edit. Kept here, trying again …"
    assert page.value("$('status').textContent") == said
    assert page.value("unsaved.size") == 1 and not server.edits.out.exists()
    connect(offline=False)
    page.press("ArrowRight")  # a new change does not wait
    page.wait_for(SAVED)
    moved = patched(server)[0, 0] - server.edits.label(0).original[0, 0]
    assert moved == pytest.approx(2, abs=0.006)


def test_nothing_comes_from_elsewhere_and_nothing_is_wrong(page: Page, server: Server) -> None:
    own = ("http://127.0.0.1:", "blob:http://127.0.0.1:")
    assert f"{server.url}image/0" in page.requested
    assert [url for url in page.requested if not url.startswith(own)] == []
    assert page.problems == []
