from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runyard.execute.local import obstacles

QUIET_LIBRARIES = """
import numpy, scipy.linalg, scipy.optimize, pandas, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot
matrix = numpy.ones((400, 400))
scipy.linalg.inv(matrix @ matrix + numpy.eye(400))
pandas.DataFrame(matrix).sum()
matplotlib.pyplot.figure()
"""


def _obstacles_after(code: str) -> list[str]:
    script = f"{code}\nfrom runyard.execute import fork_obstacles\nprint(*fork_obstacles(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def test_the_usual_libraries_at_work_forbid_nothing() -> None:
    assert _obstacles_after(QUIET_LIBRARIES) == []


AT_WORK_BEFORE_AND_AFTER = """
import sys, time
from pathlib import Path
import numpy, pyarrow, pyarrow.compute
from runyard.execute import Ended, ForkPool, Task, fork_obstacles
numbers = pyarrow.table({"a": list(range(200_000)), "b": [1] * 200_000})
def work(payload=None, report=None):
    matrix = numpy.ones((700, 700))
    assert (matrix @ matrix)[0, 0] == 700
    assert numbers.group_by("a").aggregate([("b", "sum")]).num_rows == 200_000
    return 7
work()
assert fork_obstacles() == []
pool = ForkPool(work)
pool.start()
for ticket in range(3):
    pool.launch(Task(ticket=ticket, payload=None, output=Path(sys.argv[1]) / str(ticket)))
ended, deadline = [], time.monotonic() + 60
while len(ended) < 3 and time.monotonic() < deadline:
    ended += [e.exit_code for e in pool.wait(1) if isinstance(e, Ended)]
pool.close()
print(ended)
"""


def test_the_libraries_that_do_not_count_do_work_in_a_forked_process_after_they_have_worked_here(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_WORK_BEFORE_AND_AFTER, str(tmp_path)], capture_output=True, text=True, timeout=100
    )
    assert (done.stdout, done.stderr) == ("[7, 7, 7]\n", "")


def test_a_thread_of_python_is_named() -> None:
    code = "import threading, time; threading.Thread(target=time.sleep, args=[60], name='poller', daemon=True).start()"
    assert _obstacles_after(code) == ["1 thread of Python (poller)"]


def test_of_many_threads_a_few_are_named() -> None:
    code = """
import threading, time
for n in range(5):
    threading.Thread(target=time.sleep, args=[60], daemon=True, name=str(n)).start()
"""
    assert _obstacles_after(code) == ["5 threads of Python (0, 1, 2)"]


def test_the_monitor_of_a_progress_bar_does_no_harm() -> None:
    code = """
import threading, time
class TMonitor(threading.Thread):
    def run(self): time.sleep(60)
TMonitor.__module__ = "tqdm._monitor"
TMonitor(daemon=True).start()
"""
    assert _obstacles_after(code) == []


def test_a_native_thread_is_named_by_its_library() -> None:
    code = "import _thread, time; _thread.start_new_thread(time.sleep, (60,)); time.sleep(0.1)"
    (found,) = _obstacles_after(code)
    assert found.startswith("1 native thread of ")
    assert "python" in found


NATIVE = """
import ctypes
libc, number = ctypes.CDLL(None), ctypes.c_ulong()
for _ in range(2):
    libc.pthread_create(ctypes.byref(number), None, ctypes.cast(libc.pause, ctypes.c_void_p), None)
"""


def test_a_native_thread_of_whom_nothing_is_known_counts() -> None:
    assert _obstacles_after(NATIVE) == ["2 native threads of an unknown library"]


def test_what_has_ended_forbids_nothing() -> None:
    code = "import threading; thread = threading.Thread(target=print); thread.start(); thread.join()"
    assert _obstacles_after(code) == []


@pytest.mark.parametrize(
    "name",
    [
        "libscipy_openblas64_-32a4b2a6.so",
        "libopenblas.so.0",
        "libmkl_intel_thread.so.2",
        "libblis.so.4",
        "libiomp5.so",
        "libomp.so",
        "libarrow.so.2600",
        "libjemalloc.so.2",
    ],
)
def test_libraries_that_prepare_for_a_fork_are_known(name: str) -> None:
    assert obstacles._PREPARED.match(name)


@pytest.mark.parametrize("name", ["libgomp.so.1", "libgomp-a34b3233.so.1", "libtorch_cpu.so", "polars.abi3.so", ""])
def test_others_are_not(name: str) -> None:
    assert not obstacles._PREPARED.match(name)


FAKES = {
    "torch": (
        "import types; cuda = types.ModuleType('torch.cuda'); cuda.is_initialized = lambda: {is_on}\n"
        "sys.modules['torch.cuda'] = cuda",
        "an initialised CUDA context of torch",
    ),
    "jax": (
        "import types; bridge = types.ModuleType('bridge'); bridge._backends = {{'cpu': 1}} if {is_on} else {{}}\n"
        "sys.modules['jax._src.xla_bridge'] = bridge",
        "an initialised backend of JAX",
    ),
    "tensorflow": (
        "import types; module = types.ModuleType('context')\n"
        "module._context = types.SimpleNamespace(_initialized={is_on})\n"
        "sys.modules['tensorflow.python.eager.context'] = module",
        "an initialised context of TensorFlow",
    ),
}


@pytest.mark.parametrize("library", list(FAKES))
@pytest.mark.parametrize("is_on", [True, False])
def test_a_library_forbids_only_when_it_is_initialised(library: str, is_on: bool) -> None:
    code, words = FAKES[library]
    assert _obstacles_after("import sys\n" + code.format(is_on=is_on)) == ([words] if is_on else [])


def test_a_library_that_was_imported_by_nobody_is_not_imported() -> None:
    code = (
        "import sys\nfrom runyard.execute import fork_obstacles\nfork_obstacles()\n"
        "assert not {'torch', 'jax', 'tensorflow', 'numpy', 'multiprocessing'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(("answer", "is_on"), [(0, True), (100, True), (3, False)])
def test_the_cuda_driver_tells_by_its_answer_whether_it_is_initialised(answer: int, is_on: bool) -> None:
    driver: Any = SimpleNamespace(cuDeviceGetCount=lambda count: answer)
    assert obstacles._is_driver_initialised(driver) is is_on


def test_a_driver_that_is_not_loaded_is_not_loaded() -> None:
    assert obstacles._loaded("libcuda.so.1") is None
    assert not obstacles._is_driver_initialised(None)


@pytest.mark.skipif(sys.platform != "linux", reason="the name of a library that is surely loaded")
def test_a_library_that_is_loaded_is_found() -> None:
    assert obstacles._loaded("libc.so.6") is not None
