"""Unpack the archive of faces."""

from pathlib import Path

from facealign import archive
from stages import run


def main(source: Path, faces: Path) -> None:
    members = archive.extract(source, faces)
    print(f"{members.pop(archive.ROOT)} files in {faces}")
    for top, count in sorted(members.items()):
        print(f"left out: {top}, {count} files outside {archive.ROOT}/")


if __name__ == "__main__":
    run(main)
