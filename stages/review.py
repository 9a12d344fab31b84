"""Compare a run with another one: a page in Markdown, figures beside it. No stage.

Each is an experiment, branch, tag or commit, or `workspace`: the files as they lie here.
"""

from pathlib import Path

from facealign import comparison, config, experiments, review
from facealign.evaluation import Ced
from facealign.experiments import Source, Workspace
from stages import run


def main(base: Path, head: Path, folder: Path) -> None:
    before, after = _source(str(base)), _source(str(head))
    compared = comparison.compare(
        comparison.load(before), comparison.load(after), config.load("ced", Ced)
    )
    print(review.write(compared, before, after, folder))
    print(f"{folder / review.PAGE}, with its figures beside it")


def _source(name: str) -> Source:
    return Workspace() if name == Workspace().name else experiments.find(name)


if __name__ == "__main__":
    run(main)
