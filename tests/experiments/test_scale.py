from pathlib import Path

import pytest

from facealign.core.errors import ConfigError
from facealign.experiments import scale
from tests.helpers import PARAMS


def test_stages_are_measured_on_repeated_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PARAMS.parent)
    monkeypatch.setattr(scale, "REPEATED", 18)  # some of each data set
    monkeypatch.setattr(scale, "MOST_DETECTED", 18)
    monkeypatch.setitem(scale.CHANGES["demo"], "pictures", 24)
    work, figure = tmp_path / "work", tmp_path / "scale.png"
    scale.main(figure, work, Path("18"), Path("36"))
    rows = [line.split("|")[1:7] for line in capsys.readouterr().out.splitlines() if "|" in line]
    table = {(count.strip(), stage.strip()): cells for count, stage, *cells in rows[2:]}
    stages = ("filter", "detect", "crop", "train")
    # boxes of 36 are repeated, not found
    assert set(table) == {("18", one) for one in stages} | {("36", one) for one in stages} - {
        ("36", "detect")
    }
    memory = [float(cells[2].replace(",", "")) for cells in table.values()]
    assert all(20 < megabytes < 3000 for megabytes in memory)
    assert table["36", "crop"][3] != table["18", "crop"][3]  # twice as many crops
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert [one.name for one in work.iterdir()] == ["base"]  # what was repeated is removed


@pytest.mark.parametrize("count", ["0", "7", "-2000", "many"])
def test_a_number_of_faces_that_cannot_be_repeated_is_refused(tmp_path: Path, count: str) -> None:
    with pytest.raises(ConfigError, match="multiple of 2000"):
        scale.main(tmp_path / "scale.png", tmp_path / "work", Path(count))
