"""Train the network that params.yaml describes."""

from dataclasses import asdict
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.errors import TrainingError
from facealign.core.files import file_lock, sha256, write_json
from facealign.core.schemes import files
from facealign.faces import cropping
from facealign.training import checkpoint, loop, processes, state
from facealign.training.loop import Trained
from facealign.training.recipe import Train


def main(crops: Path, scheme: Path, model: Path, curve: Path, speed: Path) -> None:
    if processes.start("stages.train", crops, scheme, model, curve, speed):
        return
    files.adopt(scheme)
    faces, recipe = cropping.load_crops(crops), config.load("train", Train)
    scratch = model.with_name(".training")
    with processes.joined():
        if not processes.is_first():
            loop.train(faces, recipe, scratch)
            return
        # the training of a killed `dvc repro` may still run
        with file_lock(scratch / state.LOCK):
            _save(loop.train(faces, recipe, scratch), recipe, model, curve, speed)


def _save(done: Trained, recipe: Train, model: Path, curve: Path, speed: Path) -> None:
    if config.load("train", Train) != recipe:  # DVC would record these values for this model
        raise TrainingError(
            "params.yaml: train was changed while its values were trained with; restore them and "
            "run again: the finished training is kept"
        )
    lines = [asdict(epoch) for epoch in done.curve]
    tables.write_rows(curve, tuple(lines[0]), [tuple(line.values()) for line in lines])
    checkpoint.save(done.best, model)
    # not an output of the stage: seconds differ from run to run, and outputs must not
    figures = done.speed.figures()
    write_json(speed, {"model_sha256": sha256(model), "train": figures})
    print(f"best epoch {done.best.epoch}: validation NME {done.best.validation_nme:.4f}")
    print(
        f"{figures['faces_per_second']:g} faces a second, "
        f"{figures['waiting_share']:.1%} of the time spent waiting for them"
    )


if __name__ == "__main__":
    run(main)
