"""Clients of the service: so many at a time list sweeps and read the end of a log, once a second each, until stopped.

Run as ``python -m benchmarks.clients ADDRESS TOKEN CLIENTS``; on SIGTERM it prints how many answers there were, how
many of them were problems, and the longest time that a client took for a list and a log in seconds, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_EVERY_S = 1.0


@dataclass
class Tally:
    """What came back."""

    answers: int = 0
    wrong: int = 0
    longest_s: float = 0.0


async def _get(host: str, port: int, token: str, path: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.read()
    finally:
        writer.close()
    return int(answer.split(b" ", 2)[1]), answer.partition(b"\r\n\r\n")[2]


async def _client(host: str, port: int, token: str, number: int, tally: Tally) -> None:
    await asyncio.sleep(_EVERY_S * (number % 10) / 10)
    while True:
        started = time.perf_counter()
        status, body = await _get(host, port, token, "/api/runs?limit=10")
        runs = json.loads(body)["runs"] if status == 200 else []
        tally.wrong += status != 200
        tally.answers += 1
        if runs:
            status, _ = await _get(host, port, token, f"/api/runs/{runs[0]['run_id']}/logs?job={number}&tail=20")
            tally.wrong += status not in (200, 404)  # 404: the job is not planned yet
            tally.answers += 1
        tally.longest_s = max(tally.longest_s, time.perf_counter() - started)
        await asyncio.sleep(_EVERY_S)


async def _all(address: str, token: str, clients: int) -> Tally:
    found, tally = urlsplit(address), Tally()
    host, port = str(found.hostname), int(found.port or 80)
    tasks = [asyncio.create_task(_client(host, port, token, number, tally)) for number in range(clients)]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiting):
        task.cancel()
    await asyncio.gather(*tasks, waiting, return_exceptions=True)
    for task in done - {waiting}:
        task.result()  # a client ends only by an error: raise it
    return tally


if __name__ == "__main__":
    result = asyncio.run(_all(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    print(json.dumps({"answers": result.answers, "wrong": result.wrong, "longest_s": result.longest_s}))
