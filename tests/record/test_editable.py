from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: what setuptools writes for an editable install, shortened.
FINDER = """\
import sys
from importlib.machinery import all_suffixes
from importlib.util import spec_from_file_location
from itertools import chain
from pathlib import Path

MAPPING = {mapping!r}
NAMESPACES = {spaces!r}


class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        for package, place in MAPPING.items():
            if fullname == package or fullname.startswith(package + "."):
                rest = fullname.replace(package, "", 1).strip(".").split(".")
                place = Path(place, *rest)
                for found in chain([place / "__init__.py"], (place.with_suffix(x) for x in all_suffixes())):
                    if found.exists():
                        return spec_from_file_location(fullname, found)
        return None


sys.meta_path.append(_EditableFinder)
"""

PROGRAM = """\
import sys
from pathlib import Path
from runyard.record import freeze_code, move_editable_finders

app = Path(sys.argv[1])
sys.path.insert(0, sys.argv[2])
import __editable___theirs_1_0_finder as finder

frozen = freeze_code(app, app.parent / "store", program=None)
for file in app.rglob("*.py"):
    file.write_text("VALUE = 'edited'")
move_editable_finders(frozen)
import theirs, theirs.inner, single, other

print(theirs.VALUE, theirs.inner.VALUE, single.VALUE, other.VALUE)
print(finder.NAMESPACES == {"space": [str(frozen.tree / "theirs_code")], "none": []})
"""


def test_packages_that_a_table_finds_are_found_in_the_frozen_tree(tmp_path: Path) -> None:
    app, other, installed = tmp_path / "app", tmp_path / "other", tmp_path / "installed"
    for file in (
        app / "theirs_code/__init__.py",
        app / "theirs_code/inner.py",
        app / "single.py",
        other / "__init__.py",
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("VALUE = 'submitted'\n")
    mapping = {"theirs": str(app / "theirs_code"), "single": str(app / "single"), "other": str(other)}
    spaces = {"space": [str(app / "theirs_code")], "none": []}
    installed.mkdir()
    text = FINDER.format(mapping=mapping, spaces=spaces)
    (installed / "__editable___theirs_1_0_finder.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(app), str(installed)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "submitted submitted submitted submitted\nTrue\n"
    assert (app / "single.py").read_text() == "VALUE = 'edited'"
