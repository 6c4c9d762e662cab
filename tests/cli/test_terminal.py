"""The live display on a real terminal: what is left on the screen after Ctrl-C."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r)|(\n)|([^\x1b])")
# The terminal must be the process's own, or its Ctrl-C would not reach it.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def screen(text, width):
    """What a terminal shows, its lines in one; it knows the controls that Rich uses: up, erase a line, \\r and \\n."""
    lines, row, column = [""], 0, 0
    for count, command, carriage_return, newline, character in TOKEN.findall(text):
        if command == "A":
            row -= int(count or 1)
        elif command == "K":
            lines[row] = ""
        elif carriage_return:
            column = 0
        elif newline or (character and column == width):
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        if character:
            lines[row] = lines[row][:column].ljust(column) + character + lines[row][column + 1 :]
            column += 1
    return "".join(lines)


def read(terminal):
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # how Linux says that the other side is closed
        return ""


@pytest.mark.quick_only(width=50)
@pytest.mark.parametrize("width", [50, 80, 120])
def test_ctrl_c_leaves_the_message_alone(tmp_path, tiny, width):
    """Oracle: a terminal of that width, emulated."""
    terminal, its_side = pty.openpty()
    fcntl.ioctl(its_side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    arguments = ["-m", "nasdqn_fast", "train", *tiny, "--episodes", "10000000", "--out", "out"]
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *arguments],
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
        cwd=tmp_path,
        env=environment | {"TERM": "xterm"},
        start_new_session=True,
    ) as process:
        os.close(its_side)
        text = ""
        while "mean of" not in text:
            text += read(terminal)
            assert process.poll() is None, text
            assert len(text) < 100_000, text[-1_000:]  # some minutes' drawing without it
        os.write(terminal, b"\x03")
        while part := read(terminal):
            text += part
    os.close(terminal)
    shown = screen(text, width)
    assert re.fullmatch(r"nasdqn-fast: interrupted after \d+ episodes; to go on: nasdqn-fast resume out", shown)
    assert process.returncode == 130
