#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview -o guess: memory of a program that knows what it has where."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402

SOURCE = os.path.join(os.path.dirname(elf.HERE), "guess", "arena.c")


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


lib.done()
