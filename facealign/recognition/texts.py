"""The texts of the report on recognition, in English and Russian side by side."""

from facealign.reports.wording import Texts

TEXTS: Texts = {
    "recognition": ("Face recognition: {people} people", "Распознавание лиц: {people} чел."),
    # findings
    "top1_best": (
        "{variant} has the highest top-1 accuracy: {top1} of {images} validation images of the {people} people in the "
        "training set (95 % CI {low} to {high}).",
        "Наибольшая точность top-1 — {variant}: {top1} на {images} проверочных изображениях людей из обучающей выборки "
        "({people} чел.; 95%-й доверительный интервал от {low} до {high}).",
    ),
    "tar_best": (
        "{variant} has the highest true accept rate on {unseen} people held out of training: {tar} at FAR 0.01 "
        "(95 % CI {low} to {high}).",
        "Наибольшая доля верно принятых пар (TAR) на отложенной выборке людей ({unseen} чел.) — {variant}: {tar} при FAR 0,01 "
        "(95%-й доверительный интервал от {low} до {high}).",
    ),
    "no_unseen": (
        "Too few people were held out of training to measure verification.",
        "В отложенной выборке слишком мало людей, чтобы оценить верификацию.",
    ),
    "lead_significant": (
        "{what}: {better} beats {worse} by {value} percentage points (95 % CI {low} to {high}); the difference is significant.",
        "{what}: {better} лучше, чем {worse}, на {value} п. п. (95%-й доверительный интервал от {low} до {high}), разница "
        "статистически значима.",
    ),
    "lead_not_significant": (
        "{what}: {better} against {worse}, {value} percentage points (95 % CI {low} to {high}); the difference is not "
        "significant.",
        "{what}: {better} против {worse}, {value} п. п. (95%-й доверительный интервал от {low} до {high}), разница "
        "статистически незначима.",
    ),
    "top1": ("Top-1 accuracy", "Точность top-1"),
    "tar_1e-2": ("TAR at FAR 0.01", "TAR при FAR 0,01"),
    "over_losses": ("{figure}, mean over losses", "{figure}, среднее по функциям потерь"),
    "over_points": ("{figure}, mean over alignments", "{figure}, среднее по способам выравнивания"),
    # variants
    "aligned_none": ("no alignment", "без выравнивания"),
    "aligned_2": ("2 points", "2 точки"),
    "aligned_3": ("3 points", "3 точки"),
    "aligned_5": ("5 points", "5 точек"),
    "ce": ("cross-entropy", "кросс-энтропия"),
    "arcface": ("ArcFace", "ArcFace"),
    "alignment": ("alignment", "выравнивание"),
    "loss": ("loss", "функция потерь"),
    # methods
    "figures_method": (
        "Top-1 accuracy is the share of validation images whose person the network identifies; all of these people are "
        "in the training set. Verification uses pairs of images of people held out of training: TAR is the share of "
        "same-person pairs accepted at the threshold at which the given share (FAR) of different-person pairs is "
        "accepted, EER the error rate at which both kinds of error are equally frequent. Confidence intervals (CI) resample "
        "people, not images, because images of one person are not independent.",
        "Точность top-1 — доля проверочных изображений, на которых сеть верно определила человека; все эти люди есть в обучающей "
        "выборке. Верификация оценивается на парах изображений людей из отложенной выборки: TAR — доля принятых пар одного "
        "человека при пороге, при котором принимается заданная доля (FAR) пар разных людей; EER — частота ошибок в точке, где "
        "ошибки обоих видов одинаково часты. Доверительные интервалы (ДИ) получены бутстрэпом по людям, а не по изображениям: "
        "изображения одного человека не независимы.",
    ),
    # captions
    "roc": (
        "ROC on people held out of training.",
        "ROC-кривые на людях из отложенной выборки.",
    ),
    "bars": (
        "Top-1 accuracy with 95 % confidence intervals.",
        "Точность top-1 с 95%-ми доверительными интервалами.",
    ),
    "aligned_caption": (
        "One row for each alignment: {names}. On the left, the mean of all training images: the sharper it is, the better "
        "the faces are aligned.",
        "Каждому способу выравнивания соответствует строка: {names}. Слева — среднее всех обучающих изображений: чем оно резче, "
        "тем точнее выровнены лица.",
    ),
    "mistakes_caption": (
        "Misidentified images of {variant}, {shown} of {total}, the most confident first; next to each, an image of the "
        "person that the network named.",
        "Неверно распознанные изображения ({variant}), {shown} из {total}, по убыванию уверенности; рядом — изображение "
        "человека, названного сетью.",
    ),
    "no_mistakes": (
        "{variant} made no mistake on the validation images.",
        "{variant}: на проверочных изображениях ошибок нет.",
    ),
    "curves_caption": (
        "Training loss and top-1 accuracy on the validation images by epoch. The last epoch is always kept.",
        "Функция потерь на обучении и точность top-1 на проверочных изображениях по эпохам. Сохраняется всегда последняя эпоха.",
    ),
    "chosen_counts": (
        "{kept} of {pictures} images were selected, of {people} people. Training uses {train} images of {learnt} people, "
        "validation {validate} other images of them; {unseen} images of {unseen_people} people are held out for verification.",
        "Отобрано изображений: {kept} из {pictures} ({people} чел.). Обучение: {train} изображений ({learnt} чел.), валидация: "
        "{validate} других изображений тех же людей; для верификации отложено изображений: {unseen} ({unseen_people} чел.).",
    ),
    # headings, tables and axes
    "aligned_faces": ("Aligned faces", "Выровненные лица"),
    "mistakes": ("Mistakes", "Ошибки"),
    "chosen_pictures": ("Selected images", "Отобранные изображения"),
    "far_axis": ("false accept rate (FAR)", "доля ложно принятых пар (FAR)"),
    "tar_axis": ("true accept rate (TAR)", "доля верно принятых пар (TAR)"),
    "validation_top1": ("validation accuracy", "точность на валидации"),
    # why pictures are not selected
    "no_person": ("no name", "имя не указано"),
    "unreadable": ("unreadable", "нечитаемые"),
    "no_face": ("no face detected", "лицо не обнаружено"),
    "no_points": ("no points", "нет точек"),
    "turned": ("turned too far", "слишком большой поворот"),
    "blurred": ("blurred", "размытые"),
    "small": ("small", "мелкие"),
    "few_pictures": ("people with too few good images", "люди, у которых мало хороших изображений"),
    "beyond_people": ("people beyond the limit", "люди сверх заданного числа"),
    "beyond_pictures": (
        "images of a person beyond the limit",
        "изображения человека сверх заданного числа",
    ),
    "one_sided": (
        "people in only one of the splits",
        "люди, которые есть только в одной из выборок",
    ),
}
