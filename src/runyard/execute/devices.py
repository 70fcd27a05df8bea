"""Shares of devices, held by at most one sweep of this machine at a time, and given up when its process ends.

A device is a file of a hundred bytes in a folder that all users of the machine share; a share of it is a number of
those bytes, locked by the controller (POSIX record locks). The system frees them however the process ends. Locks of one
process do not exclude each other, so it keeps account of its own besides.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

#: the parts of a device that can be lent.
PARTS = 100
#: names another folder for the files of devices.
FOLDER_VARIABLE = "RUNYARD_DEVICES_DIR"


def devices_folder(environment: Mapping[str, str]) -> Path:
    """The folder that all sweeps of this machine use."""
    return Path(environment.get(FOLDER_VARIABLE) or os.path.join(tempfile.gettempdir(), "runyard-devices"))


class Devices:
    """The devices that a controller may lend, by their ids.

    Args:
        ids: which there are.
        folder: holds their files.
    """

    def __init__(self, ids: Sequence[str], folder: Path) -> None:
        self.ids = tuple(ids)
        self._free: dict[str, set[int]] = {device: set(range(PARTS)) for device in ids}
        self._files = _Files(folder) if ids else None

    def free(self, device: str) -> int:
        """Parts of a device that this process has not lent."""
        return len(self._free[device])

    def take(self, device: str, parts: int) -> tuple[int, ...] | None:
        """Takes parts of a device; None when so many are not free here, or another sweep has them."""
        taken: list[int] = []
        for part in sorted(self._free[device]):
            if len(taken) == parts:
                break
            if self._files is None or self._files.lock(device, part):
                taken.append(part)
        if len(taken) < parts:
            self._unlock(device, taken)
            return None
        self._free[device].difference_update(taken)
        return tuple(taken)

    def give_back(self, device: str, parts: Sequence[int]) -> None:
        """Takes parts back that were lent."""
        self._unlock(device, parts)
        self._free[device].update(parts)

    def _unlock(self, device: str, parts: Sequence[int]) -> None:
        if self._files is not None:
            for part in parts:
                self._files.unlock(device, part)


class _Files:
    """One descriptor for each device, never closed: closing any of a file gives up all locks on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptors: dict[str, int] = {}
        self._is_usable = True

    def lock(self, device: str, part: int) -> bool:
        """Locks one byte; False when another process has it."""
        descriptor = self._descriptor(device)
        if descriptor < 0:
            return True
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, part)
        except OSError:
            return False
        return True

    def unlock(self, device: str, part: int) -> None:
        descriptor = self._descriptor(device)
        if descriptor >= 0:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, part)

    def _descriptor(self, device: str) -> int:
        if device not in self._descriptors:
            self._descriptors[device] = self._open(device)
        return self._descriptors[device]

    def _open(self, device: str) -> int:
        """The device's file, for everyone; -1, and a word to the user, where there can be none."""
        name = device if device.isalnum() else blake2b(device.encode(), digest_size=12).hexdigest()
        try:
            _make_shared(self._folder)
            path = self._folder / f"gpu-{name}"
            try:
                return os.open(path, os.O_RDWR | os.O_CLOEXEC)  # it may be another user's: not to be created again
            except FileNotFoundError:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
                os.fchmod(descriptor, 0o666)
                return descriptor
        except OSError as error:
            if self._is_usable:
                sys.stderr.write(
                    f"runyard: devices cannot be locked in {self._folder} ({error.strerror}); another sweep on this "
                    f"machine may use the same ones. Name a folder that can be written to: {FOLDER_VARIABLE}=DIR\n"
                )
            self._is_usable = False
            return -1


def _make_shared(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o1777)
    except FileExistsError:
        pass
