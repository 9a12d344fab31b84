"""Hooks of MkDocs: add the pages that are made from the code and from the repository's top folder.

The site then has one text for each subject: README.md is its home page, the help of `facealign` its
command-line reference, params.yaml the reference of parameters.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import facealign

ROOT = Path(__file__).resolve().parents[1]
# files of the top folder -> their pages
TOP = {
    "README.md": "index.md",
    "MODEL_CARD.md": "model-card.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
LINKED = TOP | {"params.yaml": "reference/parameters.md"}
LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    """List the packages in the navigation."""
    reference = next(entry["Reference"] for entry in config.nav if "Reference" in entry)
    reference.append({"Packages": [f"reference/packages/{name}.md" for name in packages()]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    pages = {page: (ROOT / source).read_text(encoding="utf-8") for source, page in TOP.items()}
    pages["reference/python.md"] = public_names()
    pages["reference/command-line.md"] = command_line()
    pages["reference/parameters.md"] = parameters()
    for name in packages():
        pages[f"reference/packages/{name}.md"] = f"# {name}\n\n::: facealign.{name}\n"
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links that leave docs/ to their pages; other files of the repository have none."""
    own = page.file.src_uri
    source = next((top for top, made in TOP.items() if made == own), f"docs/{own}")

    def on_site(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups()
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path in LINKED or path.startswith("docs/"):
            linked = LINKED.get(path, path.removeprefix("docs/"))
            there = posixpath.relpath(linked, posixpath.dirname(own) or ".")
            return f"{image}[{text}]({there}{anchor or ''})"
        return text if (ROOT / path).exists() else match[0]

    return LINK.sub(on_site, markdown)


def packages() -> list[str]:
    """The packages of facealign."""
    return sorted(path.parent.name for path in (ROOT / "facealign").glob("*/__init__.py"))


def public_names() -> str:
    """What `facealign.__all__` lists, each with its docstring."""
    names = sorted(name for name in facealign.__all__ if not name.startswith("_"))
    return "# Python\n\n" + "\n\n".join(f"::: facealign.{name}" for name in names) + "\n"


def command_line() -> str:
    """The help of `facealign`, of each of its commands and of their actions."""
    text = help_of()
    sections = [f"# Command line\n\n```text\n{text}```\n"]
    for name in _listed(text):
        its = help_of(name)
        sections.append(f"## facealign {name}\n\n```text\n{its}```\n")
        for action in _listed(its):
            sections.append(
                f"### facealign {name} {action}\n\n```text\n{help_of(name, action)}```\n"
            )
    if len(sections) == 1:
        raise RuntimeError("facealign --help lists no commands")
    return "\n".join(sections)


def _listed(help_text: str) -> list[str]:
    """The commands, or the actions of a command, that a help lists."""
    return re.findall(r"^ {2,4}([a-z]+) {2,}\S", help_text, re.M)


def help_of(*words: str) -> str:
    """What `facealign WORDS --help` prints."""
    environment = os.environ | {"COLUMNS": "88", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    # the command's name in the help is that of argv[0]
    code = "import sys; sys.argv[0] = 'facealign'; from facealign.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words, "--help"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def parameters() -> str:
    """params.yaml, whose comments explain each value."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    return f"# Parameters\n\n`params.yaml`, with the defaults:\n\n```yaml\n{text}```\n"
