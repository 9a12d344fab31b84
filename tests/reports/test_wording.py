import re
import string
from pathlib import Path

from facealign.core import points
from facealign.data import filtering
from facealign.recognition.texts import TEXTS
from facealign.reports import wording
from facealign.reports.wording import Words


def test_both_languages_say_the_same_numbers() -> None:
    for texts in (*wording._TEXTS.values(), *TEXTS.values()):
        english, russian = (
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in texts
        )
        assert english == russian, texts


def test_the_russian_texts_are_russian() -> None:
    for english, russian in wording._TEXTS.values():
        assert re.search("[а-я]", russian) and not re.search("[а-я]", english), russian


def test_every_reason_and_part_has_a_text() -> None:
    source = Path(filtering.__file__).read_text(encoding="utf-8")
    reasons = set(re.findall(r'Drop\([^"]*"([a-z_0-9]+)"', source)) | {"far_outside"}
    assert len(reasons) > 10
    assert reasons | points.REGIONS.keys() <= wording._TEXTS.keys()


def test_numbers_are_written_as_the_language_does() -> None:
    english, russian = Words("en"), Words("ru")
    assert (english.number(0.12345), russian.number(0.12345)) == ("0.123", "0,123")
    assert (english.percent(0.0251), russian.percent(0.0251)) == (
        "2.5\N{NO-BREAK SPACE}%",
        "2,5\N{NO-BREAK SPACE}%",
    )
    assert russian.interval([0.1, 0.25]) == "0,100–0,250"
    assert english.interval(None) == english.number(None) == english.percent(None) == "—"
    assert (english.chance(0.0004), russian.chance(0.04)) == ("< 0.001", "0,040")
    assert (english.dataset("all"), russian.dataset("all")) == ("all", "все")
    assert russian.dataset("300W") == "300W"
