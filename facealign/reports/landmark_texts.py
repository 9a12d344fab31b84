"""The texts of the report on landmarks, in English and Russian side by side."""

from facealign.core.faces import DLIB_TRAINED, METHOD_NAMES
from facealign.reports.wording import Texts

TEXTS: Texts = {
    # headings
    "title": ("Facial landmarks: {datasets}", "Ключевые точки лица: {datasets}"),
    "regions": ("Error by facial region", "Ошибка по областям лица"),
    "difficulty": (
        "Accuracy by yaw, sharpness and face size",
        "Точность в зависимости от поворота, резкости и размера лица",
    ),
    "examples": ("Examples", "Примеры"),
    "data": ("Data", "Данные"),
    # which run this is
    "trained": (
        "Network: {arch} at {size} px, {epochs} epochs, seed {seed}. Archive: {archive}.",
        "Сеть: {arch}, {size} пикселей, эпох: {epochs}, seed {seed}. Архив: {archive}.",
    ),
    "experiment": (
        "Experiment: {name}, on revision {revision}.",
        "Эксперимент: {name}, на ревизии {revision}.",
    ),
    "no_experiment": (
        "Run without an experiment; the matching commit is the one whose dvc.lock lists this file's MD5.",
        "Не эксперимент: ревизия — коммит, в dvc.lock которого есть MD5 этого файла.",
    ),
    # findings; a sentence has the name of a baseline in any place and case
    "dlib-trained-said": ("dlib (trained here)", "dlib (обучение здесь)"),
    "better": (
        "{dataset} ({images} images): AUC@0.08 is {model} for the network and {theirs} for {other}. The network is better by "
        "{value} (95 % CI {low} to {high}, p {p}).",
        "{dataset} (изображений: {images}): AUC@0.08 сети — {model}, {other} — {theirs}. Сеть точнее на {value} "
        "(95%-й доверительный интервал от {low} до {high}, p {p}).",
    ),
    "worse": (
        "{dataset} ({images} images): AUC@0.08 is {model} for the network and {theirs} for {other}. {other} is better by {value} "
        "(95 % CI {low} to {high}, p {p}).",
        "{dataset} (изображений: {images}): AUC@0.08 сети — {model}, {other} — {theirs}. {other} точнее на {value} "
        "(95%-й доверительный интервал от {low} до {high}, p {p}).",
    ),
    "not_significant": (
        "{dataset} ({images} images): AUC@0.08 is {model} for the network and {theirs} for {other}. The difference is not "
        "significant (network minus {other}, 95 % CI {low} to {high}, p {p}).",
        "{dataset} (изображений: {images}): AUC@0.08 сети — {model}, {other} — {theirs}. Разница статистически незначима "
        "(сеть минус {other}, 95%-й доверительный интервал от {low} до {high}, p {p}).",
    ),
    "too_few": (
        "{dataset} ({images} images): AUC@0.08 is {model} for the network and {theirs} for {other}. These are too few images to "
        "tell which is better.",
        "{dataset} (изображений: {images}): AUC@0.08 сети — {model}, {other} — {theirs}. Изображений слишком мало, чтобы судить, "
        "что точнее.",
    ),
    "no_dlib": (
        "dlib is not compared: its 68 points and those of this scheme have no scheme in common.",
        "dlib не сравнивается: у его 68 точек и точек этой разметки нет общей разметки.",
    ),
    "dlib_saw": (
        "dlib's predictor was trained on images of 300-W, its test images included: on 300W it is at an advantage.",
        "Предиктор dlib обучен на изображениях 300-W, в том числе тестовых: на 300W у него преимущество.",
    ),
    "nothing_tested": (
        "{dataset}: the detector found no face in any test image, so nothing could be measured.",
        "{dataset}: детектор не обнаружил лиц ни на одном тестовом изображении, оценивать нечего.",
    ),
    "all_found": (
        "The detector found the face in all test images ({total}).",
        "Детектор обнаружил лицо на всех тестовых изображениях ({total}).",
    ),
    "not_found": (
        "The detector missed the face in {lost} of {total} test images. The other figures leave these images out; "
        "counted as failures, they give AUC@0.08 {model} for the network and {dlib} for dlib.",
        "Детектор не обнаружил лицо на {lost} из {total} тестовых изображений. В остальных показателях они не учтены; "
        "если считать их отказами, AUC@0.08 сети — {model}, dlib — {dlib}.",
    ),
    "all_used": (
        "All images of the archive are used ({kept}).",
        "Использованы все изображения архива ({kept}).",
    ),
    "some_dropped": (
        "Of the archive's images, {kept} are used and {dropped} were dropped ({reasons}).",
        "Изображений архива использовано: {kept}, исключено: {dropped} ({reasons}).",
    ),
    "no_duplicates": (
        "No test image is a near-duplicate of a training image.",
        "Среди тестовых изображений нет почти точных копий обучающих.",
    ),
    "duplicates": (
        "Test images that are near-duplicates of training images: {count}. AUC@0.08 of the network is {without} without "
        "them and {all} with them.",
        "Тестовых изображений, почти совпадающих с обучающими: {count}. Без них AUC@0.08 сети — {without}, с ними — {all}.",
    ),
    "parts": (
        "The network is least accurate on the {worst} (mean error {worst_error} of the face size) and most accurate on "
        "the {best} ({best_error}).",
        "Наибольшая средняя ошибка сети — в области «{worst}» ({worst_error} размера лица), наименьшая — в области «{best}» "
        "({best_error}).",
    ),
    "parts_worse": (
        "The network is better than dlib overall, but significantly worse on: {parts}.",
        "В целом сеть точнее dlib, но значимо уступает ему в областях: {parts}.",
    ),
    "parts_better": (
        "The network is worse than dlib overall, but significantly better on: {parts}.",
        "В целом сеть уступает dlib, но значимо точнее в областях: {parts}.",
    ),
    "hard_yaw": (
        "Accuracy drops on turned faces: AUC@0.08 is {worst} at a yaw of {worst_group} degrees and {best} at {best_group}.",
        "На повёрнутых лицах точность ниже: AUC@0.08 — {worst} при повороте на {worst_group}° и {best} на {best_group}°.",
    ),
    "hard_sharpness": (
        "Accuracy drops on blurred faces: AUC@0.08 is {worst} on the least sharp third and {best} on the sharpest.",
        "На размытых лицах точность ниже: AUC@0.08 — {worst} на наименее резкой трети и {best} на самой резкой.",
    ),
    "hard_size": (
        "Accuracy drops on small faces: AUC@0.08 is {worst} at {worst_group} pixels and {best} at {best_group}.",
        "На мелких лицах точность ниже: AUC@0.08 — {worst} при размере {worst_group} пикселей и {best} при {best_group}.",
    ),
    "none_hard": (
        "No significant loss of accuracy on turned, blurred or small faces in these images.",
        "Значимого снижения точности на повёрнутых, размытых или мелких лицах на этих изображениях не выявлено.",
    ),
    "none_compared": (
        "Too few test images to compare turned, blurred and small faces with the others.",
        "Тестовых изображений слишком мало, чтобы сравнить повёрнутые, размытые и мелкие лица с остальными.",
    ),
    "overfitted": (
        "Validation NME was lowest at epoch {best} of {epochs} and then rose by {worse} while the training loss kept "
        "falling: the network overfits, and more epochs will not help.",
        "Наименьшая NME на валидации — на эпохе {best} из {epochs}; затем она выросла на {worse}, хотя функция потерь на "
        "обучении продолжала снижаться: сеть переобучается, увеличивать число эпох бесполезно.",
    ),
    "still_falling": (
        "Validation NME was lowest at epoch {best} of {epochs} and fell by {fell} in the last quarter: more epochs may help.",
        "Наименьшая NME на валидации — на эпохе {best} из {epochs}; за последнюю четверть обучения она снизилась на {fell}: "
        "возможно, стоит увеличить число эпох.",
    ),
    "settled": (
        "Validation NME was lowest at epoch {best} of {epochs} and levelled off as the learning rate fell. Only a longer "
        "training can show whether more epochs help.",
        "Наименьшая NME на валидации — на эпохе {best} из {epochs}; со снижением скорости обучения она почти перестала меняться. "
        "Помогут ли ещё эпохи, покажет только более долгое обучение.",
    ),
    "few_epochs": (
        "Validation NME was lowest at epoch {best} of {epochs}: too few epochs to tell whether more would help.",
        "Наименьшая NME на валидации — на эпохе {best} из {epochs}: эпох слишком мало, чтобы судить, помогут ли ещё.",
    ),
    # methods
    "metric": (
        "The error of an image is the mean distance between its predicted and true points, in pixels of the original "
        "image, divided by √(H·W) of the detector's rectangle. The CED at x is the share of images with an error below x. "
        "AUC@0.08 is the area under the CED from 0 to 0.08, scaled so that 1 is perfect; FR@0.08 is the share of images "
        "with an error of 0.08 or more; NME is the mean error. CI is the bootstrap confidence interval over images "
        "({resamples} resamples).",
        "Ошибка на изображении — среднее расстояние между предсказанными и истинными точками в пикселях исходного "
        "изображения, делённое на √(H·W) прямоугольника детектора. Значение CED в точке x — доля изображений с ошибкой меньше x. "
        "AUC@0.08 — площадь под CED от 0 до 0,08, нормированная так, что идеал равен 1; FR@0.08 — доля изображений с "
        "ошибкой 0,08 и больше; NME — средняя ошибка. ДИ — доверительный интервал, бутстрэп по изображениям (выборок: {resamples}).",
    ),
    "no_regions": (
        "The points that are compared, such as the five of eyes, nose and mouth, have no regions.",
        "У точек, по которым идёт сравнение (например, у пяти точек глаз, носа и рта), нет областей.",
    ),
    "difficulty_method": (
        "Yaw is estimated from the true points. Sharpness is the share of the finest detail in all detail of the face. "
        "Size is √(H·W) of the rectangle. Bars are 95 % confidence intervals; the small numbers count the images. Groups of "
        "fewer than {fewest} images are not drawn.",
        "Угол поворота оценён по истинным точкам. Резкость — доля самых мелких деталей во всех деталях лица. Размер — √(H·W) "
        "прямоугольника. Отрезки — 95%-е доверительные интервалы, мелкие числа — количество изображений. Группы, в которых "
        "меньше {fewest} изображений, не показаны.",
    ),
    "dropped_method": (
        "data/dropped.csv lists every dropped file with the reason, data/undetected.csv every undetected face.",
        "Исключённые файлы с указанием причины перечислены в data/dropped.csv, необнаруженные лица — в data/undetected.csv.",
    ),
    # captions
    "ced_caption": (
        "CED up to 0.08; higher and further left is better. In parentheses: images.",
        "CED до 0,08: чем выше и левее, тем лучше. В скобках — число изображений.",
    ),
    "regions_caption": (
        "Mean error of each region over all test images; shorter is better.",
        "Средняя ошибка в каждой области по всем тестовым изображениям: чем короче, тем лучше.",
    ),
    "difficulty_caption": (
        "AUC@0.08 by yaw, sharpness and face size; higher is better.",
        "AUC@0.08 в зависимости от поворота, резкости и размера лица: чем выше, тем лучше.",
    ),
    "best_faces": (
        "Smallest errors of the network. True points in green, predictions in red.",
        "Наименьшие ошибки сети. Истинные точки — зелёные, предсказанные — красные.",
    ),
    "median_faces": ("Errors around the median.", "Ошибки около медианы."),
    "worst_faces": ("Largest errors.", "Наибольшие ошибки."),
    "lost_faces": (
        "Faces on which dlib (blue) is ahead of the network by the largest margin. Below each: error of the network, error of dlib.",
        "Лица, на которых dlib (синие точки) сильнее всего опережает сеть. Подписаны ошибка сети и ошибка dlib.",
    ),
    "undetected_faces": (
        "Test faces that the detector missed: {shown} of {total}.",
        "Необнаруженные лица тестовой выборки: {shown} из {total}.",
    ),
    "example_faces": (
        "Training faces with their true points: {shown} of {total}.",
        "Лица обучающей выборки с истинными точками: {shown} из {total}.",
    ),
    "duplicate_faces": (
        "Near-duplicates, {shown} of {total}: a training face, then the test face with the number of bits, of 64, in which "
        "their hashes differ.",
        "Почти точные копии, {shown} из {total}: лицо обучающей выборки, затем тестовой; подписано, в скольких из 64 битов "
        "различаются хеши.",
    ),
    "training_caption": (
        "Training loss, validation NME and learning rate. The dotted line marks the epoch that was kept.",
        "Функция потерь на обучении, NME на валидации и скорость обучения. Пунктиром отмечена сохранённая эпоха.",
    ),
    # tables and figures
    "dataset": ("data set", "набор данных"),
    "split": ("split", "выборка"),
    "method": ("method", "метод"),
    "model": ("network", "сеть"),
    "dlib-trained": (METHOD_NAMES[DLIB_TRAINED], "dlib, обучен здесь"),
    "all": ("all", "все"),
    "together": ("All data sets", "Все наборы данных"),
    "undetected": ("undetected", "не обнаружено"),
    "with_undetected": ("with undetected", "с необнаруженными"),
    "kept": ("kept", "использовано"),
    "found": ("face detected", "лицо обнаружено"),
    "dropped": ("dropped", "исключено"),
    "train": ("training", "обучающая"),
    "test": ("test", "тестовая"),
    "error_axis": ("error / √(H·W)", "ошибка / √(H·W)"),
    "share_axis": ("images with a smaller error", "доля изображений с меньшей ошибкой"),
    "yaw": ("yaw, degrees", "поворот, градусы"),
    "sharpness": ("sharpness, thirds", "резкость, трети"),
    "size": ("face size, pixels", "размер лица, пиксели"),
    "least": ("lowest", "низкая"),
    "middle": ("middle", "средняя"),
    "most": ("highest", "высокая"),
    "validation_nme": ("validation NME", "NME на валидации"),
    "learning_rate": ("learning rate", "скорость обучения"),
    # regions of the face
    "jaw": ("jaw", "контур лица"),
    "ears": ("ears", "уши"),
    "brows": ("brows", "брови"),
    "nose": ("nose", "нос"),
    "eyes": ("eyes", "глаза"),
    "mouth": ("mouth", "рот"),
    # why files are dropped
    "profile_39": ("39-point profiles", "профили с 39 точками"),
    "wrong_count": ("wrong number of points", "неверное число точек"),
    "unreadable_points": ("unreadable points", "нечитаемые точки"),
    "unreadable_image": ("unreadable images", "нечитаемые изображения"),
    "not_finite": (
        "coordinates that are not finite",
        "координаты, не являющиеся конечными числами",
    ),
    "degenerate": ("degenerate faces", "вырожденные лица"),
    "far_outside": ("points far outside the image", "точки далеко за пределами изображения"),
    "no_points": ("images without a .pts file", "изображения без файла .pts"),
    "no_image": (".pts files without an image", "файлы .pts без изображения"),
    "ambiguous": ("several images for one .pts file", "несколько изображений на один файл .pts"),
    "unknown_file": ("other files", "прочие файлы"),
    "outside_splits": ("in neither train nor test", "вне папок train и test"),
    "held_back": (
        "held back: the data set is for testing only",
        "не используются: набор данных только для тестирования",
    ),
}
