"""The documents of the project, and the blocks of commands and code in them."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.helpers import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
IN_PROJECT = "<!-- runs in the project -->"  # a page's commands need dvc and make
_BLOCK = re.compile(r"(?:^<!-- not run: (.*) -->\n)?^```(.*)\n((?:.*\n)*?)^```$", re.M)


@dataclass(frozen=True)
class Block:
    document: Path
    line: int
    language: str
    text: str
    excuse: str | None  # why it is not run

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def runs(self) -> bool:
        return self.language in ("bash", "python") and self.excuse is None


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(document, text.count("\n", 0, match.start(2)) + 1, match[2], match[3], match[1])
        for match in _BLOCK.finditer(text)
    ]


def commands(block: Block) -> list[str]:
    """The command lines of a block, without comments, continued lines joined."""
    text = re.sub(r"\s+#.*$", "", block.text.replace("\\\n", " "), flags=re.M)
    return [command.strip() for command in re.split(r"\n|&&", text) if command.strip()]
