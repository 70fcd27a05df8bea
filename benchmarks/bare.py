"""The floor: what the system itself takes for a process, and for the files of a job. A program of its own.

``python -m benchmarks.bare KIND SAMPLE TIMES ROUNDS`` prints JSON: milliseconds by name, and the process's size.
``KIND`` is ``small`` (an interpreter with next to nothing) or ``template`` (with what the template of jobs has loaded).
"""

import gc
import json
import mmap
import os
import sys
import time

_AT_A_TIME = 2


def main(kind, sample, times, rounds):
    if kind == "template":
        import hydra.main  # noqa: F401

        import runyard.orchestrate  # noqa: F401
    gc.collect()
    gc.freeze()  # as the template does
    files = read_sample(sample)
    ways = {
        "fork": lambda number: fork_all(times, 1, nothing),
        "fork2": lambda number: fork_all(times, _AT_A_TIME, nothing),
        "files": lambda number: [write_job(files, f"files-{number}/{i}") for i in range(times)],
        "both": lambda number: fork_all(times, _AT_A_TIME, lambda i: write_job(files, f"both-{number}/{i}")),
    }
    spent = {way: [] for way in ways}
    for number in range(rounds):
        for way, act in ways.items():
            began = time.perf_counter()
            act(number)
            spent[way].append(1000 * (time.perf_counter() - began) / times)
    pages = [microseconds_a_page() for _ in range(rounds)]
    return {"mb": resident_mb(), "files": len(files), "ms": spent, "us_a_page": pages}


def nothing(number):
    """What a job does that does nothing."""


def fork_all(times, at_a_time, act):
    """Forks so many processes, each of which acts and ends; waits for all."""
    living = 0
    for number in range(times):
        if living == at_a_time:
            wait_for_one()
            living -= 1
        if os.fork() == 0:
            code = 1
            try:
                act(number)
                code = 0
            finally:
                os._exit(code)
        living += 1
    for _ in range(living):
        wait_for_one()


def wait_for_one():
    _, status = os.wait()
    if status:
        raise ChildProcessError(f"a process ended with status {status}")


def microseconds_a_page(pages=4000, size=4096):
    """What the first write to a page costs in a forked process, beyond the write."""
    memory = mmap.mmap(-1, pages * size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    places = range(0, pages * size, size)
    write_all(memory, places)
    reads, writes = os.pipe()
    if os.fork() == 0:
        first, again = write_all(memory, places), write_all(memory, places)
        os.write(writes, json.dumps(1e6 * (first - again) / pages).encode())
        os._exit(0)
    os.close(writes)
    told = os.read(reads, 100)
    os.close(reads)
    wait_for_one()
    memory.close()
    return json.loads(told)


def write_all(memory, places):
    began = time.perf_counter()
    for place in places:
        memory[place] = 1
    return time.perf_counter() - began


def read_sample(folder):
    """Relative path to bytes, of all files of a job."""
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            with open(full, "rb") as file:
                found[os.path.relpath(full, folder)] = file.read()
    return found


def write_job(files, folder):
    """Writes a job's files as a job does: ``run.json`` twice, each time beside its place and then renamed."""
    for sub in {os.path.dirname(os.path.join(folder, name)) for name in files}:
        os.makedirs(sub, exist_ok=True)
    for name, data in files.items():
        place = os.path.join(folder, name)
        for _ in range(2 if name == "run.json" else 1):
            target = place + ".tmp" if name == "run.json" else place
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            if data:
                os.write(descriptor, data)
            os.close(descriptor)
            if target != place:
                os.replace(target, place)


def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))))
