#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview frag finds who stands in the way, where processors keep few free pages for themselves:
what an animal gave back is free then, for all to see."""
import mmap
import os

import lib
import oracle
from lib import equal, true

PAGE = os.sysconf("SC_PAGESIZE")
BUDDY = 1 << 10


def flush_lists(mib=64):
    """Free so many pages on each processor that those freed before leave its list for all's."""
    allowed = os.sched_getaffinity(0)
    for cpu in allowed:
        os.sched_setaffinity(0, {cpu})
        with mmap.mmap(-1, mib << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
            memory.madvise(mmap.MADV_NOHUGEPAGE)
            for at in range(0, len(memory), PAGE):
                memory[at] = 1
    os.sched_setaffinity(0, allowed)


def used_in(block, size):
    """Which frames of the pageblock are not free."""
    words = oracle.words("/proc/kpageflags", block * size, size)
    return frozenset(block * size + i for i, word in enumerate(words) if not word & BUDDY)


def look(zoo, size):
    """One look at an animal's pageblocks: what vmview says of the owner, and what is there."""
    (mapping,) = zoo.truth["fragmenter"]["mappings"]
    start, pid = int(mapping["start"], 16), zoo.truth["fragmenter"]["pid"]
    at = [start + first * PAGE for state, first, _ in mapping["runs"] if state == "present"]
    frames = {oracle.pfns(pid, addr, addr + PAGE)[0]: addr for addr in at}
    before = {pfn // size: used_in(pfn // size, size) for pfn in frames}
    document = lib.vmview_json("frag", status=None)
    rest = {block: used for block, used in before.items() if used_in(block, size) == used}
    nearly = {block: used for block, used in rest.items() if len(used) <= size // 16}
    alone = [block for block, used in nearly.items() if used <= set(frames)]
    owner = [row for row in document["blockers"] if row["pid"] == pid]
    return document, frames, nearly, alone, owner


def who_is_in_the_way():
    """One page left in each of 32 pageblocks: they would be whole without this process. Others may
    take what is free there, vmview's page tables among them: then it is tried again."""
    size = oracle.pageblock_frames()
    for _ in range(8):
        with lib.zoo("fragmenter") as zoo:
            flush_lists()
            document, frames, nearly, alone, owner = look(zoo, size)
            everything = len(oracle.all_pfns(zoo.pid))
        if (len(alone) >= 4 and owner and owner[0]["touched"] >= len(nearly) and
                owner[0]["pageblocks"] >= len(alone) // 2):
            break
    else:
        raise lib.Failed(f"{len(nearly)} are nearly free, {len(alone)} but for it: {owner}")
    equal("owners", len(owner), 1)
    owner = owner[0]
    true(owner["pageblocks"] <= owner["touched"] <= owner["frames"] <= everything, owner)
    ours = {f"{addr:#x}" for addr in frames.values()}
    true(len(ours & set(owner["addresses"])) >= 8, f"{owner}")
    equal("kind", owner["kind"], "process")
    ranks = [row["pageblocks"] for row in document["blockers"]]
    equal("ranking", ranks, sorted(ranks, reverse=True))
    kinds = {row["kind"]: row["blocks"] for row in document["pageblocks"]["kinds"]}
    true(sum(ranks) <= kinds["nearly_free"], f"{sum(ranks)} of {kinds['nearly_free']}")
    equal("frames", sum(row["frames"] for row in document["blockers"]),
          document["blockers_pass"]["frames"])


lib.done_with_knobs({"lists=100000": (who_is_in_the_way,)})
