"""Carry out the Dockerfile's steps without an engine: python .ci/dockerfile.py [TARGET...]

Each image gets an empty folder for its home, an empty virtual environment for its Python, and
what Git has of this project to copy from. Packages of the system are not installed but looked for.
Then the image's command runs, and `facealign predict` on a picture.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = "/home/facealign"
SYSTEM = ("apt-get", "useradd")  # steps of root's that no empty folder can carry out


class Image:
    """One image on its way."""

    def __init__(self, folder: Path, context: Path) -> None:
        self.home, self.context, self.cwd = folder / "home", context, folder / "home"
        self.home.mkdir(parents=True)
        subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
        inherited = ("PIP_", "SSL_", "REQUESTS_", "HTTP", "NO_PROXY", "LANG")
        self.environment = {k: v for k, v in os.environ.items() if k.upper().startswith(inherited)}
        self.environment |= {
            "PATH": f"{folder / 'python' / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
        }
        self.entry: list[str] = []
        self.command: list[str] = []
        self.user = "root"

    def here(self, text: str) -> str:
        return text.replace(HOME, str(self.home))

    def run(self, command: str | list[str]) -> None:
        print(f"+ {command if isinstance(command, str) else shlex.join(command)}", flush=True)
        words = ["/bin/sh", "-ceu", command] if isinstance(command, str) else command
        subprocess.run(words, cwd=self.cwd, env=self.environment, check=True)

    def step(self, name: str, rest: str) -> None:
        rest = self.here(rest)
        if name == "RUN" and rest.startswith(SYSTEM):
            for wanted in re.findall(r"install .*?recommends ([a-z ]+)", rest):
                for program in wanted.split():
                    assert shutil.which(program), f"{program} is not installed"
        elif name == "RUN":
            self.run(rest)
        elif name == "COPY":
            *sources, target = [word for word in rest.split() if not word.startswith("--")]
            for source in sources:
                self.copy(self.context / source, self.cwd / target, len(sources) > 1)
        elif name == "WORKDIR":
            self.cwd = Path(rest)
            assert self.cwd.is_dir(), f"{rest} would be made by root"
        elif name == "ENV":
            key, value = rest.split("=", 1)
            self.environment[key] = value.replace("$PATH", self.environment["PATH"])
        elif name == "USER":
            self.user = rest
        elif name in ("ENTRYPOINT", "CMD"):
            setattr(self, {"ENTRYPOINT": "entry", "CMD": "command"}[name], json.loads(rest))
        else:
            assert name == "ARG", name

    @staticmethod
    def copy(source: Path, target: Path, several: bool) -> None:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
        else:
            if several or target.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                target /= source.name
            shutil.copy(source, target)


def steps() -> dict[str, list[tuple[str, str]]]:
    """Image -> its steps."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    images: dict[str, list[tuple[str, str]]] = {}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            images[rest.split(" AS ")[1]] = []
        elif name:
            images[list(images)[-1]].append((name, rest))
    return images


def main(targets: list[str]) -> None:
    images = steps()
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        subprocess.run(["git", "clone", "-q", ROOT, context], check=True)
        for target in targets or images:
            image = Image(Path(folder) / target, context)
            for name, rest in images[target]:
                image.step(name, rest)
            assert image.user == "facealign", "the last user is root"
            image.run(image.entry + image.command)
            predict = ["facealign"] if image.entry else ["python", "-m", "facealign"]
            image.run([*predict, "predict", str(ROOT / "docs" / "images" / "astronaut.jpg")])
            print(f"{target}: every step was carried out", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
