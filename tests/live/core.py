#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview on cores: made by the kernel, by gcore and by hand, against what readelf says of them and
what the process showed before it died."""
import contextlib
import fcntl
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402
import oracle  # noqa: E402

PAGE = elf.PAGE
PATTERN = "/proc/sys/kernel/core_pattern"
LOCK = "/run/lock/vmview-machine"
THREADS = """
import os, threading
for _ in range(3):
    threading.Thread(target=lambda: os.read(0, 1), daemon=True).start()
print('{}', flush=True)
os.read(0, 1)
"""


@contextlib.contextmanager
def core_pattern(directory):
    """Cores go to DIRECTORY/core.PID, until the end."""
    with open(LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = elf.lib_read(PATTERN)
        try:
            with open(PATTERN, "w", encoding="ascii") as file:
                file.write(f"{directory}/core.%p")
            yield
        finally:
            with open(PATTERN, "w", encoding="ascii") as file:
                file.write(before)


def kill(program, directory, number):
    """The core that it leaves."""
    path = os.path.join(directory, f"core.{program.pid}")
    resource.prlimit(program.pid, resource.RLIMIT_CORE, (-1, -1))
    with core_pattern(directory):
        os.kill(program.pid, number)
        program.process.wait(60)
    if not os.path.exists(path):
        raise lib.Skipped("the kernel wrote no core")
    return path


def program_headers(path):
    """(address, memory, bytes in the core, in holes, flags) of what readelf lists to be loaded."""
    found = []
    for line in elf.readelf(path, "-l").splitlines():
        match = re.match(r"  LOAD +0x(\S+) 0x(\S+) 0x\S+ 0x(\S+) 0x(\S+) ([R ][W ][E ])", line)
        if match:
            flags = match[5].replace(" ", "-").lower().replace("e", "x")
            offset, address, size, memory = (int(match[i], 16) for i in range(1, 5))
            data = data_bytes(path, offset, size)
            found.append((address, memory, data, size - data, flags))
    return found


def data_bytes(path, offset, size):
    """How many of these bytes of the file are in no hole."""
    end, found = offset + size, 0
    fd = os.open(path, os.O_RDONLY)
    try:
        while offset < end:
            start = os.lseek(fd, offset, os.SEEK_DATA)
            offset = os.lseek(fd, start, os.SEEK_HOLE)
            found += max(0, min(offset, end) - start)
    except OSError:     # ENXIO: nothing but a hole from there on
        pass
    finally:
        os.close(fd)
    return found


def check_mappings(core, process):
    """The rows are the program headers, with all that they say."""
    rows = [(int(row["start"], 16), row["size"], row["in_core"], row.get("holes", 0),
             row["perm"][:3]) for row in process["mappings"] if row["perm"] != "????"]
    lib.equal("mappings", rows, program_headers(core))
    lib.true(len(rows) > 10, "a real core")
    lib.equal("total", process["total"]["in_core"], sum(row[2] for row in rows))
    lib.equal("has", process["core"]["in_core"], sum(row[2] for row in rows))
    holes = sum(row[3] for row in rows)
    lib.equal("holes", process["core"]["holes"], holes)
    lib.equal("left out", process["core"]["left_out"],
              sum(row["size"] - row["in_core"] for row in process["mappings"]) - holes)
    for row in process["mappings"]:
        lib.equal("rss", row["rss"], None)
        lib.true(row["missing"]["rss"].startswith("core"), row["missing"])


def check_names(process, maps, kinds):
    """Names, places in files and kinds are those of the process while it lived."""
    before = {m.start: m for m in maps}
    for row in process["mappings"]:
        start = int(row["start"], 16)
        was = before[start]
        name = was.name.decode()
        if name.startswith("/"):
            lib.equal(f"{start:#x}: path", row["path"], name.replace(" (deleted)", ""))
            lib.equal(f"{start:#x}: offset", int(row["offset"], 16), was.offset)
            lib.equal(f"{start:#x}: kind", row["kind"], kinds[start])
        elif name in ("[stack]", "[vdso]", "[vsyscall]"):
            lib.equal(f"{start:#x}: name", row["path"], name)
            lib.equal(f"{start:#x}: kind", row["kind"], kinds[start])
        else:
            lib.equal(f"{start:#x}: no name", row["path"], "")


def kinds_of(pid):
    return {int(row["start"], 16): row["kind"]
            for row in lib.vmview_json("-o", "start,kind", pid)["processes"][0]["mappings"]}


@lib.test
def of_the_kernel():
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        with elf.running(path) as program:
            maps, kinds = oracle.maps(program.pid), kinds_of(program.pid)
            bias = elf.the_object(elf.objects(program.pid), path)["bias"]
            core = kill(program, directory, signal.SIGABRT)
        process = lib.vmview_json(core)["processes"][0]
        check_mappings(core, process)
        check_names(process, maps, kinds)
        lib.equal("pid", process["pid"], program.pid)
        lib.equal("exe", process["exe"], path)
        lib.equal("comm", process["comm"], "program")
        lib.equal("signal", process["core"]["signal_name"], "SIGABRT")
        lib.equal("threads", process["threads"], 1)
        check_sections(core, path, bias)
        check_addresses(core, path, program.truth)
        check_other_build(directory, core, path)
        check_rights(core)


def check_sections(core, path, bias):
    """Sections by readelf; of data the core has every byte, of text none."""
    one = elf.the_object(lib.vmview_json("elf", core)["processes"][0], path)
    lib.equal("bias", one["bias"], bias)
    lib.equal("build-id", one["build_id"], elf.build_id(path))
    for name, _, _, size, flags in elf.elf_sections(path):
        rows = [row for row in one["sections"] if row["section"] == name]
        lib.equal(f"{name}: size", sum(row["size"] for row in rows), size)
        if "W" in flags and name != ".bss":     # pages of that may be holes
            lib.equal(f"{name}: in core", sum(row["in_core"] for row in rows), size)
        if name in (".text", ".rodata"):
            lib.equal(f"{name}: in core", sum(row["in_core"] for row in rows), 0)
    symbols = {row["symbol"]: row for row in
               elf.the_object(lib.vmview_json("elf", "--symbols", core)["processes"][0],
                              path)["symbols"]}
    lib.equal("data", symbols["data"]["in_core"], 16 * PAGE)
    lib.true("main" not in symbols, "main is not in the core")


def check_addresses(core, path, truth):
    for name in "main", "data", "bss":
        found = lib.vmview_json("at", core, name)
        lib.equal(name, int(found["address"], 16), truth[name])
        lib.equal("path", found["mapping"]["path"], path if name != "bss" else
                  found["mapping"]["path"])
        lib.equal("page", found["page"], None)
    found = lib.vmview_json("at", core, f"{truth['data'] + PAGE + 5:x}")
    lib.equal("symbol", (found["object"]["symbol"], found["object"]["symbol_offset"]),
              ("data", hex(PAGE + 5)))
    # what the program wrote there
    with open(core, "rb") as file:
        file.seek(int(found["mapping"]["core_offset"], 16))
        lib.equal("byte", file.read(1), b"\7")


def check_other_build(directory, core, path):
    """The file was built again since: no section of it is told."""
    elf.build(directory, "program", ["gcc", "-DWX_MAPPING"])
    done = lib.vmview("elf", core, status=1)
    lib.true(f"{path}: mismatch" in done.err, done.err)
    rows = [row for row in lib.vmview_json("-o", "path,section,build_id", core)["processes"][0]
            ["mappings"] if row["path"] == path]
    lib.equal("sections", {row["section"] for row in rows}, {None})
    lib.true(None not in {row["build_id"] for row in rows}, "the build-id is the core's own")


def check_rights(core):
    done = lib.vmview(core, status=1, user=elf.NOBODY)
    lib.true("Permission denied" in done.err, done.err)
    os.chmod(core, 0o644)
    lib.equal("as nobody", lib.vmview(core, user=elf.NOBODY).out, lib.vmview(core).out)


@lib.test
def without_first_pages():
    """A core for which the kernel was told to leave everything out."""
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        with elf.running(path) as program:
            with open(f"/proc/{program.pid}/coredump_filter", "w", encoding="ascii") as file:
                file.write("0")
            core = kill(program, directory, signal.SIGSEGV)
        done = lib.vmview(core)
        lib.true("made without the first pages" in done.err, done.err)
        process = lib.vmview_json(core)["processes"][0]
        rows = [row for row in process["mappings"] if row["path"] == path]
        lib.equal("in core", {row["in_core"] for row in rows}, {0})
        lib.equal("kinds", {row["kind"] for row in rows}, {"file"})
        lib.true("kinds" in process["missing"], process["missing"])
        done = lib.vmview("elf", core, status=1)
        lib.true("made without the file's first page" in done.err, done.err)


@lib.test
def of_gcore():
    """Threads, and their stacks by stack pointer, of a process that goes on living."""
    lib.need_root()
    if not shutil.which("gcore"):
        raise lib.Skipped("gcore is missing")
    with elf.workshop() as directory:
        with elf.running(sys.executable, argv=[sys.executable, "-c", THREADS]) as program:
            time.sleep(0.2)
            maps = oracle.maps(program.pid)
            live = lib.vmview_json(program.pid)["processes"][0]
            done = subprocess.run(["gcore", "-o", os.path.join(directory, "core"),
                                   str(program.pid)], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=120)
            core = os.path.join(directory, f"core.{program.pid}")
            if not os.path.exists(core):
                raise lib.Failed(done.stdout.decode())
            tasks = sorted(map(int, os.listdir(f"/proc/{program.pid}/task")))
        process = lib.vmview_json(core)["processes"][0]
        check_mappings(core, process)
        lib.equal("threads", sorted(one["tid"] for one in process["core"]["threads"]), tasks)
        # what it has no program header for is known from its list of files
        named = {(int(row["start"], 16), row["size"], row["path"]) for row in process["mappings"]
                 if row["perm"] == "????"}
        lib.true(named <= {(m.start, m.end - m.start, m.name.decode()) for m in maps}, named)
        unknown = {(int(row["start"], 16), row["size"]) for row in process["mappings"]
                   if row["perm"] == "????" and row["kind"] == "elf"}
        parts = lib.vmview_json("elf", core)["processes"][0]["objects"]
        got = {(int(row["start"], 16), row["size"]) for one in parts for row in one["segments"]
               if row["perm"] == "???"}
        lib.true(unknown, "some of them are of program files")
        lib.equal("rights nobody knows", got, unknown)
        files = {row["start"] for row in live["mappings"] if row["kind"] in ("elf", "file")}
        lib.equal("files", files - {row["start"] for row in process["mappings"]}, set())
        was = {row["tid"]: (row["start"], row["end"]) for row in live["mappings"] if "tid" in row}
        got = {row["tid"]: (row["start"], row["end"]) for row in process["mappings"]
               if "tid" in row}
        lib.true(len(was) == 3, f"stacks of threads: {was}")
        lib.equal("stacks", got, was)
        for one in live["mappings"]:
            if one["kind"] == "elf" and not one["path"].startswith("["):
                rows = [row for row in process["mappings"] if row["start"] == one["start"]]
                lib.equal(f"{one['start']}: path", rows[0]["path"], one["path"])


@lib.test
def beyond_4_gib():
    """Memory at 5 GiB of a sparse file, and of a file that ends before it."""
    made = elf.corpus("core_corpus")
    core = made.Core()
    core.thread(77, 0x7f0000000800)
    core.process(77, 1, 0, b"big", b"big")
    core.files((0x400000, 0x401000, 0, b"/big"))
    core.load(0x400000, PAGE, 4, made.program())
    core.load(0x10000000, 6 << 30, 6, offset=5 << 30, file_size=6 << 30)
    with elf.workshop() as directory:
        path = os.path.join(directory, "core")
        for size, there in (11 << 30, 6 << 30), ((7 << 30) + 5, (2 << 30) + 5), (8192, 0):
            with open(path, "wb") as file:
                file.write(core.build())
                file.truncate(max(size, file.tell()) if size > 1 << 30 else file.tell())
            process = lib.vmview_json(path, status=0 if there == 6 << 30 else 1)["processes"][0]
            lib.equal("in core", [row["in_core"] for row in process["mappings"]], [PAGE, 0])
            lib.equal("in holes", process["mappings"][1].get("holes", 0), there)
            lib.equal("holes", process["core"]["holes"], there)
            lib.equal("lost", process["core"]["lost"], (6 << 30) - there)
        found = lib.vmview_json("at", path, "10000000", status=0 if there else None)
        lib.equal("offset", found["mapping"]["core_offset"], None)


@lib.test
def of_no_known_file_system():
    """A core has names of files and nothing of where they were: that is said, not guessed."""
    made = elf.corpus("core_corpus")
    core = made.Core()
    core.thread(1, 0)
    core.files((0x10000, 0x11000, 0, b"/program"), (0x20000, 0x21000, 0, b"/dev/shm/data"),
               (0x30000, 0x31000, 0, b"/memfd:known (deleted)"))
    core.load(0x10000, PAGE, 5, made.program())
    core.load(0x20000, PAGE, 6, b"data" * (PAGE // 4))
    core.load(0x30000, PAGE, 6, b"data" * (PAGE // 4))
    with elf.workshop() as directory:
        path = os.path.join(directory, "core")
        with open(path, "wb") as file:
            file.write(core.build())
        process = lib.vmview_json(path, status=None)["processes"][0]
        lib.equal("kinds", [row["kind"] for row in process["mappings"]], ["elf", "file", "shm"])
        lib.true("does not tell the file system" in process["missing"]["kinds"], process["missing"])
        for address, reason in ("20800", True), ("30800", False), ("10800", False):
            found = lib.vmview_json("at", path, address, status=None)["mapping"]
            lib.equal(address, "kind" in found["missing"], reason)
        done = lib.vmview("at", path, "20800", status=None)
        lib.true("kind 'file' may be another" in done.err, done.err)


@lib.test
def many_mappings():
    """More program headers than fit the header's field: the kernel's PN_XNUM."""
    made = elf.corpus("core_corpus")
    count = 70000
    core = made.Core()
    core.thread(1, 0)
    core.header["phnum"] = 0xffff
    for i in range(count):
        core.load(0x100000000 + i * 2 * PAGE, PAGE, 6)
    whole = bytearray(core.build())
    whole[40:48] = len(whole).to_bytes(8, "little")
    section = bytearray(64)
    section[44:48] = (count + 1).to_bytes(4, "little")
    with elf.workshop() as directory:
        path = os.path.join(directory, "core")
        with open(path, "wb") as file:
            file.write(whole + section)
        lines = lib.vmview("--csv", "-o", "start", "--noheadings", path).out.split()
        lib.equal("rows", len(lines), count)
        lib.equal("last", int(lines[-1], 16), 0x100000000 + (count - 1) * 2 * PAGE)


@lib.test
def in_any_order():
    """Program headers that descend, and whose first page of a file is found all the same."""
    made = elf.corpus("core_corpus")
    core = made.Core()
    core.thread(1, 0)
    core.files((0x10000, 0x11000, 0, b"/first"))
    for i in range(300, 0, -1):
        core.load(0x10000 * i, PAGE, 6, made.program() if i == 1 else b"")
    with elf.workshop() as directory:
        path = os.path.join(directory, "core")
        with open(path, "wb") as file:
            file.write(core.build())
        rows = lib.vmview_json(path)["processes"][0]["mappings"]
        lib.equal("starts", [int(row["start"], 16) for row in rows],
                  [0x10000 * i for i in range(1, 301)])
        lib.equal("kind", rows[0]["kind"], "elf")


lib.done()
