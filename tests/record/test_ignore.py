from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from runyard.record.ignore import IgnorePatterns


@pytest.mark.parametrize(
    ("lines", "path", "ignored"),
    [
        (["*.csv"], "data/a.csv", True),
        (["*.csv"], "data/a.csv.py", False),
        (["/*.csv"], "data/a.csv", False),
        (["data/"], "src/data/a.py", True),
        (["data/"], "data", False),  # a file of that name is no folder
        (["src/data"], "src/data/a.py", True),
        (["src/data"], "lib/src/data/a.py", False),
        (["**/data/*.npy"], "a/b/data/x.npy", True),
        (["a/**/z"], "a/z", True),
        (["a/**/z"], "a/b/c/z", True),
        (["a/**"], "a/b/c", True),
        (["*", "!keep.py"], "keep.py", False),
        (["data", "!data/keep.py"], "data/keep.py", True),  # what lies in an ignored folder cannot be taken back
        (["# data", "", r"\#x", r"\!y"], "#x", True),
        (["# data", "", r"\#x", r"\!y"], "!y", True),
        (["a.py  "], "a.py", True),
        ([r"a.py\ "], "a.py ", True),
        (["a.py\r\n"], "a.py", True),
        (["[a-c]?.py"], "b1.py", True),
        (["[!a-c]?.py"], "b1.py", False),
        (["a[", "b\\"], "a[", False),
        (["a.c"], "abc", False),
    ],
)
def test_a_pattern_matches_as_in_gitignore(lines: list[str], path: str, ignored: bool) -> None:
    assert IgnorePatterns(lines).ignores(path) is ignored


def test_no_pattern_ignores_nothing() -> None:
    assert not IgnorePatterns([]).ignores("a/b")
    assert not IgnorePatterns(["/", "!", "  "]).ignores("a/b")


# (``a**/b`` is left out: git takes its stars for a ``**/`` where they follow plain text, against its own manual)
_PARTS = [
    "a",
    "b",
    "ab",
    "*",
    "**",
    "***",
    "?",
    "a*",
    "*b",
    "[ab]",
    "[!a]",
    "[^b]",
    "[a-c]x",
    "x",
    r"\a",
    "a.py",
    "*.py",
]
_PARTS += ["[[:alpha:]]", "[]a]", "[a-]", "[b-a]", "[", "a\\", r"[a\]b]", "a b", r"a\ "]
_NAMES = ["a", "b", "ab", "x", "a.py", "ax", "bx", "]", "-", "A", "[", "\\", "a b", "a "]


@pytest.mark.parametrize("seed", range(8))
def test_git_says_the_same_of_generated_patterns(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for _ in range(12):
        lines = [_some_pattern(draw) for _ in range(draw.randint(1, 4))]
        paths = sorted({"/".join(draw.choices(_NAMES, k=draw.randint(1, 4))) for _ in range(60)})
        (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
        told = subprocess.run(
            ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "-z", "--stdin"],
            input="\0".join(paths) + "\0",
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode in (0, 1), told.stderr
        ours = IgnorePatterns(lines)
        assert [path for path in paths if ours.ignores(path)] == sorted(filter(None, told.stdout.split("\0"))), lines


def _some_pattern(draw: random.Random) -> str:
    body = "/".join(draw.choices(_PARTS, k=draw.randint(1, 3)))
    return draw.choice(["", "", "", "!"]) + draw.choice(["", "", "/"]) + body + draw.choice(["", "", "/", " "])
