import re
import string
from collections.abc import Mapping
from pathlib import Path

import pytest

from facealign.core.schemes.published import SCHEMES
from facealign.data import filtering
from facealign.recognition import texts
from facealign.reports import landmark_texts, wording
from facealign.reports.wording import Finding, Texts, Words

OF_EACH: Mapping[str, Texts] = {
    "common": wording.TEXTS,
    "landmarks": landmark_texts.TEXTS,
    "recognition": texts.TEXTS,
}


@pytest.mark.parametrize("name", OF_EACH)
def test_both_languages_have_the_same_values_in_each_text(name: str) -> None:
    for pair in OF_EACH[name].values():
        english, russian = (
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in pair
        )
        assert english == russian, pair


@pytest.mark.parametrize("name", OF_EACH)
def test_the_russian_texts_are_russian(name: str) -> None:
    for key, (english, russian) in OF_EACH[name].items():
        names = {"arcface"}
        assert key in names or re.search("[а-яА-Я]", russian), russian
        assert not re.search("[а-яА-Я]", english), english


def test_a_report_has_no_text_of_the_same_name_as_a_common_one() -> None:
    assert not wording.TEXTS.keys() & (landmark_texts.TEXTS.keys() | texts.TEXTS.keys())


def test_every_reason_and_region_has_a_text() -> None:
    source = Path(filtering.__file__).read_text(encoding="utf-8")
    reasons = set(re.findall(r'Drop\([^"]*"([a-z_0-9]+)"', source)) | {"far_outside"}
    assert len(reasons) > 10
    regions = {name for scheme in SCHEMES.values() for name in scheme.regions}
    assert reasons | regions <= landmark_texts.TEXTS.keys()


def test_numbers_are_written_as_the_language_does() -> None:
    english, russian = (Words(its, landmark_texts.TEXTS) for its in ("en", "ru"))
    assert (english.number(0.12345), russian.number(0.12345)) == ("0.123", "0,123")
    assert (english.percent(0.0251), russian.percent(0.0251)) == (
        "2.5\N{NO-BREAK SPACE}%",
        "2,5\N{NO-BREAK SPACE}%",
    )
    assert russian.cell("auc_08_ci95", [0.1, 0.25]) == "0,100–0,250"
    assert russian.cell("fr_08", 0.0251) == "2,5\N{NO-BREAK SPACE}%"
    assert english.cell("nme", None) == english.number(None) == english.percent(None) == "—"
    assert (english.p_value(0.0004), russian.p_value(0.04)) == ("< 0.001", "= 0,040")
    assert (english.dataset("all"), russian.dataset("all")) == ("all", "все")
    assert russian.dataset("300W") == "300W"


def test_a_finding_is_said_in_the_languages_words() -> None:
    finding = Finding("all_used", {"kept": 7})
    assert Words("en", landmark_texts.TEXTS).say(finding) == (
        "All images of the archive are used (7)."
    )


def test_a_region_that_only_a_users_scheme_has_is_called_as_there() -> None:
    russian = Words("ru", landmark_texts.TEXTS)
    assert [russian.region(name) for name in ("jaw", "title")] == ["контур лица", "title"]
    published = {name for scheme in SCHEMES.values() for name in scheme.regions}
    assert published == set(wording.REGIONS)
