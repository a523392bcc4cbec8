#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview live in a terminal while its process, or one in its list, does not answer: a key is
answered at once, and so is what ends it, with the terminal as it was before."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import lib
import stuck

# Promised are 50 ms, which others on the machine may stretch.
ANSWER = 0.5
SHOWN = 4.0             # until the first screen is there, with a timeout of 1 s
RMCUP = b"\x1b[?1049l"


class Screen:
    """vmview live on a pty, whose other end is held open to look at its modes."""

    def __init__(self, den, *args):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", 30, 100, 0, 0))
        self.modes = termios.tcgetattr(self.slave)
        env = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8")
        self.process = subprocess.Popen(
            [*den.inside(), "setsid", "--ctty", lib.VMVIEW, "live", *map(str, args)],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env)
        self.text = b""

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def read(self, seconds):
        """Whether it writes anything in that time; all that comes at once."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.text += os.read(self.master, 65536)
        return True

    def until(self, text, seconds):
        end = time.monotonic() + seconds
        while text not in self.text:
            lib.true(self.read(max(0, end - time.monotonic())), f"no {text!r} in {seconds} s: "
                     f"{self.text[-500:]!r}")

    def settle(self):
        while self.read(0.02):
            pass

    def answer(self, key):
        """Seconds until something is drawn."""
        self.settle()
        begin = time.monotonic()
        os.write(self.master, key)
        lib.true(self.read(ANSWER), f"{key!r} is not answered in {ANSWER} s")
        return time.monotonic() - begin

    def ends(self, how, what):
        """At once, and the terminal is as it was."""
        begin = time.monotonic()
        what()
        while self.process.poll() is None and time.monotonic() < begin + ANSWER:
            self.read(0.01)
        lib.true(self.process.poll() is not None, f"{how}: no end in {ANSWER} s")
        self.settle()
        lib.true(RMCUP in self.text, f"{how}: the alternate screen is left: {self.text[-200:]!r}")
        lib.equal(f"{how}: modes", termios.tcgetattr(self.slave), self.modes)


def check(den, keys, args, text):
    """Keys that change what is shown; then each way to end it."""
    for how in "q", "^C", "SIGTERM", "SIGHUP":
        with Screen(den, *args) as screen:
            screen.until(text, SHOWN)
            if how == "q":
                took = [screen.answer(key) for key in keys]
                print(f"# longest answer: {1000 * max(took):.0f} ms")
            screen.ends(how, {
                "q": lambda: os.write(screen.master, b"q"),
                "^C": lambda: os.write(screen.master, b"\3"),
                "SIGTERM": lambda: os.kill(pid_of(screen), signal.SIGTERM),
                "SIGHUP": lambda: os.kill(pid_of(screen), signal.SIGHUP),
            }[how])


def pid_of(screen):
    """setsid and nsenter execute the next one: it is the process that was started."""
    return screen.process.pid


@lib.test
def its_process_does_not_answer():
    with stuck.frozen() as den:
        den.stop()
        check(den, [b"?", b"\x1b"] * 3, den.pids, b"stuck")


@lib.test
def one_of_the_list_does_not_answer():
    with stuck.frozen() as den:
        den.stop()
        check(den, [b"?", b"\x1b", b"j", b"k", b"?", b"\x1b"], [], b"PID")


lib.done()
