#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview malloc: figures of programs that rest, against what malloc_info(3) tells them."""
import contextlib
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "malloc", "states.c")
# KiB that a program may touch while it trims: its code, its output
TOUCHED_KIB = 160
STATES = ["fresh", "second", "runs", "last", "top", "fast", "arenas", "shared", "pieces", "mapped",
          "cache", "foreign", "blocked"]


class Program:
    def __init__(self, process):
        self.process, self.pid = process, process.pid
        xml = []
        for line in process.stdout:
            text = line.decode()
            if text.startswith("{"):
                self.info = json.loads(text)
                break
            xml.append(text)
        else:
            raise lib.Failed(f"the program ended with status {process.wait()}")
        while "pipe" not in self.waits():
            time.sleep(0.01)
        # the totals are behind all arenas
        self.xml = "".join(xml).rsplit("</heap>", 1)[-1]

    def waits(self):
        with open(f"/proc/{self.pid}/wchan", encoding="utf-8") as file:
            return file.read()

    def total(self, kind):
        """count and size of <total type="KIND" ...>."""
        found = re.search(rf'<total type="{kind}" count="(\d+)" size="(\d+)"', self.xml)
        return int(found[1]), int(found[2])

    def trim(self):
        self.process.stdin.write(b"x")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["fell"]


@contextlib.contextmanager
def running(path, state, env=None):
    command = path if isinstance(path, list) else [path]
    process = subprocess.Popen([*command, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env=dict(os.environ, **(env or {})))
    try:
        yield Program(process)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()


def look(pid, *options, **keywords):
    document = lib.vmview_json("malloc", *options, pid, **keywords)
    return document["processes"][0]


def compare(process, program):
    """Every figure that the program knows, to the byte."""
    total, info = process["total"], program.info
    lib.equal("allocator", process["allocator"], "glibc")
    lib.equal("exact", process["exact"], True)
    lib.equal("from the system", total["system"], info["arena"])
    free = total["bins"] + total["fast"] + total["top"]
    lib.equal("fordblks", free, info["fordblks"])
    lib.equal("uordblks", total["system"] - free, info["uordblks"])
    lib.equal("smblks", total["chunks_fast"], info["smblks"])
    lib.equal("fsmblks", total["fast"], info["fsmblks"])
    lib.equal("ordblks", total["chunks_bins"] + len(process["arenas"]), info["ordblks"])
    main = next(arena for arena in process["arenas"] if arena["main"])
    lib.equal("keepcost", main["top"], info["keepcost"])
    lib.equal("hblks", process["mmapped"]["chunks"], info["hblks"])
    lib.equal("hblkhd", process["mmapped"]["bytes"], info["hblkhd"])
    lib.equal("fast", (total["chunks_fast"], total["fast"]), program.total("fast"))
    count, size = program.total("rest")
    # glibc adds up words that have a flag in them, one for each chunk in a bin
    lib.equal("rest", (total["chunks_bins"] + len(process["arenas"]),
                       total["bins"] + total["top"] + total["chunks_bins"]), (count, size))


def sums(process):
    for arena in process["arenas"] + [process["total"]]:
        lib.equal("an arena's parts", arena["in_use"] + arena["free"] + arena["top"] +
                  arena["overhead"] + arena["unread"], arena["system"])
        lib.equal("free", arena["bins"] + arena["fast"] + arena["tcache"], arena["free"])
    for key in "system", "in_use", "free", "top", "trimmable", "chunks_in_use":
        lib.equal(key, sum(arena[key] for arena in process["arenas"]), process["total"][key])


def check_state(path, state, env=None):
    try:
        check_figures(path, state, env)
    except lib.Failed as err:
        raise lib.Failed(f"{state} {env or ''}: {err}") from err


def check_figures(path, state, env):
    with running(path, state, env) as program:
        before = resting(program.pid)
        process = look(program.pid)
        lib.equal("nothing was touched", status_of(program.pid), before)
        compare(process, program)
        sums(process)
        check_special(state, process, program)
        fell = program.trim() * 1024
        trimmable = process["total"]["trimmable"]
        if not trimmable - TOUCHED_KIB * 1024 <= fell <= trimmable:
            raise lib.Failed(f"malloc_trim gave back {fell}, {trimmable} was said")
        after = look(program.pid)["total"]["trimmable"]
        if after > TOUCHED_KIB * 1024:
            raise lib.Failed(f"{after} can be given back again")


def check_special(state, process, program):
    arenas, total = process["arenas"], process["total"]
    if state == "cache":
        lib.equal("cached", total["chunks_tcache"], program.info["cached"])
    if state == "arenas":
        lib.equal("arenas", len(arenas), 17)
        lib.equal("threads", [arena["threads"] for arena in arenas], [1] * 17)
    if state == "shared":
        lib.equal("arenas", len(arenas), 2)
        lib.equal("threads", sum(arena["threads"] for arena in arenas), 17)
    if state == "pieces":
        lib.equal("several pieces", arenas[1]["heaps"] > 1, True)
    if state in ("foreign", "blocked"):
        lib.equal("several pieces", arenas[0]["heaps"] > 1, True)
    if state == "mapped":
        lib.equal("mapped", process["mmapped"]["chunks"], 21)
    if state == "second":
        lib.equal("fragmentation", total["fragmentation"], 1)
    if state == "runs":
        lib.equal("can be given back", total["trimmable"] > total["free"] * 0.9, True)


def resting(pid):
    """The status, once it stays as it is: threads may be about to fall asleep."""
    while True:
        status = status_of(pid)
        time.sleep(0.05)
        if status_of(pid) == status:
            return status


def status_of(pid):
    """What reading its memory carelessly would change."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file)
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        stat = file.read().rsplit(")", 1)[1].split()
    return fields["RssAnon"], fields["VmPTE"], fields["VmSwap"], stat[7]


def build(directory, *flags):
    path = os.path.join(directory, "states")
    done = subprocess.run(["gcc", "-O1", "-D_GNU_SOURCE", "-pthread", *flags, "-o", path, SOURCE],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise lib.Skipped("cannot be built: " + done.stdout.decode().splitlines()[-1])
    libc = subprocess.run(["getconf", "GNU_LIBC_VERSION"], check=False, stdout=subprocess.PIPE)
    if libc.returncode:
        raise lib.Skipped("the C library is not glibc")
    return path


@lib.test
def states():
    with elf.workshop() as directory:
        path = build(directory)
        for state in STATES:
            check_state(path, state)


@lib.test
def states_32_bit():
    with elf.workshop() as directory:
        path = build(directory, "-m32")
        for state in STATES:
            check_state(path, state)


@lib.test
def states_static():
    with elf.workshop() as directory:
        path = build(directory, "-static")
        for state in "fresh", "second", "fast", "arenas", "cache", "mapped":
            check_state(path, state)


def build_for(directory, root):
    """The program for another C library: that of a tree made of its package. How it is started."""
    where = f"{root}/**/x86_64-linux-gnu"
    libraries = sorted({os.path.dirname(path) for name in ("libc.so.6", "libpthread.so.0")
                        for path in glob.glob(f"{where}/{name}", recursive=True)})
    linker = glob.glob(f"{root}/**/ld-linux-x86-64.so.2", recursive=True)
    if not libraries or not linker:
        raise lib.Failed(f"{root}: no C library of x86-64")
    crt = [subprocess.run(["gcc", f"-print-file-name={name}"], check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()
           for name in ("crt1.o", "crti.o", "crtn.o")]
    threads = [path for path in glob.glob(f"{libraries[0]}/libpthread.so.0")
               if os.path.exists(path)]
    path = os.path.join(directory, "states")
    subprocess.run(["gcc", "-O1", "-D_GNU_SOURCE", "-DOLD_MALLINFO", "-Wno-deprecated-declarations",
                    "-fno-stack-protector", "-nostdlib", "-o", path, *crt[:2], SOURCE,
                    f"{libraries[0]}/libc.so.6", *threads, linker[0], crt[2]], check=True)
    return [linker[0], "--library-path", ":".join(libraries), path]


@lib.test
def other_versions():
    """GLIBC_ROOTS: trees of other versions, as dpkg-deb -x makes them of Debian's libc6."""
    roots = [root for root in os.environ.get("GLIBC_ROOTS", "").split(":") if root]
    if not roots:
        raise lib.Skipped("GLIBC_ROOTS names no trees of other C libraries")
    for root in roots:
        with elf.workshop() as directory:
            command = build_for(directory, os.path.abspath(root))
            for state in STATES:
                check_state(command, state)


@lib.test
def settings():
    with elf.workshop() as directory:
        path = build(directory)
        env = {"MALLOC_ARENA_MAX": "3", "MALLOC_TOP_PAD_": str(16 << 20)}
        check_state(path, "second", env)
        with running(path, "fresh", env) as program:
            said = look(program.pid)["settings"]
            lib.equal("arena_max", said["arena_max"], 3)
            lib.equal("top_pad", said["top_pad"], 16 << 20)
            lib.equal("fixed", said["thresholds_fixed"], True)
        for tunable in "tcache_count=0", "tcache_count=100", "hugetlb=1", "hugetlb=2":
            check_state(path, "fast", {"GLIBC_TUNABLES": f"glibc.malloc.{tunable}"})
            check_state(path, "arenas", {"GLIBC_TUNABLES": f"glibc.malloc.{tunable}"})


def start(stack, *command, env=None):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def library(name):
    """The path of a shared library, as the linker knows it."""
    said = subprocess.run(["/sbin/ldconfig", "-p"], check=True, stdout=subprocess.PIPE)
    found = re.search(rf"^\s*{re.escape(name)}\S* .*x86-64.* => (\S+)$", said.stdout.decode(), re.M)
    if not found:
        raise lib.Skipped(f"{name} is missing")
    return found[1]


def check_other(program, name):
    process = look(program.pid)
    lib.equal("allocator", process["allocator"], name)
    lib.equal("arenas", process["arenas"], None)
    lib.equal("reason", name in process["missing"]["arenas"], True)
    said = lib.vmview("malloc", program.pid).out
    lib.equal("words", f"its allocator is {name} (" in said, True)


def preloaded(name, file):
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(elf.workshop())
        path = build(directory)
        program = Program(start(stack, path, "unused", env={"LD_PRELOAD": library(file)}))
        check_other(program, name)


@lib.test
def jemalloc():
    preloaded("jemalloc", "libjemalloc.so")


@lib.test
def tcmalloc():
    preloaded("tcmalloc", "libtcmalloc_minimal.so")


@lib.test
def mimalloc():
    preloaded("mimalloc", "libmimalloc.so")


WAITS = """
#include <stdlib.h>
#include <unistd.h>
void *block;
int main(void)
{
    char byte;
    block = malloc(100000);
    write(1, "{}\\n", 3);
    return (int)read(0, &byte, 1);
}
"""


def musl(*flags):
    if not shutil.which("musl-gcc"):
        raise lib.Skipped("musl-gcc is missing")
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(elf.workshop())
        source = os.path.join(directory, "waits.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(WAITS)
        path = os.path.join(directory, "waits")
        subprocess.run(["musl-gcc", *flags, "-o", path, source], check=True)
        program = start(stack, path)
        program.stdout.readline()
        check_other(program, "musl")


@lib.test
def musl_shared():
    musl()


@lib.test
def musl_static():
    musl("-static")


@lib.test
def go():
    if not shutil.which("go"):
        raise lib.Skipped("go is missing")
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(elf.workshop())
        source = os.path.join(directory, "main.go")
        with open(source, "w", encoding="utf-8") as file:
            file.write('package main\nimport "os"\nfunc main() { os.Stdout.WriteString("{}\\n"); '
                       "os.Stdin.Read(make([]byte, 1)) }\n")
        path = os.path.join(directory, "waits")
        subprocess.run(["go", "build", "-o", path, source], check=True,
                       env=dict(os.environ, GOCACHE=os.path.join(directory, "cache")))
        program = start(stack, path)
        program.stdout.readline()
        check_other(program, "the Go runtime")


@lib.test
def not_used_yet():
    """A program that never called malloc: bins are all zero."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(elf.workshop())
        source = os.path.join(directory, "waits.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(WAITS.replace("block = malloc(100000);", ""))
        path = os.path.join(directory, "waits")
        subprocess.run(["gcc", "-o", path, source], check=True)
        program = start(stack, path)
        program.stdout.readline()
        process = look(program.pid)
        lib.equal("allocator", process["allocator"], None)
        lib.equal("reason", "not called yet" in process["missing"]["arenas"], True)


@lib.test
def denied():
    with contextlib.ExitStack() as stack:
        program = start(stack, "cat")
        done = lib.vmview("malloc", program.pid, user=65534, status=1)
        lib.equal("advice", "try: sudo vmview malloc" in done.err, True)


@lib.test
def while_it_runs():
    """Figures of a program that allocates at full speed: an estimate, and a near one."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(elf.workshop())
        path = build(directory)
        program = start(stack, path, "busy")
        program.stdout.readline()
        for _ in range(20):
            process = look(program.pid)
            arena = process["arenas"][0]
            lib.equal("allocator", process["allocator"], "glibc")
            parts = sum(arena[key] for key in
                        ("in_use", "free", "top", "overhead", "unread"))
            if not 0.9 < parts / arena["system"] < 1.1:
                raise lib.Failed(f"parts {parts} of {arena['system']}: {arena}")
            if arena["unread"] > arena["system"] / 20:
                raise lib.Failed(f"{arena['unread']} of {arena['system']} could not be read")


@lib.test
def budget():
    with elf.workshop() as directory:
        path = build(directory)
        with running(path, "second") as program:
            # the time counts from the start, and a busy machine takes some of it to find arenas
            for step in range(19):
                process = look(program.pid, "--budget", f"{int(5 * 1.4 ** step)}ms")
                if process["arenas"] is not None:
                    break
                lib.true("budget" in process["missing"]["arenas"], str(process["missing"]))
            lib.equal("exact", process["exact"], False)
            arena = process["arenas"][0]
            lib.equal("not all was read", arena["unread"] > 0, True)


lib.done()
