#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview live while processes do not answer: keys, the list, the end."""
import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import termios
import time

import lib
import stuck

TIMEOUT = 1.0           # live's own
ANSWER = 0.5            # seconds for a key on a loaded machine; alone it takes a few milliseconds
LEAVE = b"\033[?1049l"  # of xterm: back to the screen that was there before


class Screen:
    """vmview live in a pty; what it writes, as it writes it."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.execv(lib.VMVIEW, [lib.VMVIEW, "live", *map(str, args)])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", 24, 120, 0, 0))
        self.ended = False
        self.text = b""

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read(self, seconds, until=None):
        """What comes in that time, or until that is there: then how long it took."""
        begin, text = time.monotonic(), b""
        while time.monotonic() < begin + seconds:
            left = max(0, begin + seconds - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                break
            try:
                text += os.read(self.fd, 65536)
            except OSError:     # it has ended
                break
            if until and until in text:
                self.text += text
                return time.monotonic() - begin
        self.text += text
        if until:
            raise lib.Failed(f"no {until} in {seconds} s: {text[-2000:]}")
        return None

    def press(self, key, until):
        os.write(self.fd, key)
        return self.read(5, until)

    def modes(self):
        flags = termios.tcgetattr(self.fd)[3]
        return bool(flags & termios.ICANON), bool(flags & termios.ECHO)

    def end(self, limit):
        """Its status, and that the terminal is as it was."""
        begin = time.monotonic()
        while time.monotonic() < begin + limit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended = True
                return status
            self.read(0.005)
        raise lib.Failed(f"it did not end in {limit} s")


def toggle_help(screen, seconds):
    """How long each key took."""
    begin, took = time.monotonic(), []
    while time.monotonic() < begin + seconds:
        took.append(screen.press(b"?", b"Keys ("))
        took.append(screen.press(b"?", b"\033["))
        screen.read(0.05)
    return took


@lib.test
def keys_are_answered_meanwhile():
    """While the process that is shown, and those of the list, are waited for, and afterwards."""
    with stuck.frozen(count=3) as den:
        den.stop()
        for args in [den.pids[0]], ["-i", "0.1", den.pids[1]], [], ["-i", "0.1"]:
            with Screen(*args) as screen:
                screen.read(5, b"every ")
                took = toggle_help(screen, 3)
                lib.true(len(took) > 10, took)
                lib.true(max(took) < ANSWER, f"{args}: {max(took):.3f} s of {len(took)} keys")


@lib.test
def what_is_stuck_says_so():
    with stuck.frozen(count=3) as den:
        den.stop()
        for key in b"", b"s", b"H":
            with Screen(den.pids[0]) as screen:
                screen.read(5, b"every ")
                os.write(screen.fd, key)
                screen.read(5, b"stuck: no answer in ")
        # from the list, into the map and back
        with Screen("--filter", f"pid == {den.pids[1]}", "-i", "0.2") as screen:
            screen.read(5, b"stuck: no answer in ")
            screen.press(b"\r", b"stuck: no answer in ")
            screen.press(b"\033", b"1 shown")
            os.write(screen.fd, b"q")
            lib.equal("status", screen.end(ANSWER), 0)


@lib.test
def it_ends_at_once():
    """While it waits for the process, and once it knows that it will not answer."""
    with stuck.frozen() as den:
        den.stop()
        for after in 0.2, 1.6:
            for how in b"q", b"\x03", signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
                with Screen(den.pids[0]) as screen:
                    screen.read(5, b"every ")
                    screen.read(after)
                    lib.equal("raw", screen.modes(), (False, False))
                    if isinstance(how, bytes):
                        os.write(screen.fd, how)
                    else:
                        os.kill(screen.pid, how)
                    lib.equal(f"status after {how}", screen.end(ANSWER), 0)
                    with contextlib.suppress(termios.error):    # nobody has it open any more
                        lib.equal(f"modes after {how}", screen.modes(), (True, True))
                    lib.true(LEAVE in screen.text, f"{how}: {screen.text[-300:]}")


@lib.test
def the_list_goes_on():
    """Three that do not answer cost two timeouts at most, and their rows say it."""
    with stuck.frozen(count=3) as den, lib.zoo("touched") as zoo:
        den.stop()
        begin = time.monotonic()
        done = lib.vmview("live", "--batch", 3, "-i", "0.1", "--json", status=1)
        seconds = time.monotonic() - begin
        lib.true(seconds < 2 * TIMEOUT + 4, f"{seconds} s")
        for line in done.out.splitlines():
            document = json.loads(line)
            lib.validate(document)
            lib.equal("complete", document["complete"], False)
            rows = {row["pid"]: row for row in document["processes"]}
            for pid in den.pids:
                lib.true(rows[pid]["rss"] > 0, "status has it")
                lib.equal("pss", rows[pid]["pss"], None)
                lib.true(rows[pid]["missing"]["pss"].startswith("stuck: no answer in "),
                         rows[pid]["missing"])
            lib.true(rows[zoo.pid]["pss"] > 0, rows[zoo.pid])
        lib.true("3 processes: smaps_rollup: stuck: no answer" in done.err, done.err)


lib.done()
