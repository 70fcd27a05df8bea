from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runyard.base import StorageError, UsageError
from runyard.record import FrozenCode, freeze_code
from runyard.record.source import find_root, list_source
from runyard.record.trees import MARKER

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    def run(*args: str, cwd: Path | None = None) -> str:
        options = ["-c", "user.name=x", "-c", "user.email=x@y", "-c", "protocol.file.allow=always"]
        folder = tmp_path / "repo" if cwd is None else cwd
        done = subprocess.run(["git", *options, *args], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout

    return run


@pytest.fixture
def repo(tmp_path: Path, git: Git) -> Path:
    folder = tmp_path / "repo"
    (folder / "pkg").mkdir(parents=True)
    git("init", "-q")
    (folder / "pkg" / "__init__.py").write_text("")
    (folder / "pkg" / "model.py").write_text("SIZE = 1\n")
    (folder / "train.py").write_text("import pkg.model\n")
    (folder / ".gitignore").write_text("*.log\n/data/\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return folder


def _freeze(folder: Path, **options: object) -> FrozenCode:
    given = {"program": None, "also": (), **options}
    return freeze_code(folder, folder.parent / "store", **given)  # type: ignore[arg-type]


def _names(frozen: FrozenCode) -> set[str]:
    found = set()
    for folder, _, files in os.walk(frozen.tree):
        found |= {os.path.relpath(os.path.join(folder, name), frozen.tree) for name in files}
        found |= {os.path.relpath(p, frozen.tree) for p in map(Path, (os.scandir(folder))) if p.is_symlink()}
    return found - {MARKER}


CLEAN = {"pkg/__init__.py", "pkg/model.py", "train.py", ".gitignore"}

# ---------------------------------------------------------------- in git


def test_a_clean_tree_is_frozen_whole(repo: Path) -> None:
    frozen = _freeze(repo)
    assert _names(frozen) == CLEAN
    assert (frozen.root, frozen.files, frozen.bytes) == (repo, 4, sum((repo / name).stat().st_size for name in CLEAN))
    assert frozen.tree == repo.parent / "store" / frozen.digest
    assert frozen.verify() == []


def test_files_are_taken_as_they_lie_in_the_working_tree(repo: Path, git: Git) -> None:
    (repo / "pkg" / "model.py").write_text("SIZE = 2\n")
    git("add", ".")
    (repo / "pkg" / "model.py").write_text("SIZE = 3\n")  # dirty against the index, too
    (repo / "pkg" / "new.py").write_text("")
    (repo / "run.log").write_text("ignored")
    git("mv", "train.py", "main.py")
    (repo / ".gitignore").unlink()
    (repo / ".git" / "info" / "exclude").write_text("*.log\n")
    frozen = _freeze(repo)
    assert _names(frozen) == {"pkg/__init__.py", "pkg/model.py", "pkg/new.py", "main.py"}
    assert (frozen.tree / "pkg" / "model.py").read_text() == "SIZE = 3\n"


def test_an_edit_after_freezing_changes_nothing_that_is_frozen(repo: Path) -> None:
    frozen = _freeze(repo)
    (repo / "pkg" / "model.py").write_text("SIZE = 9\n")
    (repo / "train.py").unlink()
    assert (frozen.tree / "pkg" / "model.py").read_text() == "SIZE = 1\n"
    assert (frozen.tree / "train.py").exists()
    assert frozen.verify() == []
    assert _freeze(repo).digest != frozen.digest


def test_the_same_code_is_one_tree_and_like_files_lie_on_disk_once(repo: Path) -> None:
    first, again = _freeze(repo), _freeze(repo)
    assert first == again
    (repo / "pkg" / "model.py").write_text("SIZE = 2\n")
    other = _freeze(repo)
    assert os.path.samefile(first.tree / "train.py", other.tree / "train.py")
    assert not os.path.samefile(first.tree / "pkg" / "model.py", other.tree / "pkg" / "model.py")


def test_names_of_any_kind_are_kept(repo: Path) -> None:
    odd = ["ümlaut é.py", "new\nline.py", " space .py", 'quote".py', "-dash.py", os.fsdecode(b"byte\xff.py")]
    for name in odd:
        (repo / name).write_text(ascii(name))
    frozen = _freeze(repo)
    assert _names(frozen) == CLEAN | set(odd)
    assert all((frozen.tree / name).read_text() == ascii(name) for name in odd)
    assert frozen.verify() == []
    assert _freeze(repo) == frozen


def test_a_file_may_be_executed_as_before_and_never_written_to(repo: Path) -> None:
    (repo / "tool.sh").write_text("#!/bin/sh\n")
    (repo / "text.sh").write_text("#!/bin/sh\n")  # the same text, other permission
    (repo / "tool.sh").chmod(0o755)
    frozen = _freeze(repo)
    modes = {name: stat.S_IMODE((frozen.tree / name).stat().st_mode) for name in ("tool.sh", "text.sh")}
    assert modes["tool.sh"] & stat.S_IXUSR and not modes["text.sh"] & stat.S_IXUSR
    assert not any(mode & 0o222 for mode in modes.values())
    (frozen.tree / "pkg" / "__pycache__").mkdir()  # folders can be written to: Python keeps its bytecode there


def test_links_lead_to_what_is_frozen_or_to_where_they_led(repo: Path, tmp_path: Path) -> None:
    (repo / "data").mkdir()
    (repo / "data" / "x.bin").write_text("data")
    (tmp_path / "shared.py").write_text("SHARED = 1\n")
    (tmp_path / "weights.bin").write_text("weights")
    links = {
        "alias.py": "pkg/model.py",
        "alias": "pkg",
        "whole.py": str(repo / "train.py"),
        "pkg/up.py": "../train.py",
        "ignored": "data/x.bin",
        "outside.py": "../shared.py",
        "weights": "../weights.bin",
        "dangling": "nowhere",
    }
    for name, target in links.items():
        (repo / name).symlink_to(target)
    frozen = _freeze(repo)
    (tmp_path / "shared.py").write_text("SHARED = 2\n")
    told = {name: os.readlink(frozen.tree / name) for name in links if (frozen.tree / name).is_symlink()}
    assert told == {
        "alias.py": "pkg/model.py",
        "alias": "pkg",
        "whole.py": "train.py",
        "pkg/up.py": "../train.py",
        "ignored": str(repo / "data" / "x.bin"),
        "weights": f"{repo}/../weights.bin",
        "dangling": f"{repo}/nowhere",
    }
    assert (frozen.tree / "outside.py").read_text() == "SHARED = 1\n"
    assert frozen.verify() == []


def test_files_of_submodules_and_of_clones_in_the_tree_are_code_too(repo: Path, tmp_path: Path, git: Git) -> None:
    for name in ("lib", "clone"):
        other = tmp_path / f"{name}-origin"
        other.mkdir()
        git("init", "-q", cwd=other)
        (other / f"{name}.py").write_text("")
        git("add", ".", cwd=other)
        git("commit", "-q", "-m", "x", cwd=other)
    git("submodule", "--quiet", "add", str(tmp_path / "lib-origin"), "third/lib")
    git("clone", "-q", str(tmp_path / "clone-origin"), "third/clone")
    git("worktree", "add", "-q", "other-branch")  # the same code once more: not part of this one
    (repo / "third" / "lib" / "new.py").write_text("")
    assert _names(_freeze(repo)) == CLEAN | {
        ".gitmodules",
        "third/lib/lib.py",
        "third/lib/new.py",
        "third/clone/clone.py",
    }


def test_a_submodule_that_is_not_checked_out_is_empty(repo: Path, tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "lib"), cwd=tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path / "lib")
    git("submodule", "--quiet", "add", str(tmp_path / "lib"), "lib")
    git("submodule", "--quiet", "deinit", "-f", "lib")
    assert _names(_freeze(repo)) == CLEAN | {".gitmodules"}


def test_results_are_never_code(repo: Path, git: Git) -> None:
    for folder in ("multirun/1", "pkg/outputs", "elsewhere"):
        (repo / folder).mkdir(parents=True)
        (repo / folder / "a.py").write_text("")
    git("add", "multirun")
    (repo / "results").symlink_to(repo / "elsewhere")
    frozen = _freeze(repo, leave_out=[repo / "multirun", Path("outputs"), repo / "results"])
    assert _names(frozen) == CLEAN | {"pkg/outputs/a.py"}


def test_a_folder_of_results_that_holds_the_code_does_not_hide_it(repo: Path) -> None:
    assert _names(_freeze(repo, leave_out=[repo, repo.parent])) == CLEAN


def test_the_store_may_lie_in_the_code(repo: Path) -> None:
    first = freeze_code(repo, repo / "multirun" / "code", program=None, also=())
    again = freeze_code(repo, repo / "multirun" / "code", program=None, also=())
    assert _names(again) == CLEAN
    assert first == again


def test_the_ignore_file_leaves_out_tracked_files_too(repo: Path) -> None:
    (repo / ".runyardignore").write_text("*.py\n!/train.py\n")
    assert _names(_freeze(repo)) == {"train.py", ".gitignore", ".runyardignore"}


def test_ignored_files_that_were_imported_are_code(repo: Path) -> None:
    for name in ("pkg/_version.log", "data/x.py", ".venv/lib/site-packages/numpy.py"):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("")
    (repo / ".git" / "info" / "exclude").write_text(".venv\n")
    (repo / ".runyardignore").write_text("/data/\n")
    imported = [
        repo / "pkg/_version.log",
        repo / "data/x.py",
        repo / ".venv/lib/site-packages/numpy.py",
        Path(os.__file__),
    ]
    assert _names(_freeze(repo, also=imported)) == CLEAN | {"pkg/_version.log", ".runyardignore"}


def test_the_folder_of_the_program_counts_and_not_where_one_stands(repo: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    assert freeze_code(away, tmp_path / "store", program=str(repo / "train.py"), also=()).root == repo
    assert freeze_code(repo, tmp_path / "store", program="pkg.model", also=()).root == repo
    assert freeze_code(repo / "pkg", tmp_path / "store", program="model.py", also=()).root == repo


def test_a_git_hook_does_not_mislead_it(repo: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "-q", str(tmp_path / "other"), cwd=tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert _names(_freeze(repo)) == CLEAN


def test_a_repository_that_git_cannot_read_is_named(repo: Path) -> None:
    (repo / ".git" / "index").write_bytes(b"torn")
    with pytest.raises(
        UsageError, match=r"git cannot tell which files belong to the code: .*index(.|\n)*where: .*repo"
    ):
        _freeze(repo)


def test_without_git_a_repository_cannot_be_frozen(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo))
    with pytest.raises(UsageError, match="git is not on PATH"):
        _freeze(repo)


# ---------------------------------------------------------------- outside git


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    files = ["train.py", "pkg/__init__.py", "pkg/fast.so", "conf/config.yaml", "setup.cfg", "pkg/py.typed"]
    others = ["a.bin", "pkg/__pycache__/a.py", ".cache/a.py", "env/pyvenv.cfg", "env/lib/a.py", "node_modules/a.json"]
    for name in files + others:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


PLAIN = {"train.py", "pkg/__init__.py", "pkg/fast.so", "conf/config.yaml", "setup.cfg", "pkg/py.typed"}


def test_outside_git_sources_and_configs_about_the_program_are_frozen(plain: Path, tmp_path: Path) -> None:
    frozen = freeze_code(tmp_path, tmp_path / "store", program="plain/train.py", also=())
    assert (frozen.root, frozen.whole) == (plain, True)
    assert _names(frozen) == PLAIN


def test_outside_git_a_modules_top_package_stands_in_the_folder(plain: Path) -> None:
    frozen = freeze_code(plain, plain.parent / "store", program="pkg.sub.main", also=())
    assert frozen.root == plain
    assert _names(frozen) == PLAIN


def test_outside_git_the_ignore_file_counts_and_results_do_not(plain: Path) -> None:
    (plain / "multirun").mkdir()
    (plain / "multirun" / "multirun.yaml").write_text("")
    (plain / ".runyardignore").write_text("conf/\n*.cfg\n")
    frozen = _freeze(plain, program="train.py", leave_out=[Path(plain / "multirun")])
    assert _names(frozen) == (PLAIN | {".runyardignore"}) - {"conf/config.yaml", "setup.cfg"}


def test_outside_git_a_folder_of_data_may_be_a_link(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "a.py").write_text("")
    (plain / "data").symlink_to(tmp_path / "big")
    frozen = _freeze(plain, program="train.py")
    assert os.readlink(frozen.tree / "data") == str(tmp_path / "big")
    assert _names(frozen) == PLAIN | {"data"}


def test_a_program_that_git_ignores_is_outside_git(plain: Path, tmp_path: Path, git: Git) -> None:
    git("init", "-q", cwd=tmp_path)
    (tmp_path / ".gitignore").write_text("*\n")  # as some keep their home
    frozen = freeze_code(tmp_path, tmp_path / "store", program=str(plain / "train.py"), also=())
    assert frozen.root == plain
    assert _names(frozen) == PLAIN


def test_an_installed_package_is_frozen_alone(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "site-packages"
    for name in ("theirs/__init__.py", "theirs/main.py", "numpy/__init__.py"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("")
    frozen = freeze_code(site, tmp_path / "store", program="theirs.main")
    assert (frozen.root, frozen.whole) == (site, False)
    assert _names(frozen) == {"theirs/__init__.py", "theirs/main.py"}
    assert frozen.sys_path([str(site)]) == [str(frozen.tree), str(site)]


def test_a_home_is_not_searched_through(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.dat").write_text("")
    (tmp_path / "train.py").write_text("")
    with pytest.raises(UsageError, match=r"more than 5 files(.|\n)*runyardignore"):
        list_source(find_root(tmp_path, "train.py"), leave_out=[], most_files=5)


def test_the_code_around_the_working_directory_is_that_of_a_program_of_ours(tmp_path: Path) -> None:
    assert find_root(tmp_path, "runyard.front.host").path == tmp_path


def test_a_command_of_an_installed_package_tells_nothing_of_its_folder(plain: Path) -> None:
    command = Path(sys.executable).parent / "pytest"
    assert freeze_code(plain, plain.parent / "store", program=str(command), also=()).root == plain


# ---------------------------------------------------------------- size and trouble


def test_code_that_is_too_large_names_its_largest_files(repo: Path) -> None:
    for name, size in {"a.bin": 700_000, "pkg/b.bin": 900_000, "c.bin": 300_000, "d.bin": 1_200_000}.items():
        (repo / name).write_bytes(b"x" * size)
    with pytest.raises(UsageError) as caught:
        _freeze(repo, most_mb=2)
    assert str(caught.value) == (
        "the code is too large to be frozen with the sweep: 3.1 MB in 8 files, and the limit is 2.0 MB; "
        "the largest are d.bin (1.2 MB), pkg/b.bin (0.9 MB), a.bin (0.7 MB)\n"
        f"  where: {repo}\n"
        f"  to do: name what is no code in {repo}/.runyardignore (written like .gitignore), "
        "or raise the limit: hydra.launcher.snapshot_mb=4"
    )
    assert not (repo.parent / "store").exists()
    (repo / ".runyardignore").write_text("*.bin\n")
    assert _freeze(repo, most_mb=2).files == 5
    (repo / ".runyardignore").unlink()
    assert _freeze(repo, most_mb=4).files == 8


def test_a_full_disk_leaves_no_tree_behind(repo: Path) -> None:
    (repo / "large.py").write_bytes(b"#" * 500_000)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from runyard.record import freeze_code\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"  # writing more fails, as on a full disk
        "freeze_code(Path(sys.argv[1]), Path(sys.argv[2]), program=None)\n"
    )
    store = repo.parent / "store"
    done = subprocess.run([sys.executable, "-c", code, str(repo), str(store)], capture_output=True, text=True)
    assert "StorageError: cannot write: File too large" in done.stderr
    assert [p.name for p in store.iterdir()] == ["objects"]
    assert not [p for p in (store / "objects").iterdir() if p.name.endswith(".tmp")]


def test_a_store_that_cannot_be_made_is_named(repo: Path) -> None:
    (repo.parent / "store").write_text("a file")
    with pytest.raises(StorageError, match=r"where: .*store"):
        _freeze(repo)


def test_processes_may_freeze_the_same_code_at_once(repo: Path) -> None:
    for number in range(200):
        (repo / f"m{number}.py").write_text(f"N = {number % 50}\n")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from runyard.record import freeze_code\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "frozen = freeze_code(Path(sys.argv[1]), Path(sys.argv[2]), program=None)\n"
        "print(frozen.digest, frozen.files, frozen.verify())\n"
    )
    store = repo.parent / "store"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", code, str(repo), str(store)], **pipes) for _ in range(3)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    told = {process.communicate()[0] for process in both}
    assert len(told) == 1 and told.pop().endswith("204 []\n")
    assert len(list(store.iterdir())) == 2


def test_a_torn_tree_is_mended_in_its_place(repo: Path) -> None:
    frozen = _freeze(repo)
    (frozen.tree / "train.py").unlink()
    shutil.rmtree(frozen.tree / "pkg")
    (frozen.tree / MARKER).unlink()
    assert frozen.verify() == [MARKER]
    assert _freeze(repo) == frozen
    assert frozen.verify() == []
    assert _names(frozen) == CLEAN


def test_a_changed_file_shows_and_is_mended(repo: Path) -> None:
    frozen = _freeze(repo)
    victim = frozen.tree / "pkg" / "model.py"
    victim.chmod(0o644)
    victim.write_text("SIZE = 7\n")  # as long as before; its object is the same file
    (frozen.tree / "train.py").unlink()
    assert frozen.verify() == ["pkg/model.py", "train.py"]
    assert _freeze(repo) == frozen
    assert frozen.verify() == []
    assert victim.read_text() == "SIZE = 1\n"
    assert not [name for name in _names(frozen) if name.endswith(".tmp")]


def test_a_store_without_hard_links_holds_copies(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    (repo / "tool.sh").write_text("#!/bin/sh\n")
    (repo / "tool.sh").chmod(0o755)
    monkeypatch.setattr(os, "link", refuse)
    frozen = _freeze(repo)
    assert frozen.verify() == []
    assert (frozen.tree / "tool.sh").stat().st_nlink == 1


def test_what_was_told_is_read_back(repo: Path) -> None:
    frozen = _freeze(repo)
    assert FrozenCode.from_json(frozen.to_json()) == frozen


# ---------------------------------------------------------------- paths


def test_paths_of_frozen_files_are_moved_in_any_spelling(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "data").mkdir()
    (tmp_path / "link").symlink_to(repo)
    frozen = _freeze(repo)
    monkeypatch.chdir(repo / "pkg")
    moved = str(frozen.tree / "train.py")
    for spelled in (
        "../train.py",
        str(repo / "train.py"),
        str(tmp_path / "link" / "train.py"),
        f"{repo}/pkg/../train.py",
    ):
        assert frozen.moved(spelled) == moved
    assert frozen.moved(str(repo)) == str(frozen.tree)
    assert frozen.moved(moved) == moved
    for other in (str(repo / "data"), str(tmp_path), "nowhere.py", str(repo) + "sitory", "/"):
        assert frozen.moved(other) == other


def test_sys_path_is_moved_and_its_environment_is_not(repo: Path, tmp_path: Path) -> None:
    (repo / "src").mkdir()
    (repo / "src" / "a.py").write_text("")
    libraries = repo / ".venv" / "lib" / "site-packages"
    libraries.mkdir(parents=True)
    (repo / ".git" / "info" / "exclude").write_text(".venv\n")
    frozen = _freeze(repo)
    entries = ["", "src", str(repo / "src"), str(libraries), "/usr/lib/python3.zip"]
    tree = str(frozen.tree)
    assert frozen.sys_path(entries, cwd=repo) == [tree, f"{tree}/src", f"{tree}/src", *entries[3:]]
    assert frozen.sys_path(["", "src"], cwd=tmp_path) == ["", "src"]


@pytest.mark.parametrize("harm", ["a file is gone", "a file was edited", "the marker is gone"])
def test_what_a_tree_has_lost_is_told_without_reading_it(repo: Path, harm: str) -> None:
    frozen = _freeze(repo)
    assert frozen.missing() == []
    lost = frozen.tree / (MARKER if harm == "the marker is gone" else "pkg/model.py")
    lost.unlink()
    if harm == "a file was edited":
        lost.write_text("SIZE = 2\n")
    assert frozen.missing() == [os.path.relpath(lost, frozen.tree)]
