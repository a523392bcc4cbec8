#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion in the shells themselves: zsh on a pseudo-terminal, fish by its own complete -C."""
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

import lib

COMPLETIONS = os.path.join(lib.SRC, "completions")
SECONDS = 60
CONTROL = re.compile(r"\x07|\x1b\[[0-9;?]*[A-Za-z]")


def environment(directory):
    """vmview by its name, and a home without a user's own settings."""
    return {"PATH": os.path.dirname(lib.VMVIEW) + ":" + os.environ["PATH"], "HOME": directory,
            "TERM": "dumb", "LC_ALL": "C.UTF-8"}


class Zsh:
    """An interactive zsh that knows no completion but ours."""

    def __init__(self, directory):
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.execvpe("zsh", ["zsh", "-f", "-i"],
                       environment(directory))
        self.seen = ""
        self.type(f"unset zle_bracketed_paste; PS1=; fpath=({COMPLETIONS} $fpath); "
                  "autoload -U compinit; compinit -u -D; LISTMAX=0; print RE''ADY\n")
        self.expect("READY")

    def type(self, keys):
        self.seen = ""
        os.write(self.terminal, keys.encode())

    def expect(self, text):
        """Wait until it has been written."""
        end = time.monotonic() + SECONDS
        while text not in self.seen:
            ready = select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]
            lib.true(ready, f"zsh: no {text!r} in {self.seen!r}")
            self.seen += CONTROL.sub("", os.read(self.terminal, 65536).decode("utf-8", "replace"))

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


@lib.test
def zsh():
    if not shutil.which("zsh"):
        raise lib.Skipped("zsh is missing")
    with tempfile.TemporaryDirectory() as directory:
        shell = Zsh(directory)
        # what is completed and what is listed, with its description
        for keys, text in (("vmview hug\t", "huge "), ("vmview swap --noh\t", "headings"),
                           ("vmview --json hug\t", "huge "), ("vmview map -o +per\t", "perm"),
                           ("vmview --pace=g\t", "gentle"), ("vmview ps --by=pr\t", "program"),
                           ("vmview s\t\t", "Who fills swap"),
                           ("vmview swap --c\t\t", "comma-separated values")):
            shell.type("\x15" + keys)
            shell.expect(text)
        shell.close()


@lib.test
def fish():
    if not shutil.which("fish"):
        raise lib.Skipped("fish is missing")

    def offered(line):
        script = f"source {COMPLETIONS}/vmview.fish; complete -C '{line}'"
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run(["fish", "--no-config", "-c", script], check=True,
                                  env=environment(directory), stdout=subprocess.PIPE)
        return dict(line.split("\t", 1) if "\t" in line else (line, "")
                    for line in done.stdout.decode().splitlines())

    lib.equal("command", offered("vmview hug"),
              {"huge": "How much is in huge pages, by size, and why the rest is not"})
    lib.true("huge" in offered("vmview --json hug"), "a command after an option")
    lib.true("sort by a column" in offered("vmview swap --so").get("--sort=", ""), "an option")
    lib.equal("values", set(offered("vmview system --by=")),
              {"--by=cgroup", "--by=process", "--by=file"})
    lib.true("rights" in offered("vmview map -o perm").get("perm", ""), "a column")
    lib.true(str(os.getpid()) in offered("vmview swap "), "a process")


lib.done()
