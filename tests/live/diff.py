#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview diff against a process that changes its mappings as it is told to."""
import contextlib
import json
import os
import platform
import signal
import subprocess
import tempfile
import time

import lib

# rt_sigtimedwait
SIGTIMEDWAIT = {"x86_64": 128}.get(platform.machine(), 137)

PAGE = os.sysconf("SC_PAGE_SIZE")

# Calls of libc, one a line: the name and numbers. Between its mappings are others without rights.
PUPPET = r"""
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for name in ("mmap", "mremap"):
    getattr(libc, name).restype = ctypes.c_void_p
numbers = {"mmap": 6, "mremap": 5}
# what the program itself needs is there before the first question
[ctypes.c_size_t(n) for n in range(1000)]
print("ready", flush=True)
for line in sys.stdin:
    name, *rest = line.split()
    args = [ctypes.c_size_t(int(n)) for n in rest]
    if name == "touch":
        ctypes.memset(int(rest[0]), 1, int(rest[1]))
        print(0, flush=True)
    else:
        print(getattr(libc, name)(*args) or 0, flush=True)
"""

READ, WRITE = 1, 2
PRIVATE, ANONYMOUS, FIXED = 2, 0x20, 0x10
MAYMOVE, MOVE_FIXED = 1, 2


class Puppet:
    def __init__(self):
        # -S: no modules of the machine that would be there in one run and not in another
        self.process = subprocess.Popen(["/usr/bin/python3", "-ISc", PUPPET], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.pid = self.process.pid

    def __call__(self, name, *numbers):
        print(name, *numbers, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def map(self, pages, perm=READ | WRITE):
        """Anonymous memory, with a page on both sides that nothing merges with."""
        size = (pages + 2) * PAGE
        at = self("mmap", 0, size, 0, PRIVATE | ANONYMOUS, 2**64 - 1, 0) + PAGE
        self("mprotect", at, pages * PAGE, perm)
        return at

    def touch(self, at, pages):
        self("touch", at, pages * PAGE)


@contextlib.contextmanager
def puppet():
    one = Puppet()
    try:
        yield one
    finally:
        one.process.stdin.close()
        one.process.wait()


@contextlib.contextmanager
def documents(*pids):
    """A JSON document of map of each."""
    with tempfile.TemporaryDirectory() as home:
        names = []
        for index, pid in enumerate(pids):
            names.append(os.path.join(home, f"{index}.json"))
            with open(names[-1], "w", encoding="utf-8") as out:
                json.dump(lib.vmview_json("map", pid), out)
        yield names


def diff(*args, **options):
    doc = lib.vmview_json("diff", *args, **options)
    for key in ("rss", "size", "rss_delta", "size_delta"):
        values = [m[key] for m in doc["mappings"]]
        lib.equal(f"sum of {key}", sum(values), doc["total"][key])
        lib.equal(f"kinds' {key}", sum(k[key] for k in doc["kinds"]), doc["total"][key])
    counts = {}
    for mapping in doc["mappings"]:
        counts[mapping["change"]] = counts.get(mapping["change"], 0) + 1
    for change in ("new", "gone", "grown", "shrunk", "same"):
        lib.equal(change, doc["changes"][change], counts.get(change, 0))
    return doc


def at(doc, address):
    """The row of the mapping that begins there, or began."""
    return next(m for m in doc["mappings"]
                if int(m["start"] or "0", 16) == address or
                (not m["start"] and int(m["start_before"], 16) == address))


def changed(before, act):
    """What diff says after act(puppet, what before() made of it)."""
    with puppet() as one:
        made = before(one)
        with documents(one.pid) as (document,):
            result = act(one, made)
            return diff(document, one.pid), made, result


@lib.test
def nothing_changed():
    with puppet() as one, documents(one.pid, one.pid) as (first, second):
        doc = diff(first, second)
        lib.equal("changes", [doc["changes"][c] for c in ("new", "gone", "grown", "shrunk")],
                  [0] * 4)
        lib.equal("status", lib.vmview("diff", "--exit-code", first, second, status=0).status, 0)
        lib.true(doc["same_address_space"], "the same address space")


@lib.test
def grown():
    doc, start, _ = changed(lambda one: one.map(64), lambda one, start: one.touch(start, 10))
    row = at(doc, start)
    lib.equal("change", row["change"], "grown")
    lib.equal("rss_delta", row["rss_delta"], 10 * PAGE)
    lib.equal("size_delta", row["size_delta"], 0)
    lib.equal("match", row["match"], [])


@lib.test
def new_and_gone():
    def act(one, start):
        one("munmap", start, 64 * PAGE)
        other = one.map(640)
        one.touch(other, 3)
        # so that it can not be taken for the one that is gone
        one("mprotect", other, 640 * PAGE, READ)
        return other

    doc, start, other = changed(lambda one: one.map(64), act)
    row = at(doc, other)
    lib.equal("new", (row["change"], row["rss_delta"], row["size_delta"], row["start_before"]),
              ("new", 3 * PAGE, 640 * PAGE, None))
    gone = next(m for m in doc["mappings"] if m["change"] == "gone" and
                int(m["start_before"], 16) == start)
    lib.equal("gone", (gone["start"], gone["size_delta"]), (None, -64 * PAGE))


@lib.test
def split_by_a_hole():
    def act(one, start):
        one("munmap", start + 16 * PAGE, 16 * PAGE)

    def before(one):
        start = one.map(64)
        one.touch(start, 64)
        return start

    doc, start, _ = changed(before, act)
    row = at(doc, start)
    lib.equal("row", (row["change"], row["match"], row["mappings"], row["mappings_delta"],
                      row["rss_delta"], row["size_delta"]),
              ("shrunk", ["split"], 2, 1, -16 * PAGE, -16 * PAGE))


@lib.test
def split_by_rights():
    def act(one, start):
        one("mprotect", start + 16 * PAGE, 16 * PAGE, READ)

    doc, start, _ = changed(lambda one: one.map(64), act)
    row = at(doc, start)
    lib.equal("row", (row["change"], row["match"], row["mappings"], row["size_delta"]),
              ("same", ["split"], 3, 0))


@lib.test
def merged():
    def before(one):
        start = one.map(64)
        one("mprotect", start + 16 * PAGE, 16 * PAGE, READ)
        return start

    def act(one, start):
        one("mprotect", start + 16 * PAGE, 16 * PAGE, READ | WRITE)

    doc, start, _ = changed(before, act)
    row = at(doc, start)
    lib.equal("row", (row["change"], row["match"], row["mappings"], row["mappings_delta"]),
              ("same", ["merged"], 1, -2))


@lib.test
def grown_downward():
    def act(one, start):
        got = one("mmap", start - PAGE, PAGE, READ | WRITE, PRIVATE | ANONYMOUS | FIXED,
                  2**64 - 1, 0)
        lib.equal("mmap", got, start - PAGE)

    def before(one):
        start = one.map(8)
        one("munmap", start - PAGE, PAGE)
        return start

    doc, start, _ = changed(before, act)
    row = at(doc, start - PAGE)
    lib.equal("row", (row["change"], int(row["start_before"], 16), row["size_delta"]),
              ("grown", start, PAGE))


@lib.test
def moved_by_mremap():
    """It can not be told from one that was unmapped and another that was mapped: it says so."""
    def before(one):
        start = one.map(777)
        one.touch(start, 700)
        return start

    def act(one, start):
        room = one.map(800)
        return one("mremap", start, 777 * PAGE, 777 * PAGE, MAYMOVE | MOVE_FIXED, room)

    doc, start, moved = changed(before, act)
    row = at(doc, moved)
    lib.true(moved != start, "it moved")
    lib.equal("row", (row["change"], int(row["start_before"], 16), row["match"], row["rss_delta"]),
              ("same", start, ["moved", "unsure"], 0))


@lib.test
def recordings():
    """Of one process, as a series; the last step is the steepest, and the figures are exact."""
    with puppet() as one, tempfile.TemporaryDirectory() as home:
        start, pages = one.map(4096), (0, 3, 5, 700)
        for index, count in enumerate(pages):
            one.touch(start, max(count, 1))
            lib.vmview("record", os.path.join(home, str(index + 1)), one.pid)
        doc = diff(home)
        row = at(doc, start)
        lib.equal("series", row["series"], [max(count, 1) * PAGE for count in pages])
        lib.equal("steepest", (row["step"], row["step_delta"], row["monotonic"]),
                  (2, 695 * PAGE, True))
        lib.equal("leak", [leak["grew"] for leak in doc["leaks"]
                           if int(leak["start"], 16) == start], [699 * PAGE])
        lib.equal("rss_delta", row["rss_delta"], 699 * PAGE)
        lib.true(doc["seconds"] > 0 and row["rss_per_hour"] > 0, "a rate")
        pair = diff(os.path.join(home, "1"), f"{home}/4:{one.pid}")
        lib.equal("without what is between", at(pair, start)["rss_delta"], 699 * PAGE)
        alive = diff(os.path.join(home, "4"), one.pid)
        lib.equal("still the same", at(alive, start)["change"], "same")


@lib.test
def cores():
    """Of a core the sizes alone are known; it matches the process that it is of."""
    with puppet() as one, tempfile.TemporaryDirectory() as home:
        one.map(64)
        done = subprocess.run(["gcore", "-o", os.path.join(home, "core"), str(one.pid)],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        core = os.path.join(home, f"core.{one.pid}")
        if done.returncode or not os.path.exists(core):
            raise lib.Skipped(f"no core: {done.stdout[-100:]}")
        doc = lib.vmview_json("diff", core, one.pid)
        lib.equal("size_delta", doc["total"]["rss_delta"], None)
        lib.true(doc["same_address_space"], "the same address space")
        lib.equal("new files", [m["path"] for m in doc["mappings"] if m["change"] == "new" and
                                m["kind"] == "elf"], [])


@lib.test
def two_runs_of_one_program():
    """Addresses are random, and nothing is new or gone."""
    with puppet() as one, puppet() as other:
        # memory that lies between what is named
        for each in (one, other):
            each.touch(each.map(100), 50)
        doc = diff(one.pid, other.pid)
        lib.equal("new", [m for m in doc["mappings"] if m["change"] == "new"], [])
        lib.equal("gone", [m for m in doc["mappings"] if m["change"] == "gone"], [])
        lib.true(not doc["same_address_space"], "another address space")
        for mapping in doc["mappings"]:
            lib.equal("mappings", mapping["mappings_delta"], 0)


@lib.test
def two_runs_of_many_animals():
    """Shared memory, names, reserves, huge pages; and a program with threads."""
    animals = ("touched", "comb", "reserved", "memfd", "memfd-twice", "anon-shared",
               "thp", "threads")
    with lib.zoo(*animals) as one, lib.zoo(*animals) as other:
        for pids in ((one.pid, other.pid), [z.truth["threads"]["pid"] for z in (one, other)]):
            doc = diff(*pids)
            lib.equal("new, gone", (doc["changes"]["new"], doc["changes"]["gone"]), (0, 0))


@lib.test
def while_it_runs():
    with puppet() as one:
        start = one.map(4096)
        process = subprocess.Popen([lib.VMVIEW, "diff", "--json", "--interval=0.3", "--count=3",
                                    str(one.pid)], stdout=subprocess.PIPE, text=True)
        pages = 0
        while process.poll() is None and pages < 4000:
            one.touch(start + pages * PAGE, 1)
            pages += 1
            if select_ready(process, 0.01):
                break
        doc = json.loads(process.communicate()[0])
        lib.validate(doc)
        row = at(doc, start)
        series = row["series"]
        lib.equal("moments", (len(series), len(doc["moments"])), (4, 4))
        lib.equal("rss", (series[-1], series[-1] - series[0]), (row["rss"], row["rss_delta"]))
        steps = [b - a for a, b in zip(series, series[1:])]
        lib.equal("step", (row["step_delta"], row["step"]), (max(steps), steps.index(max(steps))))
        lib.true(doc["seconds"] >= 0.9, f"{doc['seconds']} s")
        rate = row["rss_delta"] * 3600 / doc["seconds"]
        lib.true(abs(row["rss_per_hour"] - rate) <= 1e-5 * rate + 1, "rate")
        if row["monotonic"]:
            lib.true(any(int(leak["start"], 16) == start for leak in doc["leaks"]), "a leak")


def select_ready(process, seconds):
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


@lib.test
def until():
    with puppet() as one:
        start = one.map(4096)
        process = subprocess.Popen([lib.VMVIEW, "diff", "--json", "--interval=0.05",
                                    f"--until=rss_delta >= {100 * PAGE}", str(one.pid)],
                                   stdout=subprocess.PIPE, text=True)
        pages = 0
        while not select_ready(process, 0.02) and pages < 4000:
            one.touch(start + pages * PAGE, 8)
            pages += 8
        doc = json.loads(process.communicate()[0])
        lib.equal("status", process.returncode, 3)
        lib.true(doc["until"] and doc["total"]["rss_delta"] >= 100 * PAGE, "it is true")


@lib.test
def interrupted():
    """It says what it has."""
    with puppet() as one:
        start = one.map(16)
        process = subprocess.Popen([lib.VMVIEW, "diff", "--json", "--interval=1h",
                                    "--until=rss > 1P", str(one.pid)], stdout=subprocess.PIPE,
                                   text=True)
        # once it sleeps with the signal blocked, it has read the first state
        while not is_waiting(process.pid):
            time.sleep(0.01)
        one.touch(start, 5)
        process.send_signal(signal.SIGINT)
        doc = json.loads(process.communicate()[0])
        lib.equal("status", process.returncode, 0)
        lib.equal("rss_delta", at(doc, start)["rss_delta"], 5 * PAGE)
        lib.equal("until", doc["until"], False)


def is_waiting(pid):
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            return file.read().split()[0] == str(SIGTIMEDWAIT)
    except OSError:
        return False


@lib.test
def exit_code():
    with puppet() as one:
        start = one.map(16)
        with documents(one.pid) as (document,):
            one.touch(start, 5)
            lib.vmview("diff", document, one.pid, status=0)
            lib.vmview("diff", "--exit-code", document, one.pid, status=1)


@lib.test
def gone_meanwhile():
    with puppet() as one, documents(one.pid) as (document,):
        pid = one.pid
        one.process.stdin.close()
        one.process.wait()
        done = lib.vmview("diff", document, pid, status=1)
        lib.true(f"no process {pid}" in done.err, done.err)


if __name__ == "__main__":
    lib.done()
