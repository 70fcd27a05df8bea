"""What forbids to fork this process. Found without importing, starting or initialising anything.

A forked process has one thread, and locks and devices as they were. Libraries that keep threads or a device cannot
work in it unless they prepare for a fork. Of native threads those count whose library is not known to prepare: which
library a thread belongs to is read from its stack. Those of OpenBLAS, MKL, BLIS, Intel's and LLVM's OpenMP and Arrow,
which are there as soon as numpy, scipy or pandas are imported, do not count. Those of GNU's OpenMP do: a forked process
that enters a parallel region waits for them for ever (https://gcc.gnu.org/legacy-ml/gcc-patches/2014-02/msg00813.html).
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PREPARED = re.compile(r"^lib(\w*openblas|mkl|blis|iomp5|omp|arrow|jemalloc)", re.IGNORECASE)
#: code that a thread of any library may wait in.
_COMMON = re.compile(r"^(libc|libpthread|libstdc\+\+|libgcc_s|libm|ld)[-.]|^\[|^$")
#: threads of Python that do no harm where they are missing.
_HARMLESS = frozenset(("tqdm._monitor.TMonitor",))
_CUDA_NOT_INITIALIZED = 3
#: a thread at work is looked at again, for so many seconds at the most.
_PATIENCE_S = 0.3
_STACK_BYTES = 16384


def fork_obstacles() -> list[str]:
    """What this process has that a forked one could not live with, in words; empty when there is nothing."""
    found = _initialised(sys.modules)
    if not any("CUDA" in words for words in found) and _is_driver_initialised(_loaded("libcuda.so.1")):
        found.append("an initialised CUDA driver")
    return [*found, *_python_threads(), *_native_threads()]


# -- libraries --------------------------------------------------------------------------------------------------------


def _initialised(modules: Mapping[str, Any]) -> list[str]:
    found = []
    for name, (words, is_initialised) in _LIBRARIES.items():
        module = modules.get(name)
        if module is not None and is_initialised(module):
            found.append(words)
    return found


def _asks_itself(module: Any) -> bool:
    return bool(module.is_initialized())


def _has_jax_backends(module: Any) -> bool:
    return bool(getattr(module, "_backends", None))


def _has_tensorflow_context(module: Any) -> bool:
    return bool(getattr(getattr(module, "_context", None), "_initialized", False))


_LIBRARIES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "torch.cuda": ("an initialised CUDA context of torch", _asks_itself),
    "torch.xpu": ("an initialised XPU context of torch", _asks_itself),
    "jax._src.xla_bridge": ("an initialised backend of JAX", _has_jax_backends),
    "tensorflow.python.eager.context": ("an initialised context of TensorFlow", _has_tensorflow_context),
}


def _loaded(name: str) -> Any:
    """A shared library, if this process has loaded it already; else None."""
    mode = getattr(os, "RTLD_NOLOAD", None)
    if mode is None:
        return None
    try:
        return ctypes.CDLL(name, mode=mode | os.RTLD_NOW)
    except OSError:
        return None


def _is_driver_initialised(driver: Any) -> bool:
    """Whether anything in this process has initialised the CUDA driver: a question that does not initialise it."""
    return driver is not None and driver.cuDeviceGetCount(ctypes.byref(ctypes.c_int())) != _CUDA_NOT_INITIALIZED


# -- threads ----------------------------------------------------------------------------------------------------------


def _python_threads() -> list[str]:
    names = [t.name for t in threading.enumerate() if t is not threading.current_thread() and not _is_harmless(t)]
    return [f"{_count(len(names), 'thread')} of Python ({', '.join(names[:3])})"] if names else []


def _is_harmless(thread: threading.Thread) -> bool:
    return f"{type(thread).__module__}.{type(thread).__qualname__}" in _HARMLESS


def _native_threads() -> list[str]:
    known = {thread.native_id for thread in threading.enumerate()} | {threading.get_native_id()}
    deadline = time.monotonic() + _PATIENCE_S
    found = (_owner(thread, deadline) for thread in _threads() - known)
    owners = Counter(owner for owner in found if owner is not None and not _PREPARED.match(owner))
    return [f"{_count(n, 'native thread')} of {owner or 'an unknown library'}" for owner, n in sorted(owners.items())]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _threads() -> set[int]:
    try:
        return {int(name) for name in os.listdir("/proc/self/task")}
    except OSError:  # no Linux: only the threads of Python are known
        return set()


def _owner(thread: int, deadline: float) -> str | None:
    """The file name of the library in whose code a thread waits.

    Empty when it cannot be told, None when the thread has ended. A thread at work is waited for until ``deadline``.
    """
    while True:
        words = _text(f"/proc/self/task/{thread}/syscall").split()
        if len(words) > 2:
            return next((name for name in _on_stack(int(words[-2], 16)) if not _COMMON.match(name)), "")
        if thread not in _threads():
            return None
        if time.monotonic() >= deadline:
            return ""
        time.sleep(0.005)


@dataclass(frozen=True, slots=True)
class _Area:
    start: int
    end: int
    is_code: bool
    name: str


def _on_stack(pointer: int) -> list[str]:
    """File names of the code that return addresses on a stack point into, from the innermost on."""
    areas = _areas()
    stack = next((area for area in areas if area.start <= pointer < area.end), None)
    if stack is None:
        return []
    try:
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            memory.seek(pointer)
            data = memory.read(min(_STACK_BYTES, stack.end - pointer))
    except OSError:
        return []
    code = [area for area in areas if area.is_code]
    size = struct.calcsize("P")
    addresses = (word for (word,) in struct.iter_unpack("P", data[: len(data) // size * size]))
    return [area.name for address in addresses for area in code if area.start <= address < area.end]


def _areas() -> list[_Area]:
    found = []
    for line in _text("/proc/self/maps").splitlines():
        span, rights, _, _, _, *path = line.split(maxsplit=5)
        start, end = (int(word, 16) for word in span.split("-"))
        found.append(_Area(start, end, "x" in rights, os.path.basename(path[0]) if path else ""))
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
