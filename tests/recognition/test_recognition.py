"""People chosen, faces aligned, recognisers trained and compared: the library."""

import dataclasses
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from facealign.core import config, images, tables
from facealign.core.errors import FacealignError, InputError
from facealign.core.files import write_json
from facealign.core.geometry import Box
from facealign.core.points import select
from facealign.faces import alignment, cropping
from facealign.faces.cropping import Stats
from facealign.recognition import aligned_faces, comparing, learning, people, verification
from facealign.recognition.aligned_faces import Align, Aligned
from facealign.recognition.learning import ArcFace, CrossEntropy, Recognize
from facealign.recognition.people import Examine, Examined, Identities
from facealign.recognition.recipe import GUESSES, NETWORK, TRAIN, UNSEEN, VALIDATE, Variants
from facealign.recognition.recogniser import RELEASED, Recogniser
from facealign.recognition.texts import TEXTS
from facealign.recognition.verification import Verify
from tests.helpers import PARAMS, ROOT

CHOOSE = config.load("recognition.identities", Identities, PARAMS)
LEARN = dataclasses.replace(
    config.load("recognition.recognize", Recognize, PARAMS), epochs=4, embedding=16, batch=8
)
VERIFY = Verify(resamples=200, seed=1)
WEIGHTS = ROOT / "facealign" / "weights" / "cascade.onnx"


@pytest.mark.parametrize(
    ("image", "person"),
    [
        ("ytf/train/Luis_Fonsi_21.jpg", "Luis_Fonsi"),
        ("lfw/train/Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee"),
        ("celeba/test/2880/000003.jpg", "2880"),
        ("ytf/train/P7_03.jpg", "P7"),
        ("300W/train/100843687_1.jpg", ""),
        ("ytf/train/portrait.jpg", ""),
        ("ytf/train/000003.jpg", ""),
        ("ytf/train/_21.jpg", ""),
    ],
)
def test_a_pictures_person_is_its_folders_name_or_the_files(image: str, person: str) -> None:
    assert people.person_of(image) == person


def test_a_picture_is_examined_for_its_face_and_points(
    tmp_path: Path, astronaut: np.ndarray, model: Path
) -> None:
    images.write(tmp_path / "a/train/Eileen_01.png", astronaut)
    images.write(tmp_path / "a/train/Nobody_01.png", astronaut[400:, :200])
    images.write(tmp_path / "a/test/unnamed.png", astronaut)
    (tmp_path / "a/test/Bad_01.png").write_bytes(b"no picture")
    pictures = people.find_pictures(tmp_path, ["a"])
    found = {}
    for source in ("model", "dlib", "dataset"):
        settings = Examine(("a",), "", source, (0,))
        seen = people.examine(tmp_path, pictures, settings, WEIGHTS, model)
        found[source] = {Path(one.image).stem: one for one in seen}
    reasons = {name: one.reason for name, one in found["model"].items()}
    assert reasons == {
        "Eileen_01": "",
        "Nobody_01": "no_face",
        "unnamed": "no_person",
        "Bad_01": "unreadable",
    }
    assert found["dataset"]["Eileen_01"].reason == "no_points"
    by_network, by_dlib = (found[name]["Eileen_01"] for name in ("model", "dlib"))
    assert by_network.box == by_dlib.box == Box(179, 83, 266, 170)
    far = np.linalg.norm(by_network.points - by_dlib.points, axis=1)
    assert 0 < far.max() < 0.06 * by_network.box.width
    assert abs(by_network.yaw) < 15 and by_network.sharpness > CHOOSE.sharpness


def test_an_unknown_data_set_of_people_is_named(tmp_path: Path) -> None:
    (tmp_path / "ytf").mkdir()
    with pytest.raises(FacealignError, match=r"the archive has no 'people', it has ytf"):
        people.find_pictures(tmp_path, ["people"])


def picture(name: str, **changes: object) -> Examined:
    person = people.person_of(name)
    good = Examined(name, person, box=Box(0, 0, 100, 100), sharpness=0.2)
    return dataclasses.replace(good, **changes)  # type: ignore[arg-type]


def some_people(count: int, each: int) -> list[Examined]:
    return [
        picture(f"ytf/{'test' if number % 4 == 0 else 'train'}/P{person}_{number:02}.jpg")
        for person in range(count)
        for number in range(each)
    ]


def test_every_picture_takes_part_or_has_a_reason() -> None:
    bad = {
        "small": picture("ytf/train/P0_90.jpg", box=Box(0, 0, 20, 20)),
        "turned": picture("ytf/train/P0_91.jpg", yaw=-80.0),
        "blurred": picture("ytf/train/P0_92.jpg", sharpness=0.01),
        "no_face": picture("ytf/train/P0_93.jpg", reason="no_face"),
        "few_pictures": picture("ytf/train/Q_1.jpg"),
        "beyond_people": None,
        "beyond_pictures": None,
    }
    seen = [*some_people(9, 12), *filter(None, bad.values())]
    settings = dataclasses.replace(CHOOSE, people=8, pictures=10, unseen=0.25)
    roles, reasons = people.choose(seen, settings)
    assert set(reasons.values()) == set(bad)
    assert sorted([*roles, *reasons]) == list(range(len(seen)))
    for reason, one in bad.items():
        if one is not None:
            assert reasons[seen.index(one)] == reason
    assert len({seen[row].person for row in roles}) == 8
    assert max(Counter(seen[row].person for row in roles).values()) == 10
    unseen, learnt, validated = (
        {seen[row].person for row in roles if roles[row] == role}
        for role in (UNSEEN, TRAIN, VALIDATE)
    )
    assert len(unseen) == 2 and not unseen & learnt
    assert learnt == validated
    for row, role in roles.items():  # the archive's own splits
        if role != UNSEEN:
            assert (role == TRAIN) == ("/train/" in seen[row].image)
    counts = people.summarise(seen, roles, reasons.values())
    assert counts["kept"] + counts["dropped"] == counts["pictures"] == len(seen)
    assert counts["people_learnt"] == 6 and counts["people_unseen"] == 2


def test_a_drawn_split_takes_a_share_of_each_person_and_the_same_each_time() -> None:
    settings = dataclasses.replace(CHOOSE, split="drawn", validation=0.2, unseen=0)
    seen = some_people(3, 20)
    roles, _ = people.choose(seen, settings)
    counts = Counter((seen[row].person, role) for row, role in roles.items())
    assert set(counts.values()) == {16, 4}
    assert people.choose(seen, settings)[0] == roles
    assert people.choose(seen, dataclasses.replace(settings, seed=2))[0] != roles


def test_people_who_are_only_in_one_split_are_left_out_and_too_few_are_an_error() -> None:
    seen = [*some_people(3, 8), *(picture(f"ytf/train/R_{n}.jpg") for n in range(8))]
    _, reasons = people.choose(seen, dataclasses.replace(CHOOSE, unseen=0))
    assert set(reasons.values()) == {"one_sided"} and len(reasons) == 8
    with pytest.raises(FacealignError, match=r"1 people are left to train on.*few_pictures 3"):
        people.choose([*some_people(1, 8), *some_people(2, 11)[19:]], CHOOSE)


@pytest.mark.parametrize("points", aligned_faces.CHOICES)
def test_the_eyes_lie_apart_as_the_template_has_them(points: str, face: np.ndarray) -> None:
    five = select(face, 5) + (200, 180)
    box = Box(200 - 100, 180 - 85, 200 + 100, 180 + 115)
    moved = aligned_faces.to_input(box, five, points, 64)(five)
    apart = np.linalg.norm(moved[1] - moved[0]) / 64
    assert apart == pytest.approx(alignment.EYES_APART, abs=0.08)


def test_pictures_are_stored_aligned(tmp_path: Path, astronaut: np.ndarray) -> None:
    images.write(tmp_path / "a.png", astronaut)
    five = np.array([[205.0, 112], [243, 110], [224, 135], [209, 150], [242, 150]])
    columns: dict[str, tables.Column]
    columns = {"image": ["a.png"] * 2, "person": ["A", "B"], "role": [TRAIN, UNSEEN]}
    columns |= {"left": [179.0] * 2, "top": [83.0] * 2, "right": [266.0] * 2, "bottom": [170.0] * 2}
    tables.write(tmp_path / "people.csv", columns, np.array([five, five]))
    some = tables.read(tmp_path / "people.csv")
    aligned_faces.write(tmp_path, some, "5", Align(side=64, context=0.125), tmp_path / "5")
    faces = aligned_faces.load(tmp_path / "5")
    assert faces.pixels.shape == (2, 80, 80, 3)
    assert faces.rows(TRAIN).tolist() == [0] and faces.people.tolist() == ["A", "B"]
    expected = alignment.align(astronaut, five, 5, 64)
    assert np.abs(faces.pixels[0][8:-8, 8:-8].astype(int) - expected).max() <= 1

    tables.write(tmp_path / "flat.csv", columns | {"right": [266.0, 179.0]}, np.array([five, five]))
    with pytest.raises(InputError, match=r"flat.csv: a box without width or height, or far out"):
        aligned_faces.write(
            tmp_path, tables.read(tmp_path / "flat.csv"), "5", Align(64, 0.125), tmp_path / "x"
        )


def two_colours(each: int = 12, unseen: int = 3) -> Aligned:
    """Four people, told apart by their picture's colour."""
    rng = np.random.default_rng(0)
    colours = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [180, 180, 30]])
    who = np.repeat(np.arange(4), each)
    noise = rng.integers(-30, 30, (len(who), 40, 40, 3))
    pixels = np.clip(colours[who][:, None, None] + noise, 0, 255).astype(np.uint8)
    roles = np.array(
        [UNSEEN if p >= 2 else VALIDATE if i % 4 == 0 else TRAIN for i, p in enumerate(who)], object
    )
    stats = Stats(32, 0.0, 4, (115.0,) * 3, (70.0,) * 3)
    names = [f"x/train/P{p}_{i}.png" for i, p in enumerate(who)]
    return Aligned(names, np.array([f"P{p}" for p in who], object), roles, pixels, stats)


@pytest.mark.slow
@pytest.mark.parametrize("loss", learning.HEADS)
def test_it_learns_who_is_who_and_the_same_again(loss: str) -> None:
    faces = two_colours()
    # so many that the norms' averages have settled, whatever the machine's last bits
    recipe = dataclasses.replace(LEARN, epochs=12)
    once, again = (learning.train(faces, loss, recipe) for _ in range(2))
    assert len(once.curve) == recipe.epochs and once.curve == again.curve
    assert {one.image for one in once.guesses} == {faces.images[r] for r in faces.rows(VALIDATE)}
    assert np.mean([one.guess == one.person for one in once.guesses]) == 1
    for one, other in zip(
        once.embedder.state_dict().values(), again.embedder.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.slow
def test_the_onnx_file_embeds_as_torch_does(tmp_path: Path) -> None:
    faces = two_colours()
    torch.manual_seed(0)
    embedder = learning.Embedder(16)
    learning.save(embedder, faces.stats, "3", tmp_path / "r.onnx")
    recogniser = Recogniser(tmp_path / "r.onnx")
    assert (recogniser.size, recogniser.points, recogniser.rim) == (32, "3", 4)
    assert recogniser.measured is None
    found = recogniser.of_crops(faces.pixels[:3, 4:-4, 4:-4])
    with torch.inference_mode():
        inputs = (faces.pixels[:3, 4:-4, 4:-4].astype(np.float32) - 115) / 70
        expected = F.normalize(embedder.eval()(torch.from_numpy(inputs).permute(0, 3, 1, 2)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert recogniser.of_crops(faces.pixels[:0, 4:-4, 4:-4]).shape == (0, 16)


def test_what_is_no_recogniser_is_named() -> None:
    with pytest.raises(FacealignError, match=r"cascade.onnx: not a recogniser of facealign"):
        Recogniser(WEIGHTS)
    with pytest.raises(FacealignError, match=r"nowhere.onnx: no such file"):
        Recogniser(Path("nowhere.onnx"))


def test_arcface_turns_the_own_persons_angle_by_the_margin() -> None:
    settings = dataclasses.replace(LEARN, arc_margin=0.5, arc_scale=10)
    head = ArcFace(2, 2, settings)
    head.directions.data = torch.tensor([[1.0, 0], [0, 2]])
    angle = 0.7  # to the first person's direction
    embedding = 3 * torch.tensor([[math.cos(angle), math.sin(angle)]])
    logits = [10 * math.cos(angle + 0.5), 10 * math.sin(angle)]
    expected = -logits[0] + math.log(sum(map(math.exp, logits)))
    assert head.loss(embedding, torch.tensor([0])).item() == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(
        head(embedding).detach(), [[math.cos(angle), math.sin(angle)]], atol=1e-6
    )


def test_arcfaces_loss_rises_with_the_angle_all_the_way() -> None:
    head = ArcFace(2, 2, dataclasses.replace(LEARN, arc_scale=2))
    head.directions.data = torch.tensor([[1.0, 0], [-1, 0]])
    angles = torch.linspace(0.01, math.pi - 0.01, 60)
    losses = [
        head.loss(torch.tensor([[math.cos(a), math.sin(a)]]), torch.tensor([0])).item()
        for a in angles
    ]
    assert (np.diff(losses) > 0).all()


def test_cross_entropy_is_the_usual_one() -> None:
    head = CrossEntropy(3, 2, LEARN)
    embeddings = torch.randn(4, 3)
    labels = torch.tensor([0, 1, 1, 0])
    expected = F.cross_entropy(head.classes(embeddings), labels)
    assert torch.equal(head.loss(embeddings, labels), expected)


def pairs(same: list[float], different: list[float]) -> verification.Pairs:
    cosines = np.array(same + different)
    order = np.argsort(-cosines, kind="stable")
    own = np.array([True] * len(same) + [False] * len(different))
    one, other = np.zeros(len(cosines), int), np.where(own, 0, 1)
    return verification.Pairs(cosines[order], own[order], one[order], other[order], 2)


def test_verification_by_hand() -> None:
    # one of ten different pairs lies above the second of four pairs of one person
    some = pairs([0.9, 0.6, 0.4, 0.1], [0.7, *[0.0] * 9])
    false, true = verification.roc(some)
    figures = verification.figures(false, true)
    assert figures["tar_1e-2"] == figures["tar_1e-3"] == 0.25
    assert figures["eer"] == pytest.approx((0.1 + 0.0) / 2)
    assert verification.threshold(some, 0.1) == 0.0 and verification.threshold(some, 0.01) == 0.7


def test_pairs_that_are_equally_alike_are_accepted_together() -> None:
    false, true = verification.roc(pairs([0.5, 0.5], [0.5, 0.2]))
    assert (false.tolist(), true.tolist()) == ([0.5, 1.0], [1.0, 1.0])


def test_all_pairs_of_pictures_are_there_the_most_alike_first() -> None:
    embeddings = np.array([[1.0, 0], [0.8, 0.6], [0, 1]])
    some = verification.pair_up(embeddings, np.array([0, 0, 1]))
    np.testing.assert_allclose(some.cosines, [0.8, 0.6, 0.0])
    assert some.same.tolist() == [True, False, False] and some.people == 2


def test_intervals_come_from_drawing_people_not_pictures() -> None:
    # every picture of a person is right, or none: as many facts as people
    known = np.repeat(np.arange(20), 50)
    draws = verification.draw(20, VERIFY)
    assert (draws.sum(axis=1) == 20).all()
    low, high = verification.interval(verification.shares(known < 10, known, draws))
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 20), rel=0.2)


def test_a_pair_counts_as_often_as_both_of_its_people_are_drawn() -> None:
    embeddings = np.array([[1.0, 0], [0.9, 0.436], [0.6, 0.8], [0.5, 0.866]])
    some = verification.pair_up(embeddings, np.array([0, 0, 1, 1]))
    twice = verification.resampled(some, np.array([[1, 1], [2, 0]]))
    plain = verification.figures(*verification.roc(some))
    assert twice["tar_1e-2"][0] == plain["tar_1e-2"] == 0.5 or plain["tar_1e-2"] == 1
    assert twice["tar_1e-2"][1] == 1  # nobody else is there to be taken for


def test_the_best_is_ahead_by_more_than_chance_or_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, 500)
    draws = {"a": 0.9 + noise, "b": 0.85 + noise, "c": 0.89 + rng.normal(0, 0.02, 500)}
    to_b, to_c = verification.leads({"a": 0.9, "b": 0.85, "c": 0.89}, draws)
    assert (to_b.better, to_b.worse, to_b.real) == ("a", "b", True)
    assert to_c.worse == "c" and not to_c.real
    assert verification.leads({}, {}) == []


@pytest.mark.slow
def test_variants_are_compared_and_without_unseen_people_there_are_no_pairs(
    tmp_path: Path,
) -> None:
    faces = two_colours()
    learnt = learning.train(faces, "ce", LEARN)
    folder = tmp_path / "networks" / "5-ce"
    learning.save(learnt.embedder, faces.stats, "5", folder / NETWORK)
    write_guesses(folder, learnt)
    for seen, role in ((True, UNSEEN), (False, TRAIN)):
        roles = np.where(faces.roles == UNSEEN, role, faces.roles)
        store(tmp_path / "aligned" / "5", dataclasses.replace(faces, roles=roles))
        compared = comparing.compare(
            [("5", "ce")], tmp_path / "aligned", tmp_path / "networks", VERIFY
        )
        figures = compared.figures["5"]["ce"]
        assert list(figures) == [
            *("top1", "top1_ci95", "people", "images", "tar_1e-2", "tar_1e-3", "eer")
        ]
        assert figures["top1"] == 1 and figures["people"] == 2 and figures["images"] == 6
        details = compared.details["variants"]["5-ce"]
        assert (details["unseen_people"] == 2) == seen
        assert (figures["eer"] is not None) == seen == bool(compared.curves)


def store(folder: Path, faces: Aligned) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / cropping.PIXELS, faces.pixels)
    write_json(folder / cropping.STATS, vars(faces.stats))
    columns = {tables.KEY: faces.images, "person": list(faces.people), "role": list(faces.roles)}
    tables.write(folder / cropping.INDEX, columns)


def write_guesses(folder: Path, learnt: learning.Learnt) -> None:
    lines = [dataclasses.astuple(one) for one in learnt.guesses]
    tables.write_rows(folder / GUESSES, ("image", "person", "guess", "score"), lines)


def test_a_list_of_variants_names_them() -> None:
    some = config.load("recognition.compare", Variants, PARAMS)
    assert len(some.names()) == 8 and some.names()[0] == ("none", "ce")


def test_the_reports_texts_are_there_in_both_languages() -> None:
    source = Path(people.__file__).read_text(encoding="utf-8")
    said = r'(?:Examined\(image, [a-z"]+|fromkeys\(.+), "([a-z_]+)"|return "([a-z]+)"'
    given = {reason for both in re.findall(said, source) for reason in both if reason}
    assert len(given) >= 10 and given <= TEXTS.keys(), given - TEXTS.keys()


def test_the_onnx_file_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    learning.save(learning.Embedder(8), two_colours().stats, "5", tmp_path / "r.onnx")
    written = (tmp_path / "r.onnx").read_bytes()
    assert str(Path(learning.__file__).parent).encode() not in written
    for path in (RELEASED, WEIGHTS):
        assert b"/tmp/" not in path.read_bytes() and b"site-packages" not in path.read_bytes()
