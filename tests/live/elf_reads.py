#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What vmview reads of mapped files: nothing where no column needs it, 64 bytes for the kind, and
each symbol table once in a run. Seen from outside, by strace."""
import collections
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402

READS = "read,readv,pread64,preadv,preadv2,mmap"
# pread64(8</tmp/program>, "..."..., 64, 0) = 64
LINE = re.compile(r"^(\w+)\((?:NULL, \d+, [A-Z_|]+, [A-Z_|]+, )?\d+<([^>]*)>, .*?"
                  r"(?:, (\d+), (\d+))?\) += (\d+)$")


def reads(directory, *args):
    """{path: [(call, offset, bytes)]} of all that vmview and its children read and map."""
    if not shutil.which("strace"):
        raise lib.Skipped("strace is missing")
    log = os.path.join(directory, "strace")
    # what looks for leaks is a debugger itself: there is room for one
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
    done = subprocess.run(["strace", "-ff", "-qq", "-y", "-s", "0", "-e", "signal=none",
                           "-e", f"trace={READS}", "-o", log, lib.VMVIEW, *map(str, args)],
                          env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    err = done.stderr.decode(errors="replace")
    if "PTRACE" in err or "ptrace" in err:
        raise lib.Skipped(f"strace: {err.splitlines()[0]}")
    lib.equal("status", (done.returncode, err), (0, ""))
    found = collections.defaultdict(list)
    # a file for each thread: in one the calls of others would cut through them
    for name in glob.glob(f"{log}.*"):
        with open(name, encoding="utf-8", errors="replace") as file:
            for match in filter(None, (LINE.match(line.rstrip("\n")) for line in file)):
                found[match[2]].append((match[1], int(match[4] or 0), int(match[5])))
        os.unlink(name)
    lib.true(any("/maps" in path for path in found), "strace saw maps being read")
    return found


def table_of(path, name):
    """Where a section lies in the file."""
    for line in elf.readelf(path, "-S").splitlines():
        match = re.match(rf" +\[ *\d+\] {re.escape(name)} +\S+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) ",
                         line)
        if match:
            return int(match[1], 16), int(match[2], 16)
    raise lib.Failed(f"{path} has no {name}")


def covers(read, start, size):
    return read[1] <= start and read[1] + read[2] >= start + size


@lib.test
def nothing_is_read_unasked():
    lib.need_root()
    with elf.workshop() as directory:
        with elf.running(elf.build(directory, "program", ["gcc"])) as program:
            for columns in "address,size,perm", "address,rss,pss,dirty":
                found = reads(directory, "map", "--filter", "size > 0", "-o", columns,
                              program.pid)
                lib.equal(columns, found.get(program.path), None)


@lib.test
def kinds_cost_64_bytes():
    lib.need_root()
    with elf.workshop() as directory:
        with elf.running(elf.build(directory, "program", ["gcc"])) as program:
            for args in ["map"], ["map", "-o", "address,kind"], ["map", "--json"]:
                found = reads(directory, *args, program.pid)
                read = [read[1:] for read in found.get(program.path, ())]
                lib.equal(" ".join(args), read, [(0, 64)])


@lib.test
def headers_cost_no_symbols():
    """vmview elf reads the headers, and no table of symbols; --symbols reads that too."""
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        symbols, headers = table_of(path, ".symtab"), table_of(path, ".shstrtab")
        with elf.running(path) as program:
            for option, count in ("--sections", 0), ("--symbols", 1):
                found = reads(directory, "elf", option, program.pid)[path]
                lib.equal(f"{option}: names of sections",
                          sum(covers(read, *headers) for read in found), 1)
                lib.equal(f"{option}: symbols",
                          sum(covers(read, *symbols) for read in found), count)
                lib.equal(f"{option}: mapped", [r for r in found if r[0] == "mmap"], [])


@lib.test
def tables_are_read_once_a_run():
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        tables = {name: table_of(path, name) for name in (".symtab", ".strtab", ".shstrtab")}
        with elf.running(path) as one, elf.running(path) as two, elf.running(path) as three:
            found = reads(directory, "elf", "--symbols", one.pid, two.pid, three.pid)
            for name, place in tables.items():
                lib.equal(name, sum(covers(read, *place) for read in found[path]), 1)
            document = lib.vmview_json("elf", "--symbols", one.pid, two.pid, three.pid)
            counts = [len(row["symbols"]) for process in document["processes"]
                      for row in process["objects"] if row["path"] == path]
            lib.true(counts[0] > 0, "symbols are in memory")
            lib.equal("processes that have them", len(counts), 3)


lib.done()
