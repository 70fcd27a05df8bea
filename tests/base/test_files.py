from __future__ import annotations

import hashlib
import json
import math
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from runyard.base import (
    RecordError,
    append_text,
    hash_file,
    read_json,
    read_tail,
    swap_symlink,
    write_bytes,
    write_json,
    write_text,
)


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("sync", [False, True])
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_file_is_put_in_its_place_and_nothing_else_is_left(tmp_path: Path, before: bytes | None, sync: bool) -> None:
    path = tmp_path / "f"
    if before is not None:
        path.write_bytes(before)
    write_bytes(path, b"new", sync=sync)
    assert path.read_bytes() == b"new"
    assert _names(tmp_path) == ["f"]


def test_a_secret_file_is_never_readable_by_others(tmp_path: Path) -> None:
    write_bytes(tmp_path / "f", b"x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600


def test_a_missing_folder_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_bytes(tmp_path / "missing" / "f", b"x")
    assert _names(tmp_path) == []


def test_a_folder_in_the_place_of_the_file_stays_and_no_temporary_is_left(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_bytes(tmp_path / "f", b"x")
    assert _names(tmp_path) == ["f"]


def _on_a_full_disk(folder: Path, code: str) -> None:
    """Runs code in a process that cannot make a file longer than 4096 bytes: the system's answer to a full disk."""
    script = """
        import resource, signal, sys
        from pathlib import Path
        from runyard.base import append_text, write_bytes, write_json, write_text
        folder = Path(sys.argv[1])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script) + textwrap.dedent(code), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "write",
    ["write_bytes(path, b'x' * 5000)", "write_text(path, 'x' * 5000)", "write_json(path, ['x' * 5000])"],
)
@pytest.mark.parametrize("before", [None, "old"])
def test_a_full_disk_leaves_what_was_there_and_no_temporary(tmp_path: Path, before: str | None, write: str) -> None:
    path = tmp_path / "f"
    if before is not None:
        path.write_text(before)
    code = f"""
        path = folder / 'f'
        try:
            {write}
        except OSError:
            pass
        else:
            raise SystemExit('no error')
    """
    _on_a_full_disk(tmp_path, code)
    assert _names(tmp_path) == ([] if before is None else ["f"])
    assert before is None or path.read_text() == before


def test_appending_to_a_full_disk_is_an_error_even_when_a_part_was_written(tmp_path: Path) -> None:
    code = """
        append_text(folder / 'f', 'x' * 4000)
        try:
            append_text(folder / 'f', 'y' * 4000)
        except OSError:
            pass
        else:
            raise SystemExit('no error')
    """
    _on_a_full_disk(tmp_path, code)
    assert (tmp_path / "f").read_text() == "x" * 4000 + "y" * 96


def test_a_file_that_is_being_replaced_is_never_seen_half(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_json(path, [0] * 20_000)
    code = (
        "import sys; from pathlib import Path; from runyard.base import write_json\n"
        "while True: write_json(Path(sys.argv[1]), [1] * 20_000); write_json(Path(sys.argv[1]), [2] * 20_000)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)]) as writer:
        seen = {read_json(path)[0]}
        while seen != {1, 2}:
            values = read_json(path)
            assert len(set(values)) == 1
            assert len(values) == 20_000
            seen = (seen | {values[0]}) - {0}
        writer.kill()
    assert read_json(path)[0] in (1, 2)


def test_many_writers_of_one_name_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    code = (
        "import sys; from pathlib import Path; from runyard.base import write_json\n"
        "for _ in range(60): write_json(Path(sys.argv[1]), [int(sys.argv[2])] * 1000)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(i)]) for i in range(3)]
    assert [w.wait() for w in writers] == [0, 0, 0]
    assert len(set(read_json(path))) == 1
    assert _names(tmp_path) == ["f"]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"b": 1, "a": [None, True]}, {"b": 1, "a": [None, True]}),
        ({"x": math.nan, "y": math.inf}, {"x": "NaN", "y": "Infinity"}),
        ("grün", "grün"),
        ("\udc80 torn surrogate", "\udc80 torn surrogate"),
    ],
)
def test_json_is_read_as_it_was_written(tmp_path: Path, value: Any, read: Any) -> None:
    write_json(tmp_path / "f", value)
    assert read_json(tmp_path / "f") == read
    assert (tmp_path / "f").read_text().endswith("\n")


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1', b"\x00" * 10, b"\xff\xfe", b"nonsense"])
def test_a_file_that_is_not_json_is_named_in_the_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(RecordError, match="not JSON") as caught:
        read_json(tmp_path / "f")
    assert caught.value.path == tmp_path / "f"


def test_a_missing_file_is_not_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "f")


def test_lines_appended_by_many_processes_do_not_mix(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from runyard.base import append_text\n"
        "for i in range(150): append_text(Path(sys.argv[1]), sys.argv[2] * 200 + '\\n')"
    )
    path = str(tmp_path / "f")
    writers = [subprocess.Popen([sys.executable, "-c", code, path, c]) for c in "abc"]
    assert [w.wait() for w in writers] == [0, 0, 0]
    lines = (tmp_path / "f").read_text().splitlines()
    assert sorted(lines) == sorted([c * 200 for c in "abc"] * 150)


def test_a_pointer_moves_from_one_target_to_the_next(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        swap_symlink(tmp_path / "latest", name)
        assert os.readlink(tmp_path / "latest") == name
    assert _names(tmp_path) == ["latest", "one", "two"]


def test_a_pointer_replaces_a_file_that_stands_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "latest").write_text("one\n")
    swap_symlink(tmp_path / "latest", "two")
    assert os.readlink(tmp_path / "latest") == "two"


def test_a_folder_in_the_place_of_a_pointer_is_kept(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine").write_text("x")
    with pytest.raises(OSError, match="directory"):
        swap_symlink(tmp_path / "latest", "two")
    assert (tmp_path / "latest" / "mine").read_text() == "x"
    assert _names(tmp_path) == ["latest"]


def test_text_that_utf8_cannot_carry_is_written_with_escapes(tmp_path: Path) -> None:
    write_text(tmp_path / "f", "a\udc80")
    append_text(tmp_path / "f", "\udc81")
    assert (tmp_path / "f").read_text() == "a\\udc80\\udc81"
    assert json.loads(f'"{(tmp_path / "f").read_text()}"') == "a\udc80\udc81"


@pytest.mark.parametrize(
    ("text", "most", "found"),
    [
        ("one\ntwo\nthree\n", 100, ("one\ntwo\nthree\n", 0)),
        ("one\ntwo\nthree\n", 8, ("three\n", 8)),
        ("one long line", 4, ("line", 9)),
        ("", 10, ("", 0)),
    ],
)
def test_the_tail_of_a_file_has_whole_lines(tmp_path: Path, text: str, most: int, found: tuple[str, int]) -> None:
    (tmp_path / "log").write_text(text)
    assert read_tail(tmp_path / "log", most) == found


def test_a_file_that_is_not_there_has_no_tail(tmp_path: Path) -> None:
    assert read_tail(tmp_path / "none", 10) == ("", 0)


def test_the_hash_of_a_file_is_that_of_all_its_bytes(tmp_path: Path) -> None:
    data = b"x" * (1 << 20) + b"y"
    (tmp_path / "data").write_bytes(data)
    assert hash_file(tmp_path / "data") == hashlib.sha256(data).hexdigest()
