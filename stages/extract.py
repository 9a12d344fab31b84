"""Unpack the archive of faces."""

from pathlib import Path

from facealign.core.command import run
from facealign.data import archive


def main(source: Path, faces: Path) -> None:
    unpacked, left_out = archive.extract(source, faces)
    for top, count in sorted(unpacked.items()):
        print(f"{top}: {count} files, now in {faces}")
    for top, count in sorted(left_out.items()):
        print(f"left out: {top}, {count} files, no data set")


if __name__ == "__main__":
    run(main)
