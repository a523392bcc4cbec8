#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview cow against processes that know what they copied since the fork."""
import json
import os
import signal
import subprocess
import sys
import time

import lib
import oracle

CLASSES = ("shared", "parent_copied", "child_copied", "either_copied", "copied", "parent_new",
           "child_new", "file", "shared_swap", "undecided", "parent_split", "child_split",
           "huge_copied", "worst")


def cow(*args, **options):
    return lib.vmview_json("cow", *args, **options)


def identities(doc):
    for key in CLASSES:
        lib.equal(f"{key} of mappings", sum(m[key] for m in doc["mappings"]), doc["total"][key])
    for part in doc["mappings"] + [doc["total"]]:
        lib.equal("copied", part["copied"],
                  part["parent_copied"] + part["child_copied"] + part["either_copied"])
        lib.true(part["worst"] <= part["shared"], f"worst case over shared in {part}")


def at(doc, start):
    return next(m for m in doc["mappings"] if int(m["start"], 16) == start)


def pair_of(truth):
    return [m["pid"] for m in truth["mappings"]]


def number(value):
    return int(value, 16) if isinstance(value, str) else value


@lib.test
def pages_that_both_wrote():
    lib.need_root()
    with lib.zoo("cow") as zoo:
        truth = zoo.truth["cow"]
        parent, child = pair_of(truth)
        doc = cow(parent, child)
        identities(doc)
        got = at(doc, number(truth["mappings"][0]["start"]))
        lib.equal("parent", (doc["parent"], doc["child"]), (parent, child))
        lib.equal("shared", got["shared"], truth["shared"])
        lib.equal("copied", got["copied"], truth["parent_copied"] + truth["child_copied"])
        lib.equal("parent_copied", got["parent_copied"], truth["parent_copied"])
        # two of the child's copies are of pages that the parent wrote to again afterwards
        lib.equal("either_copied", got["either_copied"], 2 * doc["host"]["page_size"])
        lib.equal("child_copied", got["child_copied"] + got["either_copied"],
                  truth["child_copied"])
        lib.equal("worst", got["worst"], truth["shared"])
        lib.equal("new", (got["parent_new"], got["child_new"]), (0, 0))


@lib.test
def as_the_frames_say():
    """shared and copied of the whole pair, by plain reading."""
    lib.need_root()
    with lib.zoo("cow") as zoo:
        parent, child = pair_of(zoo.truth["cow"])
        doc = cow(parent, child)
        for mapping in doc["mappings"]:
            start, end = (int(mapping[key], 16) for key in ("start", "end"))
            both = list(zip(oracle.pages(parent, start, end), oracle.pages(child, start, end)))
            anon = [(a, b) for a, b in both if "anonymous" in oracle.flag_names(a.flags) and
                    "anonymous" in oracle.flag_names(b.flags)]
            same = sum(a.pfn == b.pfn for a, b in anon)
            page = doc["host"]["page_size"]
            if mapping["kind"] == "stack":
                continue                # the parent runs on it
            lib.equal(f"shared of {mapping}", mapping["shared"], same * page)
            lib.equal(f"copied of {mapping}", mapping["copied"], (len(anon) - same) * page)


@lib.test
def huge_page_that_the_child_broke_up():
    lib.need_root()
    with lib.zoo("cow-thp") as zoo:
        truth = zoo.truth["cow-thp"]
        parent, child = pair_of(truth)
        doc = cow(parent, child)
        identities(doc)
        got = at(doc, number(truth["mappings"][0]["start"]))
        page = doc["host"]["page_size"]
        lib.equal("shared", got["shared"], truth["shared"])
        lib.equal("child_copied", got["child_copied"], page)
        lib.equal("child_split", got["child_split"], 512 * page)
        lib.equal("other", (got["parent_split"], got["huge_copied"], got["parent_copied"],
                            got["either_copied"]), (0, 0, 0, 0))


@lib.test
def swapped_pages():
    lib.need_root()
    with lib.zoo("swap-fork") as zoo:
        truth = zoo.truth["swap-fork"]
        parent, child = pair_of(truth)
        doc = cow(parent, child)
        identities(doc)
        got = at(doc, number(truth["mappings"][0]["start"]))
        lib.equal("swap", got["shared_swap"] + got["undecided"] + got["shared"] + got["copied"],
                  max(m["swap"] + m["rss"] for m in truth["mappings"]))
        lib.true(got["shared_swap"] > 0, "no slot is shared")


@lib.test
def all_children():
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth = zoo.truth["family"]
        pids = [p["pid"] for p in truth["processes"]]
        doc = cow(pids[0])
        lib.equal("children", {c["child"] for c in doc["children"]}, set(pids[1:4]))
        page = doc["host"]["page_size"]
        # of 64 pages at the fork the children wrote to 8, 16 and none, and so did nobody else
        want = {pids[1]: (56, 8), pids[2]: (48, 16), pids[3]: (64, 0)}
        for child in doc["children"]:
            identities(child)
            forked = max(child["mappings"], key=lambda m: m["shared"])
            lib.equal(f"forked pages of {child['child']}",
                      (forked["shared"], forked["child_copied"]),
                      tuple(n * page for n in want[child["child"]]))
        for key in "shared", "child_copied":
            lib.equal(f"total {key}", doc["total"][key],
                      sum(c["total"][key] for c in doc["children"]))


@lib.test
def who_does_not_descend():
    """Said where neither forked the other: the figures are not about copies then."""
    lib.need_root()
    with lib.zoo("family") as zoo, lib.zoo("touched") as other:
        pids = [p["pid"] for p in zoo.truth["family"]["processes"]]
        parent, child, sister = pids[0], pids[1], pids[2]
        stranger = other.truth["touched"]["pid"]
        for args, descends, word in (((parent, child), True, ""),
                                     ((child, parent), False, f"try vmview cow {parent} {child}"),
                                     ((child, sister), False, f"is of {parent}, which forked both"),
                                     ((child, stranger), False, "they share no anonymous memory")):
            for more in (), ("--interval=10ms", "--count=2"):
                done = lib.vmview("cow", *args, *more, "--json")
                document = json.loads(done.out)
                lib.validate(document)
                lib.equal(f"{args} descends", document["descends"], descends)
                lib.true(word in done.err and bool(done.err) == (not descends), done.err)
                lib.true(len(done.err.splitlines()) < 2, f"said twice: {done.err}")


@lib.test
def one_memory_is_not_copied():
    lib.need_root()
    with lib.zoo("clone-vm") as zoo:
        facts = [f for f in zoo.lines if f.get("animal") == "clone-vm"][0]
        pids = {m["pid"] for m in facts["mappings"]} | {
            v for k, v in facts.items() if k in ("child", "twin", "other") and isinstance(v, int)}
        if len(pids) < 2:
            raise lib.Skipped("the animal does not say who its twin is")
        done = lib.vmview("cow", *sorted(pids)[:2], status=None)
        lib.true("one address space" in done.err, done.err)


WRITER = """
import mmap, os, sys, time
m = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(0, 64 << 20, 4096):
    m[i] = 1
child = os.fork()
if child == 0:
    print(os.getppid(), os.getpid(), flush=True)
    for i in range(0, 64 << 20, 4096):
        if i >= 8 << 20:
            time.sleep(0.001)
        m[i] = 2
    time.sleep(60)
os.waitpid(child, 0)
"""


@lib.test
def the_rate_of_divergence():
    lib.need_root()
    with subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        child = None
        try:
            parent, child = map(int, process.stdout.readline().split())
            time.sleep(0.5)
            doc = cow(parent, child, "--interval=0.4", "--count=4")
            lib.equal("samples", len(doc["samples"]), 4)
            lib.equal("first rate", doc["samples"][0]["rate"], None)
            lib.true("first sample" in doc["samples"][0]["missing"]["rate"], "without a reason")
            for before, now in zip(doc["samples"], doc["samples"][1:]):
                seconds = (now["time_ns"] - before["time_ns"]) / 1e9
                lib.true(now["copied"] > before["copied"], "nothing was copied")
                lib.true(now["shared"] < before["shared"], "nothing less is shared")
                rate = (now["copied"] - before["copied"]) / seconds
                lib.true(abs(now["rate"] - rate) <= 1 + rate / 1000, f"{now['rate']}, not {rate}")
            done = lib.vmview("cow", parent, child, "--interval=0.1", "--count=3", "--human")
            lines = done.out.splitlines()
            lib.equal("headings", lines[0].split(),
                      ["TIME", "CHILD", "SHARED", "COPIED", "PNEW", "CNEW", "WORST", "RATE/s"])
            # they fit a terminal, one below the other
            lib.equal("widths", {len(line) for line in lines}, {75})
            lib.equal("first rate", [line.split()[-1] == "-" for line in lines[1:]],
                      [True, False, False])
            lib.true(not any("0" in line.split() for line in lines), f"0 is no dot: {lines}")
            lib.true(doc["samples"][0]["shared"] + doc["samples"][0]["copied"] >= 64 << 20,
                     "pages are missing")
            os.kill(child, signal.SIGKILL)
            for _ in range(200):        # one that is read while it ends gets another answer
                if not os.path.exists(f"/proc/{child}"):
                    break
                time.sleep(0.02)
            # which of them is a zombie still, or reaped already, is a matter of moments
            done = lib.vmview("cow", parent, child, status=None)
            lib.true("zombie" in done.err or "no process" in done.err, done.err)
        finally:
            process.kill()
            if child:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass


@lib.test
def not_without_frames():
    lib.need_root()
    with lib.zoo("cow") as zoo:
        pids = pair_of(zoo.truth["cow"])
        done = lib.vmview("cow", *pids, user=65534, status=1)
        lib.true("try: sudo" in done.err, done.err)
        lib.vmview("cow", status=2)
        lib.vmview("cow", 1, 2, 3, status=2)
        lib.vmview("cow", pids[0], pids[0], status=2)
        lib.vmview("cow", "x", status=2)
        lib.vmview("cow", *pids, "--count=2", status=2)
        done = lib.vmview("cow", 2, pids[1], status=None)
        # a kernel thread, or nobody in a PID namespace
        lib.true("no memory of its own" in done.err or "no process" in done.err, done.err)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    lib.done()
