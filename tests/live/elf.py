#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview elf: every section, segment and symbol of objects built here in many ways, against readelf
and pagemap read plainly."""
import mmap
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402
import oracle  # noqa: E402
from elf_objects import (NOBODY, PAGE, Pages, address, build, build_id, check_figures,  # noqa: E402
                         check_sections, check_segments, check_smaps, check_sums, corpus, elf_loads,
                         elf_sections, elf_symbols, objects, running, the_object, workshop)

# Arguments of the compiler, and the flags that vmview has to find; None: not all are known.
VARIANTS = {
    "pie": (["gcc"], set()),
    "clang": (["clang"], set()),
    "no-pie": (["gcc", "-no-pie", "-fno-pie"], {"not-pie"}),
    "static": (["gcc", "-static"], {"not-pie", "static"}),
    "static-pie": (["gcc", "-static-pie"], {"static"}),
    "no-build-id": (["gcc", "-Wl,--build-id=none"], set()),
    "stripped": (["gcc", "-s"], set()),
    "no-relro": (["gcc", "-Wl,-z,norelro"], {"no-relro"}),
    "now": (["gcc", "-Wl,-z,now"], {"bind-now"}),
    "relr": (["gcc", "-Wl,-z,pack-relative-relocs"], None),
    "exec-stack": (["gcc", "-Wl,-z,execstack"], {"exec-stack"}),
    "textrel": (["gcc", "-DTEXTREL", "-Wl,-z,notext"], {"textrel"}),
    "wx-segment": (["gcc", "-DWX_SEGMENT"], {"wx-segment", "wx-mapping"}),
    "wx-mapping": (["gcc", "-DWX_MAPPING"], {"wx-mapping"}),
    "one-segment": (["gcc", "-Wl,-z,noseparate-code"], set()),
    "big-pages": (["gcc", "-Wl,-z,max-page-size=0x200000"], set()),
    "compressed": (["gcc", "-g", "-gz"], set()),
}


def check_variant(name):
    command, flags = VARIANTS[name]
    lib.need_root()
    with workshop() as directory, running(build(directory, name, command)) as program:
        pages = Pages(program.pid)
        process = objects(program.pid)
        one = the_object(process, program.path)
        check_sections(one, program.path, pages)
        check_segments(one, program.pid, pages)
        check_sums(process, one)
        check_smaps(one, program.pid)
        if flags is not None:
            lib.equal("flags", set(one["flags"]), flags)
        lib.equal("build-id", one["build_id"], build_id(program.path))
        lib.equal("type", one["type"], "exec" if "not-pie" in one["flags"] else "dyn")
        start = address(one["bias"])
        lib.equal("bias", start == 0, "not-pie" in one["flags"])
        loads = elf_loads(program.path)
        lib.equal("memory", max(address(row["end"]) for row in one["segments"]),
                  max(start + (addr + size + PAGE - 1 & -PAGE) for _, addr, _, size in loads))


def variant_test(name):
    def test():
        check_variant(name)
    test.__name__ = f"sections of {name}"
    lib.test(test)


for variant in VARIANTS:
    variant_test(variant)


@lib.test
def relocated_pages():
    """Of a table of pointers three have to be relocated: those pages, and no others of it."""
    lib.need_root()
    for name in "pie", "relr":
        with workshop() as directory, running(build(directory, name, VARIANTS[name][0])) as program:
            one = the_object(objects(program.pid), program.path)
            rows = [row for row in one["sections"] if row["section"] == ".data.rel.ro"]
            size = sum(row["size"] for row in rows)
            lib.true(size >= 16 * PAGE, "the table is there")
            relocated = sum(row["relocated"] for row in rows)
            lib.true(3 * PAGE <= relocated <= 5 * PAGE, f"{relocated} bytes relocated")
            lib.true(relocated <= sum(row["dirty"] for row in rows), "relocated is dirty")
            lib.true(all(row["relro"] for row in rows), "it is relro")
            plain = [row for row in one["sections"] if row["section"] == ".rodata"]
            lib.equal("of .rodata", sum(row["relocated"] for row in plain), 0)


def check_symbols(program, extra=()):
    pages = Pages(program.pid)
    process = objects(program.pid, "--symbols", *extra)
    one = the_object(process, program.path)
    bias = address(one["bias"])
    want = elf_symbols(program.path)
    lib.true(len(want) >= 8, f"readelf lists {len(want)} symbols")
    seen = set()
    for row in one["symbols"]:
        start = address(row["start"])
        lib.true((start - bias, row["size"], row["symbol"]) in want, f"{row} is in readelf's list")
        check_figures(row["symbol"], row, pages.measure(start, start + row["size"]))
        lib.true(row["rss"] or row["swap"], "only what is in memory")
        seen.add(start - bias)
    loaded = [(address(row["start"]), address(row["end"])) for row in one["segments"]]
    for addr, size, name in want:
        inside = any(start <= addr + bias < end for start, end in loaded)
        sums = pages.measure(addr + bias, addr + bias + size)
        if inside and (sums["rss"] or sums["swap"]):
            lib.true(addr in seen, f"{name} is listed")
    sizes = [row["rss"] for row in one["symbols"]]
    lib.equal("largest first", sizes, sorted(sizes, reverse=True))
    return {(row["symbol"], address(row["start"])): row for row in one["symbols"]}


@lib.test
def symbols():
    lib.need_root()
    for name in "pie", "no-pie", "clang", "stripped", "static":
        with workshop() as directory:
            path = build(directory, name, [*VARIANTS[name][0], "-rdynamic"])
            with running(path) as program:
                rows = check_symbols(program)
                rows = {key: rows[key, program.truth[key]] for key in
                        ("main", "data", "bss", "constants")}
                lib.equal("data", rows["data"]["size"], 16 * PAGE)
                lib.equal("data is an object", rows["data"]["type"], "object")
                lib.equal("bss section", rows["bss"]["section"], ".bss")
                lib.equal("main is a function", rows["main"]["type"], "func")
                lib.equal("constants", rows["constants"]["section"], ".rodata")


@lib.test
def functions_on_a_dirty_page():
    """Text that was written to: no data shares its page, unless there is data in the text."""
    lib.need_root()
    for name, data in ("wx-mapping", False), ("textrel", True):
        with workshop() as directory, running(build(directory, name, VARIANTS[name][0])) as program:
            rows = {name: row for (name, _), row in check_symbols(program).items()}
            row = rows["function_1"]
            lib.true(row["dirty"] > 0, f"{name}: the page of function_1 is dirty")
            lib.equal(f"{name}: shares it with data", row["with_data"], data)
            lib.equal("data is no function", rows["data"]["with_data"], False)


@lib.test
def thirty_two_bits():
    lib.need_root()
    with workshop() as directory:
        path = build(directory, "m32", ["gcc", "-m32", "-nostdlib", "-static"], "object32.S")
        with running(path, says=False) as program:
            pages = Pages(program.pid)
            process = objects(program.pid, "--symbols")
            one = the_object(process, program.path)
            lib.equal("machine", one["machine"], "i386")
            check_segments(one, program.pid, pages)
            rows = {row["symbol"]: row for row in one["symbols"]}
            lib.equal("number", rows["number"]["size"], 5000)
            lib.equal("dirty", rows["number"]["dirty"], pages.measure(
                address(rows["number"]["start"]), address(rows["number"]["end"]))["dirty"])


@lib.test
def as_the_same_user():
    """Without any right: the process's own user, who may open what it maps by its path."""
    lib.need_root()
    with workshop() as directory:
        path = build(directory, "pie", ["gcc"])
        wrap = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        with running(path, *wrap) as program:
            pages = Pages(program.pid)
            process = objects(program.pid, user=NOBODY)
            one = the_object(process, program.path)
            check_sections(one, program.path, pages)
            check_segments(one, program.pid, pages)
            check_sums(process, one)
            lib.equal("build-id", one["build_id"], build_id(program.path))


@lib.test
def another_user():
    lib.need_root()
    with workshop() as directory, running(build(directory, "pie", ["gcc"])) as program:
        done = lib.vmview("elf", program.pid, status=1, user=NOBODY)
        lib.true(": denied: " in done.err, done.err)
        lib.true(" . " not in done.out, "no zeroes")


@lib.test
def libraries():
    """Every library of this Python: sections by readelf."""
    lib.need_root()
    process = objects(os.getpid(), "--pace", "fast")
    maps = {m.name.decode() for m in oracle.maps(os.getpid())}
    seen = 0
    for one in process["objects"]:
        lib.true(one["path"] in maps, one["path"])
        if one["deleted"] or "data" in one["flags"]:
            continue
        bias = address(one["bias"])
        for name, _, addr, size, _ in elf_sections(one["path"]):
            got = sum(row["size"] for row in one["sections"] if row["section"] == name)
            lib.true(not size or got >= size, f"{one['path']} {name} at {addr + bias:x}")
        lib.equal(f"{one['path']}: build-id", one["build_id"], build_id(one["path"]))
        seen += 1
    lib.true(seen > 3, f"{seen} libraries")


@lib.test
def columns_of_map():
    """The section that most of each mapping is, .bss behind the file included; and the build-id."""
    lib.need_root()
    with workshop() as directory:
        path = build(directory, "pie", ["gcc"])
        with running(path) as program:
            bias = address(the_object(objects(program.pid), path)["bias"])
            document = lib.vmview_json("-o", "start,end,path,section,build_id", program.pid)
            seen = set()
            for row in document["processes"][0]["mappings"]:
                start, end = address(row["start"]) - bias, address(row["end"]) - bias
                shares = {name: min(end, at + size) - max(start, at)
                          for name, _, at, size, _ in elf_sections(path)
                          if at < end and at + size > start}
                if row["path"] == path:
                    lib.equal("build-id", row["build_id"], build_id(path))
                elif not shares:
                    continue
                main = max(shares, key=shares.get)
                lib.equal(f"section at {row['start']}", row["section"], main)
                seen.add(main)
            lib.true({".text", ".rodata", ".data.rel.ro", ".data", ".bss"} <= seen, seen)
            stack = [row for row in document["processes"][0]["mappings"]
                     if row["path"] == "[stack]"]
            lib.equal("stack", (stack[0]["section"], stack[0]["build_id"]), (None, None))


@lib.test
def column_of_pages():
    """Of each page the section that has the most of it."""
    lib.need_root()
    with workshop() as directory:
        path = build(directory, "pie", ["gcc"])
        with running(path) as program:
            bias = address(the_object(objects(program.pid), path)["bias"])
            document = lib.vmview_json("pages", "--each", "-o", "+section", program.pid)
            seen = {}
            for mapping in document["processes"][0]["mappings"]:
                for row in mapping["runs"]:
                    start, end = address(row["start"]) - bias, address(row["end"]) - bias
                    shares = {name: min(end, at + size) - max(start, at)
                              for name, _, at, size, _ in elf_sections(path)
                              if at < end and at + size > start}
                    if not shares:
                        continue
                    most = {name for name in shares if shares[name] == max(shares.values())}
                    lib.true(row["section"] in most, f"{row}: {shares}")
                    seen[row["section"]] = seen.get(row["section"], 0) + 1
            lib.true({".text", ".rodata", ".data", ".bss"} <= set(seen), seen)
            lib.true(seen[".data"] > 4, f"pages of .data: {seen}")


def table_of_symbols(path, count):
    """A program with three functions, whose table has room for count symbols."""
    elf = corpus("elf_corpus")
    file = elf.Elf()
    file.segment(elf.LOAD, 5, 0, 0, PAGE)
    strings = file.add(b"\0one\0two\0last\0")
    start = PAGE
    if count:
        file.section(b".text", 1, flags=elf.ALLOC | elf.EXEC, addr=0x800, offset=0x800, size=0x30)
        file.section(b".strtab", elf.STRTAB, offset=strings, size=14)
        file.section(b".symtab", elf.SYMTAB, offset=start, size=count * 24, link=2, entry=24)
    with open(path, "wb") as out:
        out.write(file.build())
        for at, name, addr in ((0, 1, 0x800), (1, 5, 0x810), (count - 1, 9, 0x820)):
            if count:
                out.seek(start + at * 24)
                out.write(file.symbol(name, addr, 16, 0x12, 1))
        out.truncate(max(2 * PAGE, start + count * 24))


@lib.test
def symbols_that_are_not_shown():
    """More than are read: that is told. None at all: it says why."""
    lib.need_root()
    most = 1 << 20
    with workshop() as directory:
        path = os.path.join(directory, "program")
        for count, names, reason in (
                (most, ["last", "one", "two"], None),
                (most + 1, ["one", "two"], "cut: a file has more symbols than are read"),
                (0, [], "none: the file has no symbols")):
            table_of_symbols(path, count)
            with open(path, "rb") as file:
                with mmap.mmap(file.fileno(), PAGE, mmap.MAP_PRIVATE,
                               mmap.PROT_READ | mmap.PROT_EXEC) as view:
                    view.read(PAGE)
                    args = "elf", "--symbols", f"--object={path}", os.getpid()
                    cut = count > most
                    document = lib.vmview_json(*args, status=int(cut))
                    process = document["processes"][0]
                    one = [one for one in process["objects"] if one["path"] == path][0]
                    lib.equal("names", sorted(row["symbol"] for row in one["symbols"]), names)
                    lib.equal("complete", (document["complete"], process["complete"]),
                              (not cut, not cut))
                    lib.equal("reason", one.get("missing", {}).get("symbols"), reason)
                    lib.equal("of the process", process["missing"].get("symbols"),
                              reason if cut else None)
                    done = lib.vmview(*args, status=int(cut))
                    if reason:
                        lib.true(f"{path}: symbols: {reason}" in done.err, done.err)
                    if cut:
                        done = lib.vmview("at", os.getpid(), "last", status=1)
                        lib.true("one has more symbols than are read" in done.err, done.err)
            os.unlink(path)


@lib.test
def same_file_twice():
    """An ELF file that is read through a mapping is no program, but its sections are known."""
    lib.need_root()
    with workshop() as directory:
        path = build(directory, "pie", ["gcc"])
        with open(path, "rb") as file:
            with mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as view:
                view.read(4096)
                one = the_object(objects(os.getpid()), path)
                lib.equal("flags", one["flags"], ["data"])
                lib.equal("no bias", one["bias"], None)
                lib.equal("segments", [row["segment"] for row in one["segments"]], ["file"])
                comment = [row for row in one["sections"] if row["section"] == ".comment"]
                lib.equal(".comment", len(comment), 1)
                lib.equal("sum", sum(row["size"] for row in one["sections"]), one["size"])


lib.done()
