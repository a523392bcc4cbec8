# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects built for the tests of vmview elf, and what readelf and pagemap say of them."""
import contextlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import lib
import oracle

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "elf")
NOBODY = 65534
PAGE = oracle.PAGE
FIGURES = "rss", "private", "dirty", "swap"


class Running:
    def __init__(self, process, path):
        self.process, self.path, self.pid = process, path, process.pid
        self.truth = {}


@contextlib.contextmanager
def workshop():
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as directory:
        os.chmod(directory, 0o755)
        yield directory


def build(directory, name, command, source="object.c"):
    if not shutil.which(command[0]):
        raise lib.Skipped(f"{command[0]} is missing")
    path = os.path.join(directory, name)
    done = subprocess.run([*command, "-O1", "-w", "-o", path, os.path.join(HERE, source)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise lib.Failed(f"{' '.join(command)}: {done.stdout.decode()}")
    return path


@contextlib.contextmanager
def running(path, *wrap, says=True, argv=None):
    """The program, once it waits; it ends with its input. argv: how to start it otherwise."""
    process = subprocess.Popen(argv or [*wrap, path], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    found = Running(process, path)
    try:
        if says:
            found.truth = json.loads(process.stdout.readline())
        else:
            while "pipe" not in lib_read(f"/proc/{process.pid}/wchan"):
                time.sleep(0.01)
        yield found
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def lib_read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def readelf(path, *args):
    return subprocess.run(["readelf", "-W", *args, path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout.decode()


def elf_sections(path):
    """(name, type, address, size, flags) of every section that is in memory."""
    found = []
    for line in readelf(path, "-S").splitlines():
        match = re.match(r" +\[ *\d+\] (\S+) +(\S+) +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ "
                         r"+([A-Zlop]*) ", line)
        if match and "A" in match[5] and not (match[2] == "NOBITS" and "T" in match[5]):
            found.append((match[1], match[2], int(match[3], 16), int(match[4], 16), match[5]))
    return found


def elf_loads(path):
    """(offset, address, file size, memory size) of every loadable segment."""
    return [tuple(int(word, 16) for word in (m[1], m[2], m[3], m[4])) for m in re.finditer(
        r"^  LOAD +(0x\S+) (0x\S+) 0x\S+ (0x\S+) (0x\S+)", readelf(path, "-l"), re.MULTILINE)]


def elf_symbols(path, table=""):
    """{(address, size, name)} of what is a place in memory, from .symtab, else .dynsym."""
    found = {}
    for line in readelf(path, "-s").splitlines():
        title = re.match(r"Symbol table '(\S+)'", line)
        if title:
            table = title[1]
        match = re.match(r" *\d+: ([0-9a-f]+) +(\d+|0x[0-9a-f]+) (NOTYPE|OBJECT|FUNC|IFUNC)"
                         r" +\S+ +\S+ +(\d+) (\S+)", line)
        if match and int(match[2], 0):
            name = match[5].split("@")[0] if table == ".dynsym" else match[5]
            found.setdefault(table, set()).add((int(match[1], 16), int(match[2], 0), name))
    return found.get(".symtab", found.get(".dynsym", set()))


class Pages:
    """The pages of a process, one pagemap word each."""

    def __init__(self, pid):
        self.pid, self.known = pid, {}
        self.mapped = [(m.start, m.end) for m in oracle.maps(pid) if m.start < 1 << 47]
        for start, end in self.mapped:
            if end - start < 1 << 30:
                found = oracle.words(f"/proc/{pid}/pagemap", start // PAGE, (end - start) // PAGE)
                for i, word in enumerate(found):
                    self.known[start + i * PAGE] = word

    def measure(self, start, end):
        """What vmview has to say of a range: bytes on pages of each sort."""
        sums = dict.fromkeys(FIGURES, 0)
        at = start
        while at < end:
            page = at & -PAGE
            size = min(end, page + PAGE) - at
            word = self.known.get(page, 0)
            if word >> 63 and not self.is_zero(word):
                sums["rss"] += size
                sums["private"] += size * (word >> 56 & 1)
                sums["dirty"] += size * (not word >> 61 & 1)
            elif word >> 62 & 1 and word & 31 < 24:
                sums["swap"] += size
            at += size
        return sums

    @staticmethod
    def is_zero(word):
        return bool(oracle.word("/proc/kpageflags", word & (1 << 55) - 1) & oracle.ZERO_PAGE)


def corpus(name):
    """What makes the corpora of the fuzz targets can also make files for processes."""
    path = os.path.join(HERE, "..", "..", "fuzz", name)
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def address(text):
    return int(text, 16)


def objects(pid, *args, **options):
    document = lib.vmview_json("elf", *args, pid, **options)
    return document["processes"][0]


def the_object(process, path):
    found = [one for one in process["objects"] if one["path"] == path]
    lib.equal(f"objects called {path}", len(found), 1)
    return found[0]


def check_figures(what, got, want):
    for key in FIGURES:
        lib.equal(f"{what}: {key}", got[key], want[key])


def check_sections(one, path, pages):
    bias = address(one["bias"])
    want = elf_sections(path)
    lib.true(len(want) > 5, "readelf lists sections")
    for name, kind, addr, size, _ in want:
        rows = [row for row in one["sections"]
                if row["section"] == name and
                addr + bias <= address(row["start"]) < max(addr + bias + size, addr + bias + 1)]
        if not size:
            continue
        lib.equal(f"{name}: size", sum(row["size"] for row in rows), size)
        lib.equal(f"{name}: start", min(address(row["start"]) for row in rows), addr + bias)
        lib.equal(f"{name}: type", {row["type"] for row in rows}, {kind})
        got = {key: sum(row[key] for row in rows) for key in FIGURES}
        check_figures(name, got, pages.measure(addr + bias, addr + bias + size))
    names = {name for name, *_ in want}
    got = {row["section"] for row in one["sections"]}
    lib.true(got <= names | {"(padding)"}, f"other sections: {got - names}")


def check_sums(process, one):
    """What is below an object adds up to it, and sections by name to the process."""
    for list_name in "segments", "sections":
        for key in ("size", "relocated", *FIGURES):
            lib.equal(f"sum of {list_name}: {key}",
                      sum(row[key] or 0 for row in one[list_name]), one[key] or 0)
    for key in ("size", *FIGURES):
        total = sum(row[key] for row in process["objects"])
        lib.equal(f"total {key}", process["total"][key], total)
        lib.equal(f"sum of names: {key}", sum(row[key] for row in process["sections"]), total)


def check_segments(one, pid, pages):
    """Each is a mapping, or the part of one that .bss has."""
    maps = {m.start: m for m in oracle.maps(pid)}
    for row in one["segments"]:
        start, end = address(row["start"]), address(row["end"])
        mapping = maps.get(start)
        lib.true(mapping and end <= mapping.end, f"{row['start']} begins a mapping")
        lib.true(end == mapping.end or row["segment"] == "bss", f"{row['start']} is all of it")
        lib.equal("perm", row["perm"], mapping.perm[:3])
        check_figures(row["start"], row, pages.measure(start, end))


def check_smaps(one, pid):
    """dirty is smaps' Anonymous, and rss its Rss."""
    by_start = {m.start: m for m in oracle.smaps(pid)}
    for row in one["segments"]:
        mapping = by_start[address(row["start"])]
        if address(row["end"]) == mapping.end:
            lib.equal(f"{row['start']}: Rss", row["rss"], mapping.fields["Rss"])
            lib.equal(f"{row['start']}: Anonymous", row["dirty"], mapping.fields["Anonymous"])
            private = mapping.fields["Private_Clean"] + mapping.fields["Private_Dirty"]
            lib.equal(f"{row['start']}: private", row["private"], private)


def build_id(path):
    match = re.search(r"Build ID: ([0-9a-f]+)", readelf(path, "-n"))
    return match[1] if match else None
