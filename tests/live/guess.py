#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview -o guess: memory of programs that know what they have where, and runtimes that tell
it."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402

SOURCES = os.path.join(os.path.dirname(elf.HERE), "guess")
SOURCE = os.path.join(SOURCES, "arena.c")
# what a guess may be of, by Java's own account
JAVA = {
    "java heap": {"Java Heap"},
    "java classes": {"Class", "Metaspace", "Shared class space"},
    "java code": {"Code"},
    "thread stack": {"Thread Stack"},
}


def rows_of(pid, **options):
    document = lib.vmview_json("-o", "start,end,size,kind,guess,tid", pid, **options)
    return [dict(row, start=int(row["start"], 16), end=int(row["end"], 16))
            for row in document["processes"][0]["mappings"]]


def at(rows, address):
    return next(row for row in rows if row["start"] <= address < row["end"])


@lib.test
def second_arena():
    with elf.workshop() as directory:
        path = os.path.join(directory, "arena")
        subprocess.run(["gcc", "-pthread", "-o", path, SOURCE], check=True)
        libc = subprocess.run(["ldd", path], check=True, stdout=subprocess.PIPE).stdout.decode()
        if "libc.so.6" not in libc:
            raise lib.Skipped("the C library is not glibc")
        with elf.running(path) as program:
            rows, truth = rows_of(program.pid), program.truth
            arena = at(rows, truth["arena"])
            lib.equal("arena", arena["guess"], "malloc arena")
            start = arena["start"]
            lib.equal("aligned", start % (64 << 20), 0)
            parts = [row for row in rows if start <= row["start"] < start + (64 << 20)]
            lib.equal("all of it", {row["guess"] for row in parts}, {"malloc arena"})
            lib.equal("size", sum(row["size"] for row in parts), 64 << 20)
            lib.equal("others", [row for row in rows if row["guess"] == "malloc arena" and
                                 row not in parts], [])
            stack = at(rows, truth["stack"])
            lib.equal("stack of a thread that ended", (stack["guess"], stack["kind"]),
                      ("thread stack", "anon"))
            lib.equal("stack of one that lives", [row["guess"] for row in rows if "tid" in row],
                      [None])
            lib.equal("code", at(rows, truth["code"])["guess"], "jit code")
            lib.equal("heap, which has a name", at(rows, truth["heap"])["guess"], None)
            lib.equal("plain memory", at(rows, truth["plain"])["guess"], None)
            check_sums(program.pid, rows)
            found = lib.vmview_json("at", program.pid, hex(truth["arena"]))["mapping"]
            lib.equal("at", found["guess"], "malloc arena")


def check_sums(pid, rows):
    """The sums by kind have guesses apart, without being asked; in JSON kinds stay whole."""
    process = lib.vmview_json(pid)["processes"][0]
    want = {}
    for row in rows:
        if row["guess"]:
            what = row["kind"], row["guess"]
            count, size = want.get(what, (0, 0))
            want[what] = count + 1, size + row["size"]
    lib.equal("guesses", {(one["kind"], one["guess"]): (one["mappings"], one["size"])
                          for one in process["guesses"]}, want)
    for kind in process["kinds"]:
        lib.equal(kind["kind"], kind["size"],
                  sum(row["size"] for row in rows if row["kind"] == kind["kind"]))
    text = lib.vmview(pid, "--bytes").out.split("\n\n")[-2].splitlines()
    sums = {line[:24].strip(): line[24:].split() for line in text[1:]}
    for (kind, guess), (count, size) in want.items():
        lib.equal(f"{kind}: {guess}?", sums[f"{kind}: {guess}?"][:2], [str(count), str(size)])
    anon = sum(size for (kind, _), (_, size) in want.items() if kind == "anon")
    whole = next(one["size"] for one in process["kinds"] if one["kind"] == "anon")
    lib.equal("the rest of anon", int(sums["anon"][1]), whole - anon)


def preloaded(library):
    """What is guessed of Python that has a list of 64 MiB, with another allocator."""
    found = subprocess.run(["sh", "-c", f"ls /usr/lib/*/{library}* /usr/lib/{library}*"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    names = found.stdout.decode().split()
    if not names:
        raise lib.Skipped(f"{library} is missing")
    script = ("import sys; a = [bytes(1 << 16) for i in range(1024)]\n"
              "print(id(a[512]), flush=True); sys.stdin.read()")
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env={**os.environ, "LD_PRELOAD": names[0],
                                                       "PYTHONMALLOC": "malloc"}) as child:
        address = int(child.stdout.readline())
        return at(rows_of(child.pid), address)


@lib.test
def heaps_of_other_allocators():
    for library, guess in ("libjemalloc.so", "jemalloc heap"), ("libmimalloc.so", "mimalloc heap"):
        lib.equal(library, preloaded(library)["guess"], guess)


@lib.test
def address_sanitizer():
    with elf.workshop() as directory:
        source, path = os.path.join(directory, "a.c"), os.path.join(directory, "a")
        with open(source, "w") as file:
            file.write('#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n'
                       'int main(void) { printf("%p\\n", malloc(100)); fflush(stdout); '
                       'return getchar(); }\n')
        if subprocess.run(["gcc", "-fsanitize=address", "-o", path, source], check=False,
                          stderr=subprocess.DEVNULL).returncode:
            raise lib.Skipped("gcc has no AddressSanitizer")
        if os.uname().machine != "x86_64":
            raise lib.Skipped("the place is that of x86-64")
        with subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            address = int(child.stdout.readline(), 16)
            rows = rows_of(child.pid)
            lib.equal("heap", at(rows, address)["guess"], "asan heap")
            shadow = [row for row in rows if row["guess"] == "asan shadow"]
            # a byte of shadow for 8 bytes of 47 bits, but for what is below the shadow itself
            lib.equal("shadow", sum(row["size"] for row in shadow), 0x10007fff8000 - 0x7fff7000)
            lib.true((address >> 3) + 0x7fff8000 >= shadow[0]["start"], hex(address))
            child.stdin.close()


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise lib.Skipped(f"{program} is missing")


def java_regions(pid):
    """(start, end, purpose) of what Java reserved."""
    said = subprocess.run(["jcmd", str(pid), "VM.native_memory", "detail"], check=True,
                          stdout=subprocess.PIPE, timeout=120).stdout.decode()
    found = re.findall(r"^\[0x(\w+) - 0x(\w+)\] reserved .* for (.*) from", said, re.M)
    return [(int(start, 16), int(end, 16), purpose) for start, end, purpose in found]


def purposes(regions, row):
    return {what for start, end, what in regions if start < row["end"] and row["start"] < end}


def check_java(rows, regions):
    """No guess is wrong; heap and class space are found whole. Neighbours can be one mapping."""
    heap = [(start, end) for start, end, what in regions if what == "Java Heap"]
    got = [row for row in rows for start, end in heap if start <= row["start"] < end]
    lib.equal("heap", sum(row["size"] for row in got), sum(end - start for start, end in heap))
    named = {row["path"].split("/")[-1] for row in got if row["path"]}
    lib.true(named <= {"classes.jsa", "memfd:java_heap"}, f"files in the heap: {named}")
    lib.equal("heap is guessed", {row["guess"] for row in got if not row["path"]}, {"java heap"})
    for row in rows:
        what, where = purposes(regions, row), f"{row['start']:#x}: {row['guess']}"
        if row["guess"] in JAVA:
            lib.true(what & JAVA[row["guess"]], f"{where}: {what}")
        if row["guess"] == "malloc arena" and row["perm"] == "rw-p":
            lib.equal(where, what, set())
        if row["tid"] is not None:
            lib.equal(f"{row['start']:#x}: stack of {row['tid']}", what, {"Thread Stack"})
        if "Class" in what and row["start"] >= heap[-1][1]:
            lib.equal(where, row["guess"], "java classes")
        if row["perm"][2] == "x" and "Code" in what:
            lib.equal(where, row["guess"], "java code")
    lib.true(sum(row["tid"] is not None for row in rows) >= 3, "stacks of its threads")


def check_jvm(*options):
    need("java", "javac", "jcmd")
    with elf.workshop() as directory:
        subprocess.run(["javac", "-d", directory, os.path.join(SOURCES, "Held.java")], check=True,
                       timeout=120)
        argv = ["java", "-XX:NativeMemoryTracking=detail", "-Xms64m", *options, "-cp", directory,
                "Held"]
        try:
            with elf.running("java", argv=argv) as program:
                regions = java_regions(program.pid)
                document = lib.vmview_json("-o", "start,end,size,perm,path,guess,tid", program.pid)
                rows = [dict(row, start=int(row["start"], 16), end=int(row["end"], 16),
                             tid=row.get("tid"))
                        for row in document["processes"][0]["mappings"]]
                check_java(rows, regions)
        except ValueError as error:
            raise lib.Skipped(f"this Java does not start with {' '.join(options)}") from error


@lib.test
def java_serial():
    check_jvm("-Xmx256m", "-XX:+UseSerialGC")


@lib.test
def java_g1_as_small_as_an_arena():
    check_jvm("-Xmx64m", "-XX:+UseG1GC")


@lib.test
def java_zgc():
    check_jvm("-Xmx256m", "-XX:+UseZGC")


@lib.test
def java_beyond_compressed_pointers():
    """It lies where the kernel puts it: now and then right above something else, and then is not
    guessed."""
    for last in False, False, True:
        try:
            check_jvm("-Xmx40g", "-XX:+UseG1GC")
            return
        except lib.Failed as failed:
            if last or "heap is guessed is {None}" not in str(failed):
                raise


@lib.test
def go():
    need("go")
    with elf.workshop() as directory:
        path = os.path.join(directory, "held")
        env = dict(os.environ, GO111MODULE="off", GOCACHE=os.path.join(directory, "cache"),
                   CGO_ENABLED="0", GOFLAGS="")
        subprocess.run(["go", "build", "-o", path, os.path.join(SOURCES, "held.go")], check=True,
                       env=env, timeout=300)
        with elf.running(path) as program:
            rows, truth = rows_of(program.pid), program.truth
            heap = [row for row in rows if row["guess"] == "go heap"]
            for address in truth["heap"]:
                lib.equal(f"{address:#x}", at(rows, address)["guess"] or at(rows, address)["kind"],
                          "go heap")
            lib.true(sum(row["size"] for row in heap) >= 100 << 20, "100 MiB are held")
            lib.equal("pieces", sum(row["size"] for row in heap) % (64 << 20), 0)
            lib.equal("other guesses", {row["guess"] for row in rows} - {"go heap", None}, set())


lib.done()
