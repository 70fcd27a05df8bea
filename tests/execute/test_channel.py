from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runyard.execute.local.channel import Channel, channel_pair

from .conftest import wait_until


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    left, right = channel_pair()
    yield left, right
    left.close()
    right.close()


def _received(channel: Channel, count: int) -> list[Any]:
    found: list[Any] = []
    wait_until(lambda: found.extend(channel.receive()) or len(found) >= count)
    return found


def test_messages_arrive_whole_and_in_order(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    sent = [None, 1, "text", {"a": [1, 2]}, b"x" * 100_000, []]
    for message in sent:
        left.send(message)
    assert _received(right, len(sent)) == sent
    assert right.receive() == []
    assert not right.is_closed


def test_what_was_sent_before_the_other_side_closed_still_arrives(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    left.send("last words")
    left.close()
    assert right.receive() == ["last words"]
    assert right.receive() == []
    assert right.is_closed


def test_sending_to_a_closed_side_is_an_error(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    right.close()
    with pytest.raises(OSError, match=r"pipe|closed|reset"):
        left.send("x" * 10_000_000)


def test_both_sides_can_send_more_than_fits_at_once(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    large = b"x" * 5_000_000
    received: list[Any] = []

    def other_side() -> None:
        right.send(large)
        received.extend(_received(right, 1))  # a side that has sent goes on to listen, as both of ours do

    thread = threading.Thread(target=other_side)
    thread.start()
    left.send(large)
    assert _received(left, 1) == [large]
    thread.join()
    assert received == [large]
    assert not left.has_messages


def test_a_message_taken_in_while_sending_is_known_to_be_there(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    right.send("early")
    reader = threading.Thread(target=lambda: (time.sleep(0.05), _received(right, 1)))
    reader.start()
    left.send(b"x" * 5_000_000)
    reader.join()
    assert left.has_messages
    assert left.receive() == ["early"]
    assert not left.has_messages
