"""What the report on recognition says, in English and Russian, side by side."""

TEXTS: dict[str, tuple[str, str]] = {
    "recognition": ("Recognition: {people} people", "Распознавание: людей {people}"),
    "top1_best": (
        "{variant} recognises the most: {top1} of {images} pictures of {people} people who were learnt from other "
        "pictures (95 % interval {low} to {high}).",
        "Лучше всех узнаёт {variant}: {top1} из {images} изображений {people} человек, которых сеть училась узнавать по "
        "другим изображениям (95-процентный интервал от {low} до {high}).",
    ),
    "tar_best": (
        "Of {unseen} people never learnt, {variant} accepts the most pairs of one person: {tar}, where one in a hundred "
        "pairs of different people is accepted (95 % interval {low} to {high}).",
        "Из {unseen} человек, которых сеть не видела, {variant} принимает больше всего пар одного человека: {tar}, если "
        "принимать одну из ста пар разных людей (95-процентный интервал от {low} до {high}).",
    ),
    "no_unseen": (
        "Too few people were kept from learning to compare pairs of them.",
        "Людей, которых сеть не видела, слишком мало, чтобы сравнивать пары.",
    ),
    "lead_real": (
        "{what}: {better} is ahead of {worse} by {value} percentage points (95 % interval {low} to {high}), more than chance.",
        "{what}: {better} опережает {worse} на {value} процентного пункта (95-процентный интервал от {low} до {high}), это не случайность.",
    ),
    "lead_chance": (
        "{what}: {better} is ahead of {worse} by {value} percentage points, which may be chance (95 % interval {low} to {high}).",
        "{what}: {better} опережает {worse} на {value} процентного пункта, что может быть случайностью (95-процентный интервал от {low} "
        "до {high}).",
    ),
    "top1": ("Recognised pictures", "Узнанные изображения"),
    "tar_1e-2": ("Accepted pairs (TAR at FAR 0.01)", "Принятые пары (TAR при FAR 0,01)"),
    "over_losses": ("{figure}, mean of the losses", "{figure}, среднее по функциям потерь"),
    "over_points": ("{figure}, mean of the alignments", "{figure}, среднее по выравниваниям"),
    "aligned_none": ("no alignment", "без выравнивания"),
    "aligned_2": ("2 points", "2 точки"),
    "aligned_3": ("3 points", "3 точки"),
    "aligned_5": ("5 points", "5 точек"),
    "ce": ("cross-entropy", "кросс-энтропия"),
    "arcface": ("ArcFace", "ArcFace"),
    "alignment": ("alignment", "выравнивание"),
    "loss": ("loss", "функция потерь"),
    "figures_method": (
        "Top-1 is the share of validation pictures whose person the network names, all of them people it has learnt. "
        "TAR is the share of pairs of one person that are accepted, when FAR of the pairs of different people are, "
        "and EER the error where both errors are equal; these pairs are of people it has never seen. Intervals come "
        "from drawing people, since pictures of one person are alike.",
        "Top-1 — доля проверочных изображений, на которых сеть верно назвала человека; всех этих людей она училась "
        "узнавать. TAR — доля принятых пар одного человека, когда принята доля FAR пар разных людей; EER — ошибка там, "
        "где обе ошибки равны; эти пары — люди, которых сеть не видела. Интервалы получены выбором людей, а не "
        "изображений: изображения одного человека похожи.",
    ),
    "roc": (
        "Pairs of people never learnt: accepted pairs of one person against accepted pairs of different people.",
        "Пары людей, которых сеть не видела: принятые пары одного человека против принятых пар разных людей.",
    ),
    "far_axis": ("different people accepted (FAR)", "принято пар разных людей (FAR)"),
    "tar_axis": ("one person accepted (TAR)", "принято пар одного человека (TAR)"),
    "bars": (
        "Recognised pictures, with 95 % intervals.",
        "Узнанные изображения, с 95-процентными интервалами.",
    ),
    "aligned_faces": ("What the networks see", "Что видят сети"),
    "aligned_caption": (
        "Aligned by: {names}, a row each. On the left the mean of all pictures learnt from: the sharper, the more alike "
        "the faces lie.",
        "Выравнивание по строкам: {names}. Слева среднее всех обучающих изображений: чем оно резче, тем одинаковее "
        "лежат лица.",
    ),
    "mistakes": ("Mistakes", "Ошибки"),
    "mistakes_caption": (
        "Pictures that {variant} takes for somebody else, {shown} of {total}, the surest first; beside each a picture "
        "of whom it names.",
        "Изображения, на которых {variant} видит другого человека, {shown} из {total}, начиная с самых уверенных; рядом "
        "с каждым — изображение названного человека.",
    ),
    "no_mistakes": (
        "{variant} made no mistake on the validation pictures.",
        "{variant}: на проверочных изображениях ошибок нет.",
    ),
    "curves_caption": (
        "Loss and recognised validation pictures, epoch by epoch. The last epoch is kept, whatever the curve.",
        "Функция потерь и узнанные проверочные изображения по эпохам. Остаётся последняя эпоха, какой бы ни была кривая.",
    ),
    "validation_top1": ("recognised", "узнано"),
    "chosen_pictures": ("Chosen pictures", "Отобранные изображения"),
    "chosen_counts": (
        "{pictures} pictures were looked at and {kept} chosen, of {people} people. {learnt} people are learnt from "
        "{train} pictures and recognised on {validate}; {unseen_people} people with {unseen} pictures are kept for pairs.",
        "Просмотрено изображений: {pictures}, отобрано: {kept}, людей: {people}. Обучение: людей {learnt}, изображений "
        "{train}, проверка на {validate}; для пар отложено людей: {unseen_people}, изображений: {unseen}.",
    ),
    "why_not": ("why not", "почему нет"),
    "pictures": ("pictures", "изображений"),
    # why pictures are not chosen
    "no_person": ("nobody named", "имя не указано"),
    "unreadable": ("unreadable", "нечитаемые"),
    "no_face": ("no face found", "лицо не найдено"),
    "no_points": ("no points", "нет точек"),
    "turned": ("turned too far", "слишком повёрнуты"),
    "blurred": ("blurred", "размытые"),
    "small": ("small", "мелкие"),
    "few_pictures": (
        "of people with few good pictures",
        "людей, у которых мало хороших изображений",
    ),
    "beyond_people": ("of more people than asked for", "людей сверх заданного числа"),
    "beyond_pictures": (
        "more of a person than asked for",
        "изображения человека сверх заданного числа",
    ),
    "one_sided": (
        "only for training or only for validation",
        "только для обучения или только для проверки",
    ),
}
