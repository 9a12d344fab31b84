import pytest
import torch
from torch import nn

from facealign import models
from facealign.experiments import cost, zoo, zoo_table
from facealign.models.parts.layers import Shape
from tests.helpers import ROOT


def test_a_multiplication_and_its_addition_are_two_operations() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 10))
    assert cost.parameters(network) == 4 * (27 + 1) + 10 * (144 + 1)
    assert cost.operations(network, 8) == 2 * (36 * 4 * 27 + 144 * 10)
    assert network.training


def test_the_resnets_operations_are_those_that_are_published() -> None:
    network, _ = models.build("resnet18", Shape(224, torch.zeros(68, 2)))
    assert cost.operations(network, 224) == pytest.approx(2 * 1.814e9, rel=0.002)


def test_the_table_of_the_documents_is_the_one_that_is_counted() -> None:
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split("|")[:5] for line in text.splitlines() if line[:3] == "| `"]
    written = [[cell.strip() for cell in row] for row in rows]
    counted = [zoo_table.counted(*entry) for entry in zoo.recipes(zoo_table.LIST).items()]
    assert written[: len(counted)] == counted
    assert {recipe.train.arch for recipe in zoo.recipes(zoo_table.LIST).values()} == set(
        models.names()
    )


def test_the_speed_of_training_is_that_of_the_recipe() -> None:
    recipe = zoo.recipes(zoo_table.LIST)["onet"]
    assert recipe.size == 48 and recipe.train.precision == "float32"
    # two batches on a busy machine take seconds, where an idle one makes hundreds of faces in one
    assert zoo.training_speed(recipe, faces=64) > 1


def test_a_recipe_knows_how_often_its_network_looks() -> None:
    looks = {name: recipe.mirrored for name, recipe in zoo.recipes(zoo_table.LIST).items()}
    assert looks["cascade"] and not looks["small"]
