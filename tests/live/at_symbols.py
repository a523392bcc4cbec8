#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview at: sections and symbols, against what gdb and readelf say of the same addresses."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402

PAGE = elf.PAGE


def ask(pid, place, **options):
    return lib.vmview_json("at", pid, place if isinstance(place, str) else hex(place), **options)


def gdb_symbols(pid, addresses):
    """What `info symbol` says, by address; None where it knows nothing."""
    if not shutil.which("gdb"):
        raise lib.Skipped("gdb is missing")
    args = [arg for address in addresses for arg in ("-ex", f"info symbol {address:#x}")]
    done = subprocess.run(["gdb", "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off",
                           "-p", str(pid), *args], stdin=subprocess.DEVNULL, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lines = [line for line in done.stdout.decode().splitlines()
             if re.match(r"\S+( \+ \d+)? in section|No symbol matches", line)]
    lib.equal("answers of gdb", len(lines), len(addresses))
    found = {}
    for address, line in zip(addresses, lines):
        match = re.match(r"(\S+)(?: \+ (\d+))? in section (\S+)", line)
        found[address] = (match[1], int(match[2] or 0), match[3]) if match else None
    return found


def check_with_gdb(pid, addresses, names):
    """names: all that readelf lists, by address in memory: any of them may stand for it."""
    for address, said in gdb_symbols(pid, addresses).items():
        got = ask(pid, address)["object"]
        if said is None:
            continue
        name, offset, section = said
        lib.equal(f"{address:#x}: section", got["section"], section)
        lib.true(got["symbol"], f"{address:#x}: gdb says {said}, vmview {got}")
        start = address - int(got["symbol_offset"], 16)
        lib.equal(f"{address:#x}: {got['symbol']} or {name} begins", start, address - offset)
        known = names.get(start, {name})
        lib.true(got["symbol"].split("@")[0] in known, f"{got['symbol']} is not in {known}")


def names_of(path, bias):
    names, places = {}, []
    for address, size, name in elf.elf_symbols(path):
        names.setdefault(address + bias, set()).add(name.split("@")[0])
        places.append((address + bias, size))
    return names, places


def bias_of(pid, path):
    return int(elf.the_object(elf.objects(pid), path)["bias"], 16)


def program_test(name, command):
    def test():
        lib.need_root()
        with elf.workshop() as directory:
            path = elf.build(directory, name, command)
            with elf.running(path) as program:
                names, places = names_of(path, bias_of(program.pid, path))
                addresses = {at for start, size in places
                             for at in (start, start + size // 2, start + size - 1)}
                check_with_gdb(program.pid, sorted(addresses)[:60], names)
    test.__name__ = f"as gdb has it: {name}"
    lib.test(test)


program_test("pie", ["gcc", "-g"])
program_test("no-pie", ["gcc", "-no-pie", "-fno-pie"])
program_test("clang", ["clang"])
program_test("exports-alone", ["gcc", "-s", "-rdynamic"])


@lib.test
def libraries_as_gdb_has_them():
    lib.need_root()
    with elf.workshop() as directory, elf.running(elf.build(directory, "p", ["gcc"])) as program:
        for one in elf.objects(program.pid)["objects"][1:]:
            bias = int(one["bias"], 16)
            names, places = names_of(one["path"], bias)
            some = sorted(place for place in places if place[1] > 8)[::len(places) // 20 + 1]
            check_with_gdb(program.pid, [start + size // 2 for start, size in some], names)


@lib.test
def facts_of_a_variable():
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        with elf.running(path) as program:
            address = program.truth["data"] + 5 * PAGE + 7
            found = ask(program.pid, address)["object"]
            lib.equal("symbol", found["symbol"], "data")
            lib.equal("offset", int(found["symbol_offset"], 16), 5 * PAGE + 7)
            lib.equal("size", found["symbol_size"], 16 * PAGE)
            lib.equal("type", found["symbol_type"], "object")
            lib.equal("table", found["symbol_table"], ".symtab")
            lib.equal("section", found["section"], ".data")
            lib.equal("build-id", found["build_id"], elf.build_id(path))
            lib.equal("in the file", int(found["address"], 16),
                      address - bias_of(program.pid, path))
            # .bss behind the pages of the file: in a mapping without a file
            found = ask(program.pid, program.truth["bss"] + 12 * PAGE)
            lib.equal("no file", found["mapping"]["inode"], 0)
            lib.equal("symbol", found["object"]["symbol"], "bss")
            lib.equal("section", found["object"]["section"], ".bss")


@lib.test
def text_that_was_copied():
    """To anonymous memory, a memfd, and by mremap(2): the file's own mappings are around it."""
    lib.need_root()
    for how in 0, 1, 2:
        with elf.workshop() as directory:
            path = elf.build(directory, "program", ["gcc", "-fPIE", "-pie", f"-DCOPIED={how}"])
            with elf.running(path) as program:
                bias = bias_of(program.pid, path)
                symbols = {name: (at + bias, size) for at, size, name in elf.elf_symbols(path)}
                start, size = symbols["function_2"]
                there = [m for m in elf.oracle.maps(program.pid) if m.start <= start < m.end][0]
                lib.true(there.name.decode() != path and there.end - there.start == PAGE, there)
                for name in "function_2", "behind", "main":
                    found = ask(program.pid, symbols[name][0] + 1)["object"]
                    lib.equal("symbol", (found["symbol"], found["symbol_offset"]), (name, "0x1"))
                    lib.equal("section", found["section"], ".text")
                    lib.equal("copied", found.get("copied", False), name == "function_2")
                one = elf.the_object(elf.objects(program.pid, "--symbols"), path)
                rows = {row["symbol"]: row for row in one["symbols"]}
                lib.equal("resident", rows["function_2"]["rss"], size)
                one = elf.the_object(elf.objects(program.pid), path)
                segments = [(int(s["start"], 16), s["segment"]) for s in one["segments"]]
                lib.true((there.start, "copied") in segments, segments)
                text = [row for row in one["sections"] if row["section"] == ".text"]
                lib.equal("all of .text", sum(row["size"] for row in text),
                          {s[0]: s[3] for s in elf.elf_sections(path)}[".text"])
                row = [m for m in lib.vmview_json("-o", "start,section", program.pid)
                       ["processes"][0]["mappings"] if int(m["start"], 16) == there.start][0]
                lib.equal("section of the mapping", row["section"], ".text")


@lib.test
def memory_without_a_file_in_pieces():
    """.bss that lies in many mappings: that of the file is far below."""
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc", "-DCUT_BSS"])
        with elf.running(path) as program:
            start = program.truth["bss"]
            pieces = [m for m in elf.oracle.maps(program.pid)
                      if start < m.start < start + 16 * PAGE and not m.name]
            lib.true(len(pieces) > 12, f"mappings of .bss: {len(pieces)}")
            for piece in pieces:
                found = ask(program.pid, piece.start)["object"]
                lib.equal("symbol", (found["symbol"], int(found["symbol_offset"], 16)),
                          ("bss", piece.start - start))


@lib.test
def by_name():
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        with elf.running(path) as program:
            pid = program.pid
            for name in "main", "data", "bss", "constants":
                lib.equal(name, int(ask(pid, name)["address"], 16), program.truth[name])
            lib.equal("with an offset", int(ask(pid, "data+0x123")["address"], 16),
                      program.truth["data"] + 0x123)
            lib.equal("of a file", int(ask(pid, "program:data+10")["address"], 16),
                      program.truth["data"] + 10)
            lib.equal("of a path", int(ask(pid, f"{path}:data")["address"], 16),
                      program.truth["data"])
            found = ask(pid, "libc.so.6:free")
            lib.true(found["mapping"]["path"].endswith("libc.so.6"), found["mapping"]["path"])
            lib.equal("free", found["object"]["symbol"], "free")
            for name in "no_such_symbol", "libc.so.6:main_of_nobody", "program:free":
                done = lib.vmview("at", pid, name, status=1)
                lib.true("no file that it maps" in done.err, done.err)
            for name in "data+x", "data+", "9data", "":
                lib.vmview("at", pid, name, status=2)


@lib.test
def vdso():
    lib.need_root()
    with elf.workshop() as directory, elf.running(elf.build(directory, "p", ["gcc"])) as program:
        mapping = [m for m in elf.oracle.maps(program.pid) if m.name == b"[vdso]"]
        if not mapping:
            raise lib.Skipped("no vdso")
        found = ask(program.pid, "__vdso_clock_gettime")
        address = int(found["address"], 16)
        lib.true(mapping[0].start < address < mapping[0].end, f"{address:#x} is in the vdso")
        lib.equal("kind", found["mapping"]["kind"], "special")
        lib.equal("section", found["object"]["section"], ".text")
        again = ask(program.pid, address + 3)["object"]
        lib.equal("offset", (again["symbol_offset"]), "0x3")


@lib.test
def separate_debug_file():
    """Stripped, and its symbols below /usr/lib/debug: they are found by build-id, and checked."""
    lib.need_mounts()
    where = "/usr/lib/debug"
    if not os.path.isdir(where):
        raise lib.Skipped(f"there is no {where}")
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc", "-g"])
        build_id = elf.build_id(path)
        debug = os.path.join(directory, "debug")
        other = elf.build(directory, "other", ["gcc", "-g", "-O2", "-Wl,--build-id=uuid"])
        subprocess.run(["objcopy", "--only-keep-debug", path, debug], check=True)
        subprocess.run(["strip", path], check=True)
        with elf.running(path) as program:
            want = program.truth["main"]
            lib.equal("stripped", ask(program.pid, want)["object"]["symbol"], None)
            for file, symbol in (debug, "main"), (other, None):
                place = f"{where}/.build-id/{build_id[:2]}"
                script = (f"mount -t tmpfs none {where} && mkdir -p {place} && "
                          f"cp {file} {place}/{build_id[2:]}.debug && "
                          f'exec "$VMVIEW" at {program.pid} {want:#x} --json')
                done = subprocess.run(["unshare", "-m", "sh", "-c", script], check=True,
                                      stdout=subprocess.PIPE,
                                      env=dict(os.environ, VMVIEW=lib.VMVIEW))
                found = lib.json.loads(done.stdout)["object"]
                lib.equal(f"symbol by {os.path.basename(file)}", found["symbol"], symbol)
                if symbol:
                    lib.equal("table", found["symbol_table"], "debug file")
                    lib.equal("section", found["section"], ".text")


@lib.test
def nothing_to_name():
    lib.need_root()
    with elf.workshop() as directory, elf.running(elf.build(directory, "p", ["gcc"])) as program:
        stack = [m for m in elf.oracle.maps(program.pid) if m.name == b"[stack]"][0]
        found = ask(program.pid, stack.end - 64)
        lib.equal("stack", found["object"], None)
        lib.true(found["missing"]["object"].startswith("none"), "that is no gap in what is known")


lib.done()
