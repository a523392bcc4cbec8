#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that help and README.md show are commands that run."""
import os
import re
import shlex
import tempfile

import lib

EXAMPLE = re.compile(r"^  (vmview .*?)(?:  +.*)?$")


def help_of(*words):
    return lib.vmview("help", *words).out.splitlines()


def commands():
    lines = help_of()
    start = next(i for i, line in enumerate(lines) if line.startswith("Commands"))
    for line in lines[start + 1:]:
        if not line.startswith("  "):
            return
        yield line.split()[0]


class Machine:
    """A process to look at, and an address in it."""

    def __init__(self, pid):
        self.pid = str(pid)
        maps = lib.vmview("--json", self.pid)
        self.address = re.search(r'"start":"0x([0-9a-f]+)"', maps.out)[1]

    def words(self, line, directory):
        """The example with what there is here in place of what it names."""
        line = line.replace("4711", self.pid).replace("4712", str(os.getpid()))
        line = line.replace("7f2a3c001000", self.address).replace("www-data", "root")
        line = line.replace("^nginx$", "^zoo").replace("^postgres$", "^zoo")
        line = line.replace("nginx.service", self.pid)
        line = re.sub(r"/var/lib|/srv", directory, line)
        line = re.sub(r"(-i|--interval=?) ?[0-9]+", r"-i 0.2" if "-i " in line
                      else "--interval=0.2", line)
        words = shlex.split(line)[1:]
        if words[0] == "live" and not any(word.startswith("--batch") for word in words):
            words += ["--batch=1"]
        if words[0] == "cow" and any(word.startswith("--interval") for word in words):
            words += ["--count=1"]
        return words


@lib.test
def lines_fit_a_terminal():
    for words in [], ["options"]:
        for line in help_of(*words):
            lib.true(len(line) <= 80, f"help {words}: {line}")


@lib.test
def examples_of_help():
    count = 0
    with lib.zoo("touched") as zoo, tempfile.TemporaryDirectory() as directory:
        machine = Machine(zoo.pid)
        for state in "before", "after":
            lib.vmview("record", os.path.join(directory, state), machine.pid, status=None)
        for command in commands():
            lines = help_of(command)
            start = lines.index("Examples:")
            for line in lines[start + 1:lines.index("", start)]:
                words = machine.words(EXAMPLE.match(line)[1], directory)
                # the examples name files here
                words = [os.path.join(directory, word) if word in ("before", "after", "all")
                         else word.replace("--root=", f"--root={directory}/") for word in words]
                done = lib.vmview(*words, status=None)
                lib.true(done.status in (0, 1), f"{line}: status {done.status}: {done.err}")
                lib.true(done.out or done.status == 1, f"{line}: no output, status 0")
                count += 1
    lib.true(count >= 60, f"{count} examples")


@lib.test
def questions_of_readme():
    """Each of them has a command, and that runs."""
    with open(os.path.join(lib.SRC, "README.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| .*\| (`vmview .*) \|$", file.read(), re.MULTILINE)
    lib.equal("questions", len(rows), 25)
    with lib.zoo("touched") as zoo, tempfile.TemporaryDirectory() as directory:
        machine = Machine(zoo.pid)
        before = os.path.join(directory, "before")
        lib.vmview("record", before, machine.pid, status=None)
        with open(os.path.join(directory, "core"), "wb") as file:
            file.write(b"no core")
        stand_ins = {"PID": machine.pid, "BEFORE": before, "FILE": "/etc/passwd",
                     "PATH": machine.pid,
                     "CORE": os.path.join(directory, "core")}
        for line in {line for row in rows for line in re.findall(r"`(.*?)`", row)}:
            shown = line.replace("phys:ADDRESS", "phys:0x100000")
            shown = shown.replace("ADDRESS", machine.address)
            shown = re.sub(r"[A-Z]{3,}", lambda match: stand_ins[match[0]], shown)
            done = lib.vmview(*machine.words(shown, directory), status=None)
            lib.true(done.status in (0, 1), f"{line}: status {done.status}: {done.err}")


lib.done()
