"""What the report says, in English and Russian, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["en", "ru"]


@dataclass(frozen=True)
class Report:
    """The section `report` of params.yaml."""

    language: Language


_SPACE = "\N{NO-BREAK SPACE}"  # no line may end between a number and its sign

_TEXTS: dict[str, tuple[str, str]] = {
    # heads
    "title": ("Facial landmarks: {datasets}", "Точки лица: {datasets}"),
    "in_short": ("In short", "Коротко"),
    "results": ("Results", "Результаты"),
    "regions": ("Errors by part of the face", "Ошибки по частям лица"),
    "hard": ("What makes a face hard", "Какие лица трудны"),
    "faces": ("Faces", "Лица"),
    "training": ("Training", "Обучение"),
    "data": ("Data", "Данные"),
    "parameters": ("Parameters", "Параметры"),
    # what the figures say
    "ahead": (
        "{dataset}, images: {images}. The network has AUC@0.08 {model}, dlib {dlib}: the network is ahead "
        "by {value} (95 % interval {low} to {high}, p {p}).",
        "{dataset}, изображений: {images}. AUC@0.08 сети {model}, dlib {dlib}: сеть впереди на {value} "
        "(95-процентный интервал от {low} до {high}, p {p}).",
    ),
    "behind": (
        "{dataset}, images: {images}. The network has AUC@0.08 {model}, dlib {dlib}: dlib is ahead by {value} "
        "(95 % interval {low} to {high}, p {p}).",
        "{dataset}, изображений: {images}. AUC@0.08 сети {model}, dlib {dlib}: dlib впереди на {value} "
        "(95-процентный интервал от {low} до {high}, p {p}).",
    ),
    "level": (
        "{dataset}, images: {images}. The network has AUC@0.08 {model}, dlib {dlib}: the difference may be chance "
        "(network less dlib {low} to {high} with 95 %, p {p}).",
        "{dataset}, изображений: {images}. AUC@0.08 сети {model}, dlib {dlib}: разница может быть случайной "
        "(сеть минус dlib от {low} до {high} с вероятностью 95 %, p {p}).",
    ),
    "nothing_tested": (
        "{dataset}: no test image has a rectangle, so nothing could be measured.",
        "{dataset}: ни на одном тестовом изображении нет прямоугольника, измерить нечего.",
    ),
    "all_found": (
        "dlib's detector found the face in every test picture ({total}).",
        "Детектор dlib нашёл лицо на всех тестовых изображениях ({total}).",
    ),
    "not_found": (
        "dlib's detector found no face in {lost} of {total} test pictures. They are in no figure but the following: "
        "counted as failures, they make AUC@0.08 {model} for the network and {dlib} for dlib.",
        "Детектор dlib не нашёл лицо на {lost} из {total} тестовых изображений. Они не учтены ни в одном показателе, кроме "
        "следующего: если считать их неудачами, AUC@0.08 сети {model}, dlib {dlib}.",
    ),
    "all_used": (
        "All pictures of the archive are used ({kept}).",
        "Использованы все изображения архива ({kept}).",
    ),
    "some_dropped": (
        "{kept} pictures of the archive are used; dropped are {dropped} ({reasons}).",
        "Изображений архива использовано: {kept}, отброшено: {dropped} ({reasons}).",
    ),
    "no_duplicates": (
        "No test picture looks like a train picture.",
        "Ни одно тестовое изображение не похоже на обучающее.",
    ),
    "duplicates": (
        "{count} test pictures look like a train picture. Without those among the measured ones the network has "
        "AUC@0.08 {without}, with them {all}.",
        "Тестовых изображений, похожих на обучающие: {count}. Без тех из них, что измерены, AUC@0.08 сети {without}, "
        "с ними {all}.",
    ),
    "parts": (
        "The network is least exact on the {worst} ({worst_error} of the face's size) and most exact on the {best} "
        "({best_error}).",
        "Наименее точна сеть на области «{worst}» (ошибка {worst_error} размера лица), наиболее точна на области «{best}» "
        "({best_error}).",
    ),
    "parts_behind": (
        "Although ahead as a whole, the network is behind dlib on: {parts}.",
        "В целом сеть опережает dlib, но уступает ему здесь: {parts}.",
    ),
    "parts_ahead": (
        "Although behind as a whole, the network is ahead of dlib on: {parts}.",
        "В целом сеть уступает dlib, но опережает его здесь: {parts}.",
    ),
    "hard_yaw": (
        "Turned faces are harder: AUC@0.08 {worst} at a yaw of {worst_group} degrees, {best} at {best_group}.",
        "Повёрнутые лица труднее: AUC@0.08 {worst} при повороте на {worst_group} градусов, {best} на {best_group}.",
    ),
    "hard_sharpness": (
        "Blurred faces are harder: AUC@0.08 {worst} on the least sharp third, {best} on the sharpest.",
        "Размытые лица труднее: AUC@0.08 {worst} на наименее резкой трети, {best} на самой резкой.",
    ),
    "hard_size": (
        "Small faces are harder: AUC@0.08 {worst} at {worst_group} pixels, {best} at {best_group}.",
        "Мелкие лица труднее: AUC@0.08 {worst} при размере {worst_group} пикселей, {best} при {best_group}.",
    ),
    "none_hard": (
        "These images do not prove that turning, blur or size matters to the network.",
        "По этим изображениям нельзя доказать, что поворот, размытость или размер влияют на точность сети.",
    ),
    "overfitted": (
        "Validation was best at epoch {best} of {epochs} and then became worse by {worse}, while the loss in training "
        "went on falling: the network learnt the faces by heart, and more epochs will not help.",
        "Наименьшая ошибка на валидации — на эпохе {best} из {epochs}; затем она выросла на {worse}, хотя функция потерь "
        "продолжала падать: сеть заучила лица, обучать дольше незачем.",
    ),
    "still_falling": (
        "Validation was best at epoch {best} of {epochs} and fell by {fell} in the last quarter: more epochs may help.",
        "Наименьшая ошибка на валидации — на эпохе {best} из {epochs}; за последнюю четверть она упала на {fell}: "
        "возможно, стоит обучать дольше.",
    ),
    "settled": (
        "Validation was best at epoch {best} of {epochs} and has settled: more epochs will hardly help.",
        "Наименьшая ошибка на валидации — на эпохе {best} из {epochs}, дальше она почти не менялась: обучать дольше вряд ли полезно.",
    ),
    # texts
    "metric": (
        "The error of an image is the mean distance of its points from the true ones, in pixels of the original, over "
        "√(H·W) of dlib's rectangle. The curve (CED) at x is the share of images with an error below x. AUC@0.08 is the "
        "area below it from 0 to 0.08, where 1 is perfect; FR@0.08 is the share of images at 0.08 or above; NME is the "
        "mean error. Intervals hold 95 % of {resamples} draws of the images, with replacement.",
        "Ошибка на изображении — среднее расстояние его точек до истинных, в пикселях оригинала, делённое на √(H·W) "
        "прямоугольника dlib. Значение кривой (CED) в точке x — доля изображений с ошибкой меньше x. AUC@0.08: площадь под ней "
        "от 0 до 0,08, лучшее значение 1. FR@0.08: доля изображений с ошибкой 0,08 и больше. NME: средняя ошибка. "
        "В интервалы попадают 95 % из {resamples} выборок изображений с возвращением.",
    ),
    "five_points": (
        "The network gives five points; there are no parts to compare.",
        "Сеть даёт пять точек, сравнивать по частям нечего.",
    ),
    "hard_method": (
        "The yaw comes from the true points. Sharpness is the strength of the finest detail in the face against all its "
        "detail. Size is √(H·W) of the rectangle. Lines show 95 % intervals, small numbers the count of images.",
        "Поворот вычислен по истинным точкам. Резкость: сила самых мелких деталей лица относительно всех. Размер: √(H·W) "
        "прямоугольника. Отрезки показывают 95-процентные интервалы, мелкие числа — количество изображений.",
    ),
    "parameters_method": (
        "params.yaml of this experiment.",
        "params.yaml этого эксперимента.",
    ),
    "dropped_method": (
        "data/dropped.csv lists each dropped file with its reason, data/undetected.csv each face that was not found.",
        "Каждый отброшенный файл с причиной назван в data/dropped.csv, каждое ненайденное лицо в data/undetected.csv.",
    ),
    # captions
    "ced_caption": (
        "CED up to 0.08: further left and higher is better.",
        "CED до 0,08: чем левее и выше, тем лучше.",
    ),
    "regions_caption": (
        "Mean error of each part, all test images: shorter is better.",
        "Средняя ошибка каждой части, все тестовые изображения: чем короче, тем лучше.",
    ),
    "hard_caption": (
        "AUC@0.08 by yaw, sharpness and size of the face: higher is better.",
        "AUC@0.08 в зависимости от поворота, резкости и размера лица: чем выше, тем лучше.",
    ),
    "best_faces": (
        "The smallest errors of the network. Truth in green, network in red.",
        "Наименьшие ошибки сети. Зелёным — истинные точки, красным — сеть.",
    ),
    "median_faces": ("Around the median.", "Около медианы."),
    "worst_faces": ("The largest errors.", "Наибольшие ошибки."),
    "lost_faces": (
        "Faces on which dlib beats the network by most: dlib in blue; errors of network and dlib.",
        "Лица, на которых dlib сильнее всего опережает сеть: dlib синим; подписаны ошибки сети и dlib.",
    ),
    "undetected_faces": (
        "Test faces that the detector did not find: {shown} of {total}.",
        "Тестовые лица, не найденные детектором: {shown} из {total}.",
    ),
    "example_faces": (
        "Faces to learn from, with their true points: {shown} of {total}.",
        "Обучающие лица с истинными точками: {shown} из {total}.",
    ),
    "duplicate_faces": (
        "Test faces, each after the train face whose picture looks like its own (bits of difference of 64): "
        "{shown} of {total}.",
        "Тестовые лица, каждое после обучающего, чьё изображение похоже (отличие в битах из 64): {shown} из {total}.",
    ),
    "training_caption": (
        "Loss in training, NME on the validation faces, learning rate. The line marks the epoch that was kept.",
        "Функция потерь при обучении, NME на валидации, скорость обучения. Линия отмечает сохранённую эпоху.",
    ),
    # tables and figures
    "dataset": ("data set", "набор"),
    "split": ("split", "часть"),
    "method": ("method", "метод"),
    "model": ("network", "сеть"),
    "all": ("all", "все"),
    "together": ("All together", "Все вместе"),
    "interval": ("95 % interval", "95%-й интервал"),
    "images": ("images", "изображений"),
    "undetected": ("undetected", "не найдено"),
    "part": ("part", "часть лица"),
    "kept": ("kept", "оставлено"),
    "found": ("face found", "лицо найдено"),
    "dropped": ("dropped", "отброшено"),
    "why": ("why", "почему"),
    "train": ("train", "обучение"),
    "test": ("test", "тест"),
    "parameter": ("parameter", "параметр"),
    "value": ("value", "значение"),
    "group": ("group", "группа"),
    "error_axis": ("error / √(H·W)", "ошибка / √(H·W)"),
    "share_axis": ("images with a smaller error", "доля изображений с меньшей ошибкой"),
    "yaw": ("yaw, degrees", "поворот, градусы"),
    "sharpness": ("sharpness, thirds", "резкость, трети"),
    "size": ("size of the face, pixels", "размер лица, пиксели"),
    "least": ("least", "наименьшая"),
    "middle": ("middle", "средняя"),
    "most": ("greatest", "наибольшая"),
    "epoch": ("epoch", "эпоха"),
    "train_loss": ("loss in training", "функция потерь"),
    "validation_nme": ("NME, validation", "NME на валидации"),
    "learning_rate": ("learning rate", "скорость обучения"),
    # parts of the face
    "jaw": ("jaw", "контур"),
    "brows": ("brows", "брови"),
    "nose": ("nose", "нос"),
    "eyes": ("eyes", "глаза"),
    "mouth": ("mouth", "рот"),
    # why files are dropped
    "profile_39": ("profiles of 39 points", "профили из 39 точек"),
    "wrong_count": ("another count of points", "другое число точек"),
    "unreadable_points": ("unreadable points", "нечитаемые точки"),
    "unreadable_image": ("unreadable pictures", "нечитаемые изображения"),
    "not_finite": ("points that are no numbers", "точки, не являющиеся числами"),
    "degenerate": ("points without extent", "точки без протяжённости"),
    "far_outside": ("points far outside the picture", "точки далеко вне изображения"),
    "no_points": ("pictures without .pts", "изображения без .pts"),
    "no_image": (".pts without a picture", ".pts без изображения"),
    "ambiguous": ("several pictures for one .pts", "несколько изображений на один .pts"),
    "unknown_file": ("other files", "прочие файлы"),
    "outside_splits": ("neither in train nor in test", "ни в train, ни в test"),
    "held_back": ("held back, as only test is measured", "не для обучения: набор только тестовый"),
}


class Words:
    """The texts and the numbers' form of one language."""

    def __init__(
        self, language: Language, more: Mapping[str, tuple[str, str]] | None = None
    ) -> None:
        """`more` texts than those of the report on landmarks."""
        self.language = language
        self._texts = _TEXTS | dict(more or {})
        self._place = get_args(Language).index(language)

    def __call__(self, key: str, **values: str | int) -> str:
        return self._texts[key][self._place].format(**values).replace(" %", f"{_SPACE}%")

    def dataset(self, name: str) -> str:
        return self("all") if name == "all" else name

    def method(self, name: str) -> str:
        return self("model") if name == "model" else name

    def number(self, value: float | None, digits: int = 3) -> str:
        return "—" if value is None else self._mark(f"{value:.{digits}f}")

    def percent(self, share: float | None, digits: int = 1) -> str:
        return "—" if share is None else f"{self.number(100 * share, digits)}{_SPACE}%"

    def interval(self, ends: list[float] | None, digits: int = 3) -> str:
        return "—" if ends is None else "–".join(self.number(end, digits) for end in ends)

    def tick(self, value: float) -> str:
        """A figure's scale: as short as it can be."""
        return self._mark(f"{value:g}")

    def chance(self, p: float) -> str:
        return f"< {self.number(0.001)}" if p < 0.001 else self.number(p)

    def _mark(self, number: str) -> str:
        return number.replace(".", ",") if self.language == "ru" else number
