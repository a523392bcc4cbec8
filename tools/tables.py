# SPDX-License-Identifier: GPL-2.0-or-later
"""What the program says of its tables: for tools/man-page and tools/json-schema."""
import functools
import json
import os
import subprocess
import tempfile


class Tables:
    """Asked where no machine is seen, so that it is the same everywhere."""

    def __init__(self, program):
        self.program = os.path.abspath(program)

    def ask(self, words, *more):
        with tempfile.TemporaryDirectory() as empty:
            return subprocess.run([self.program, *words, "--columns=help", "--root", empty, *more],
                                  check=True, stdout=subprocess.PIPE).stdout.decode()

    @functools.cache
    def columns(self, command):
        """Of "pages --summary": as --json tells them, with types and codes; the text marks those
        that people see."""
        words = command.split()
        columns = json.loads(self.ask(words, "--json"))["columns"]
        shown = {line.split()[1] for line in self.ask(words).splitlines() if line[:2] == "* "}
        for one in columns:
            one["default"] = one["name"] in shown
        return columns
