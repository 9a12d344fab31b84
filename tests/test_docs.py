"""What the documents say, held against the files it comes from."""

import json
import re
from pathlib import Path

from facealign.report import results_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]


def test_the_readmes_table_is_that_of_the_committed_run() -> None:
    ced = json.loads((ROOT / "metrics" / "ced.json").read_text(encoding="utf-8"))
    assert results_table(ced, markdown=True) in README


def test_the_readmes_speed_is_that_of_the_committed_benchmark() -> None:
    stages = json.loads((ROOT / "metrics" / "bench.json").read_text(encoding="utf-8"))["stages"]
    for stage, sizes in stages.items():
        seconds = " | ".join(f"{sizes[size]['seconds']:.1f}" for size in ("150", "300", "600"))
        peak = f"{sizes['600']['peak_mb']:.0f}"
        assert f"| {stage} | {seconds} | {peak} |" in README, stage


def test_links_and_pictures_lead_to_files() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
            if not target.startswith("https://"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_makefiles_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for document in DOCUMENTS:
        named = re.findall(r"(?:`|^)make ([a-z]+)", document.read_text(encoding="utf-8"), re.M)
        assert set(named) <= targets, document.name
