import pytest
import torch
from torch import nn

from facealign import models
from facealign.experiments import cost, zoo, zoo_table
from facealign.models.parts.layers import Shape
from tests.helpers import PARAMS, ROOT


def test_a_multiplication_and_its_addition_are_two_operations() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 10))
    assert cost.parameters(network) == 4 * (27 + 1) + 10 * (144 + 1)
    assert cost.operations(network, 8) == 2 * (36 * 4 * 27 + 144 * 10)
    assert network.training


def test_the_resnets_operations_are_those_that_are_published() -> None:
    network, _ = models.build("resnet18", Shape(224, torch.zeros(68, 2)))
    assert cost.operations(network, 224) == pytest.approx(2 * 1.814e9, rel=0.002)


def test_the_rows_of_the_documented_table_are_those_that_are_counted() -> None:
    recipes = zoo.recipes(zoo_table.LIST)
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    cells = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in row[:5]] for row in cells]
    written = {row[0]: row for row in rows if row[0] in recipes}
    assert "cascade" in written
    for name, row in written.items():
        assert row == zoo_table.counted(name, recipes[name])


def test_the_speed_of_training_is_that_of_the_recipe() -> None:
    recipe = zoo.recipes(zoo_table.LIST)["onet"]
    assert recipe.size == 48 and recipe.train.precision == "float32"
    # two batches on a busy machine take seconds, where an idle one makes hundreds of faces in one
    assert zoo.training_speed(recipe, faces=64) > 1


def test_a_recipe_has_the_lists_options_and_flip_augmentation() -> None:
    recipes = zoo.recipes(zoo_table.LIST)
    assert recipes["cascade"].flip and not recipes["small"].flip
    assert recipes["small"].train.networks["cascade"].width == 24
    assert recipes["cascade"].train.networks["cascade"].trunk == "efficientnet"


def test_a_recipe_has_the_crops_of_the_list_and_of_params_yaml_where_the_list_has_none() -> None:
    recipes = zoo.recipes(zoo_table.LIST, PARAMS)
    margins = {name: recipe.stats.margin for name, recipe in recipes.items()}
    assert (margins["onet"], margins["cascade"]) == (0.1, 0.15)
    assert recipes["onet"].stats.border == round(0.25 * 48)  # crop.context is in params.yaml only
