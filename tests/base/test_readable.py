import pytest

from runyard.base import readable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [1m] text\n", "plain [1m] text\n"),
        ("\x1b[31mred\x1b[0m and \x1b[1;38;5;208mbold\x1b[m\n", "red and bold\n"),
        ("\x1b]0;a title\x07text \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "text link\n"),
        ("  0%|  |\r 50%|# |\r100%|##|\ndone\r\n", "100%|##|\ndone\n"),
        ("  0%|  |\r 50%|# |\r", " 50%|# |"),
        ("\x1b[2K\x1b[1Agone", "gone"),
        ("half a sequence \x1b[3", "half a sequence \x1b[3"),
        ("an open title \x1b]0;never ended\nnext line\n", "an open title \nnext line\n"),
        ("", ""),
    ],
)
def test_what_only_a_terminal_understands_is_left_out(text: str, shown: str) -> None:
    assert readable(text) == shown
