#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Three processes that do not answer among sixty: whoever asks about all of them waits for two
timeouts at most, is told which three, and has the rest as before.

    tests/live/stuck_many.py [COMMAND..]        only these; each is shown
"""
import contextlib
import functools
import re
import subprocess
import sys
import time

import lib
import mixing
import stuck

MANY, STUCK = 60, 3
TIMEOUT = 1.0
SPARE = 4.0             # beside what the same took before they were stuck
HELD = "^(otter|held)$"

# {file}: one that all but the stuck ones map; {frozen}: one that only these map
COMMANDS = {
    "ps": ["ps"],
    "ps --by": ["ps", "--by=user"],
    "map --total": ["map", "--total", "--name", HELD],
    "share": ["share", "--name", HELD],
    "who FILE": ["who", "{file}"],
    "who FILE of theirs": ["who", "{frozen}"],
    "system --by=process": ["system", "--by=process"],
    "system --by=file": ["system", "--by=file"],
    "frag": ["frag", "--name", HELD],
    "swap": ["swap", "--name", HELD],
    "numa": ["numa", "--name", HELD],
    "elf --stale": ["elf", "--stale", "--all"],
    "live --batch": ["live", "--batch", "1"],
}

# Nothing of it is swapped: status says so, which waits for nobody.
UNTOUCHED = {"swap"}


def run(den, argv, limit):
    """(document, stderr, seconds); document is None where it had to be killed."""
    begin = time.monotonic()
    process = subprocess.Popen([*den.inside(), lib.VMVIEW, *argv, "--json",
                                f"--timeout={TIMEOUT:g}"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, "", time.monotonic() - begin
    return lib.documents.load(out.decode()), err.decode(), time.monotonic() - begin


def of_process(document, pid):
    return [part for part in mixing.objects(document) if part.get("pid") == pid]


def is_told(document, err, pid):
    """That this one is stuck: in its row, or by its number."""
    said = "\n".join(mixing.reasons(document) + [err])
    rows = "\n".join(mixing.reasons(of_process(document, pid)))
    return "stuck: " in rows or re.search(rf"\b{pid}\b.*stuck: ", said) or \
        re.search(rf"\b{STUCK} process(es)?\b.*stuck|stuck.*\b{STUCK} process", said)


def known(document, pids):
    """Those that it has a row of with a figure."""
    return {pid for pid in pids for part in of_process(document, pid)
            if any(isinstance(value, int) and value > 0 for key, value in part.items()
                   if key not in ("pid", "ppid", "uid", "start_time"))}


def check(name, den, files, others, before, limit):
    argv = [word.format(**files) for word in COMMANDS[name]]
    document, err, seconds = run(den, argv, limit)
    lib.true(document, f"no end in {limit:.1f} s")
    told = known(document, others)
    lib.true(before["known"] <= told, f"{len(before['known'] - told)} others are lost")
    lib.true(seconds < before["seconds"] + 2 * TIMEOUT + SPARE / 2, f"{seconds:.1f} s, "
             f"{before['seconds']:.1f} before")
    lib.equal("complete", document["complete"], name in UNTOUCHED)
    if name in UNTOUCHED:
        return
    untold = [pid for pid in den.pids if not is_told(document, err, pid)]
    lib.true(not untold, f"{len(untold)} are not told: {err[:300]} {document['missing']}")
    lib.true("stuck: no answer in 1 s (thread " in err + "\n".join(mixing.reasons(document)),
             "no thread is named")


class Crowd:
    """Made when the first test needs it; before[command]: what it said when all were well."""

    def __init__(self, stack):
        self.stack, self.den, self.before = stack, None, {}

    def gather(self, names):
        lib.need_root()
        self.den = self.stack.enter_context(stuck.frozen(STUCK))
        pair = self.stack.enter_context(mixing.pair())
        self.files = {"file": f"{pair.dir}/otter.mark", "frozen": self.den.files[0]}
        self.others = [pair.start("otter", "idle").pid for _ in range(MANY - STUCK)]
        for name in names:
            argv = [word.format(**self.files) for word in COMMANDS[name]]
            document, _, seconds = run(self.den, argv, 60)
            lib.true(document, f"{name}: no end before any was stuck")
            self.before[name] = {"seconds": seconds, "known": known(document, self.others)}
        self.den.stop()

    def test(self, name, names):
        if not self.den:
            self.gather(names)
        before = self.before[name]
        limit = before["seconds"] + 2 * TIMEOUT + SPARE
        check(name, self.den, self.files, self.others, before, limit)


def main():
    chosen = [name for name in COMMANDS if not sys.argv[1:] or name in sys.argv[1:]]
    with contextlib.ExitStack() as stack:
        crowd = Crowd(stack)
        for name in chosen:
            test = functools.partial(crowd.test, name, chosen)
            test.__name__ = name
            lib.test(test)
        lib.done()


main()
