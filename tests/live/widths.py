#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command fits the terminal: no line is wider than 80, 100, 132 or 200 columns, of a process
made to be awkward (threads, deep paths, long names, many nodes of files, a long command line);
and a
wider terminal shows more.

    tests/live/widths.py [COMMAND..]     only these
"""
import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata

import lib

WIDTHS = (80, 100, 132, 200)

AWKWARD = r"""
import ctypes, mmap, os, sys, threading
directory = sys.argv[1]
deep = os.path.join(directory, *["a-directory-with-a-long-name-%d" % i for i in range(8)])
os.makedirs(deep, exist_ok=True)
maps = []
for i in range(40):
    path = os.path.join(deep, "data-file-with-a-long-name-number-%d.bin" % i)
    with open(path, "wb+") as file:
        file.truncate(1 << 16)
        maps.append(mmap.mmap(file.fileno(), 1 << 16))
        maps[-1][:4096] = b"x" * 4096
for i in range(4):
    fd = os.memfd_create("a-memfd-with-a-name-that-is-longer-than-any-column-%d" % i)
    os.truncate(fd, 1 << 20)
    maps.append(mmap.mmap(fd, 1 << 20))
    maps[-1][:1 << 19] = b"y" * (1 << 19)
big = mmap.mmap(-1, 24 << 20)
big[:20 << 20] = b"z" * (20 << 20)
maps.append(big)
for i in range(20):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
child = os.fork()
if not child:
    big[:1 << 20] = b"w" * (1 << 20)
    threading.Event().wait()
print(child, hex(ctypes.addressof(ctypes.c_char.from_buffer(big))), maps and path, flush=True)
sys.stdin.read()
os.kill(child, 9)
"""

COMMANDS = [
    "map {pid}", "map --total {pid}", "map --check {pid}", "map --by=kind {pid}", "ps",
    "ps --by=user", "ps --by=program", "pages --summary {pid}", "pages {pid} {address}",
    "at {pid} {address}", "who {pid}:{address}", "who {file}", "share {pid} {child}",
    "cow {pid} {child}", "huge {pid}", "huge --why {pid}", "huge --all", "numa {pid}",
    "numa --all",
    "swap {pid}", "swap", "elf {pid}", "elf --segments {pid}", "elf --sections {pid}",
    "elf --all", "elf --stale --all", "frag {pid}", "frag", "malloc {pid}", "malloc --all",
    "why {pid}", "why --explain {pid}", "why --all", "system", "system --by=process",
    "system --by=file", "system --by=cgroup", "cache --top=20", "cgroup {pid}", "cgroup",
    "faults --interval=0.1 {pid}", "wss {pid}", "allocs --interval=0.1",
]


@contextlib.contextmanager
def awkward():
    """pid, child, an address and a file of a process."""
    with tempfile.TemporaryDirectory(prefix="vmview-widths.") as directory:
        argv = [sys.executable, "-c", AWKWARD, directory] + ["--an-argument=%d" % i
                                                             for i in range(30)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as process:
            try:
                child, address, path = process.stdout.readline().split()
                yield {"pid": process.pid, "child": child, "address": address, "file": path}
            finally:
                process.stdin.close()
                process.wait(timeout=60)


def on_terminal(argv, width):
    """What it writes to a terminal that is so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    env = dict(os.environ, TERM="xterm", NO_COLOR="1")
    env.pop("COLUMNS", None)
    said = b""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=subprocess.DEVNULL, env=env):
        os.close(theirs)
        with contextlib.suppress(OSError):
            while True:
                data = os.read(ours, 1 << 16)
                if not data:
                    break
                said += data
    os.close(ours)
    return said.decode("utf-8", "replace").replace("\r\n", "\n")


def columns(text):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def libc(pid):
    """Its path, which a narrow terminal has no room for."""
    with open(f"/proc/{pid}/maps") as maps:
        paths = {line.split(None, 5)[-1].strip() for line in maps}
    return next((path for path in paths if "/libc.so" in path or "/libc-" in path), None)


def check(command, target):
    """No line is wider than the terminal; names are whole where it is wide."""
    for width in WIDTHS:
        argv = [lib.VMVIEW, *(word.format(**target) for word in command.split())]
        said = on_terminal(argv, width)
        lib.true(said.strip(), f"vmview {command} says nothing at {width} columns")
        over = [line for line in said.splitlines() if columns(line) > width]
        lib.true(not over, f"vmview {command} at {width} columns: {len(over)} lines are wider, "
                           f"the first has {columns(over[0]) if over else 0}:\n" +
                 "\n".join(over[:5]))
    path = libc(target["pid"])
    if path and command in ("map {pid}", "elf {pid}"):
        lib.true(path in said, f"vmview {command} at {WIDTHS[-1]} columns: {path} is not whole")


def main():
    chosen = sys.argv[1:]
    with awkward() as target:
        for command in COMMANDS:
            if chosen and command.split()[0] not in chosen:
                continue

            def run(command=command):
                check(command, target)
            run.__name__ = command.replace("{", "").replace("}", "")
            lib.test(run)
        lib.done()


main()
