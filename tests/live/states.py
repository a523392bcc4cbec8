#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""States x commands: whatever state a process is in, every command gives the same account of it, in
its table, its document and its exit status.

A state makes a target and says which account is due; a command says how it is asked. A cell is a
command in a state, as table and as JSON.

    tests/live/states.py [STATE..]      only these; each cell is shown
"""
import collections
import concurrent.futures
import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import lib
import mixing
import stuck

NOBODY = 65534
SIDE_BY_SIDE = 6
TIMEOUT = 0.5           # given to vmview where a process does not answer
SPARE = 4.0             # seconds that a run may take beside that
LONG = 60.0             # where nothing is to be waited for, but there is much to read

CHANGING = ("execs", "lone-execs", "exits", "reused")   # mixing.STATES, once in the middle of a run
CHANGES = 5             # runs of each command

# What an account must never say of a process that has memory of its own and may be read.
LIES = r"zombie|kernel thread|\bgone\b|no process|denied|stuck|no mappings|\bfailed\b"


# ---- what a document has of the target: neither 0 nor null

def total(key):
    return lambda document, target: document["processes"][0]["total"][key]


def summed(rows, key):
    return lambda document, target: sum(
        one[key] or 0 for one in document["processes"][0][rows])


def row(rows, key):
    def find(document, target):
        found = [one for one in document[rows] if one["pid"] == target.pid]
        return found[0][key] if found else None
    return find


def by_file(document, target):
    found = [one for one in document["files"] if one["path"] == target.file]
    return not target.file or (found and found[0]["processes"])


def owned(document, target):
    return [owner["pid"] for frame in document["frames"]
            for owner in frame["owners"]].count(target.pid)


def stale(document, target):
    listed_ = any(part.get("pid") == target.pid for part in mixing.objects(document["stale"]))
    return listed_ == target.stale


FIGURES = {
    "map": total("rss"),
    "map --total": total("rss"),
    "map --check": lambda document, target: document["processes"][0]["compared"]["equal"],
    "ps": row("processes", "rss"),
    "ps --by": lambda document, target: document["groups"][0]["rss"],
    "pages": summed("mappings", "size"),
    "pages --summary": summed("mappings", "present"),
    "at": lambda document, target: document["mapping"]["rss"],
    "who": owned,
    "share": row("processes", "rss"),
    "huge": summed("mappings", "present"),
    "numa": summed("mappings", "resident"),
    "elf": summed("objects", "rss"),
    "elf --stale": stale,
    "frag": summed("mappings", "present"),
    "malloc": total("system"),
    "why": lambda document, target: document["processes"][0]["rss"],
    "faults": lambda document, target: "faults" in document,
    "wss": lambda document, target: document["rss"],
    "wss --clear-refs": lambda document, target: document["rss"],
    "diff": lambda document, target: document["total"]["rss"],
    "live --batch": lambda document, target: document["total"]["rss"],
    "system --by=process": row("processes", "bytes"),
    "system --by=file": by_file,
}
NAMES = [command.name for command in mixing.COMMANDS]
MACHINE = [command.name for command in mixing.COMMANDS if command.machine]


# ---- accounts

class Account:
    """What is due: exit status, complete, and words; what must not be said; whether figures are
    there. within: seconds that a run may take."""

    def __init__(self, status=0, complete=True, words=None, never=None, figures=False,
                 within=LONG):
        self.status, self.complete, self.words = status, complete, words
        self.never, self.figures, self.within = never, figures, within


WELL = Account(never=LIES, figures=True)
ZOMBIE = Account(words=r"gone: the process is a zombie", never=r"kernel thread")
KERNEL = Account(words=r"kernel thread: has no memory of its own", never=r"gone|zombie")
DENIED = Account(1, False, r"denied: ", r"\bgone\b|zombie|kernel thread|pace")
GONE = Account(1, False, r"no (such )?process|\bgone\b", r"zombie|kernel thread|denied")
STUCK = Account(1, False, rf"stuck: no answer in {TIMEOUT:g} s \(thread \d+ waits in \w+\)",
                r"\bgone\b|zombie|kernel thread|denied", within=TIMEOUT + SPARE)
NO_FIGURES = Account(1, False, r"smaps", r"no mappings|zombie|\bgone\b|kernel thread")

# pmap's own words, and its exit status for a process that does not exist.
PMAP_WORDS = {id(ZOMBIE): r"<defunct>", id(KERNEL): r"\[kthreadd\]", id(DENIED): "denied"}
PMAP_STATUS = {id(GONE): 42}


class Target:
    """pid; other: another that is well; address: present there; file: that is mapped there."""

    def __init__(self, pid, other=0, address=mixing.ANON, file=None, options=(), wrap=(), user=None,
                 twin=None, stale=False, light=False):
        self.pid, self.other, self.address, self.file = pid, other, address, file
        self.options, self.wrap, self.user, self.twin = options, list(wrap), user, twin
        self.stale, self.light = stale, light


Ran = collections.namedtuple("Ran", "status out err seconds")


def run(target, argv, limit):
    """status is None where it had to be killed."""
    begin = time.monotonic()
    wrap = list(target.wrap)
    if target.user is not None:
        wrap += ["setpriv", f"--reuid={target.user}", f"--regid={target.user}", "--clear-groups",
                 "--inh-caps=-all", "--bounding-set=-all"]
    process = subprocess.Popen(wrap + [target.program, *argv], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=limit)
        status = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        status = None
    return Ran(status, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace"),
               time.monotonic() - begin)


def reasons(document, pid=None):
    """All that it says is missing, and the error of a document without an answer."""
    found = [document.get("error", "")]
    for part in mixing.objects(document):
        found += [f"{key}: {why}" for key, why in (part.get("missing") or {}).items()]
    return "\n".join(found)


def load(ran):
    document = lib.documents.load(ran.out)
    try:
        lib.validate(document)
    except lib.Skipped:
        pass
    return document


def wrong_words(account, words, said):
    """Why what was said is not the account; None: it is."""
    if words and not re.search(words, said):
        return f"says {said.strip()[:300]!r}, not {words}"
    never = account.never and re.search(account.never, said)
    return f"says {never[0]!r}: {said.strip()[:300]!r}" if never else None


def wrong_table(command, target, account, ran):
    is_pmap = command.name.startswith("pmap")
    status = PMAP_STATUS.get(id(account), account.status) if is_pmap else account.status
    if ran.status != status:
        return f"status {ran.status}, not {status}: {ran.err.strip()[:200]}"
    words = PMAP_WORDS.get(id(account), account.words) if is_pmap else account.words
    said = ran.out + ran.err
    if account.figures and command.name in ("ps", "map --total") and \
            re.search(rf"^ *{target.pid} .* - +- +- ", ran.out, re.MULTILINE):
        return f"a row of nothing: {ran.out[:300]}"
    if account.figures:
        # titles may hold any word, and rows the names of files
        said = "\n".join(line for line in said.split("\n") if not re.match(r" *[0-9]", line))
    return wrong_words(account, words, said)


def wrong_document(command, target, account, ran):
    if target.light:
        return wrong_light(account, ran)
    try:
        document = load(ran)
    except (ValueError, lib.Failed) as err:
        return f"document: {str(err)[:300]}"
    if not command.machine and ran.status != account.status:
        return f"status {ran.status}, not {account.status}: {ran.err.strip()[:200]}"
    if command.machine and ran.status not in (0, account.status):
        return f"status {ran.status}: {ran.err.strip()[:200]}"
    complete = all(part.get("complete", True) for part in mixing.objects(document))
    if not command.machine and complete != account.complete:
        return f"complete is {complete}: {reasons(document)[:300]}"
    if document["complete"] and not complete:
        return "complete, but a part of it is not"
    said = reasons(document)
    if command.machine:
        said += ran.err     # a document has the first reason of many
    if command.machine and account.figures:
        said = ""       # others may be anything
    # of others, which it reads too, other things are true
    never = Account(never=None) if command.machine else account
    return wrong_words(never, account.words, said) or \
        (account.figures and wrong_figures(command, target, document)) or None


def wrong_light(account, ran):
    """Of a long document its end alone."""
    if ran.status != account.status:
        return f"status {ran.status}, not {account.status}: {ran.err.strip()[:200]}"
    if '"complete":true' not in ran.out[-300:].replace(", ", ",") or '"complete":false' in ran.out:
        return f"not complete: {ran.out[-300:]}"
    return None


def wrong_figures(command, target, document):
    if command.name not in FIGURES:
        return None
    try:
        figure = FIGURES[command.name](document, target)
    except (LookupError, TypeError) as err:
        return f"no figure: {type(err).__name__} {err}: {reasons(document)[:300]}"
    return None if figure else f"the figure is {figure!r}"


# ---- a cell

def words(command, target, form):
    return command.argv(target.pid, target.other, target.address) + list(target.options) + \
        ["--json"] * (form == "json")


def wrong_cell(command, target, account, form, within):
    """Why this cell is wrong; None: it is right."""
    ran = run(target, words(command, target, form), within)
    if ran.status is None:
        return f"no end in {within} s"
    if ran.status < 0 or ran.status not in (0, 1, 42):
        return f"ended with status {ran.status}: {ran.err[-300:]}"
    check = wrong_document if form == "json" else wrong_table
    return check(command, target, account, ran) or \
        (target.twin and form == "json" and differs_from_twin(command, target, ran)) or None


# Of an interval, which no two have in common.
MEASURES = ("faults", "wss", "wss --clear-refs", "diff")

# What no two processes have in common, or the machine has; pss depends on who maps a file.
# Other processes mark pages as idle, free blocks around them, and come and go.
OWN = {"pid", "pids", "parent", "child", "a", "b", "tid", "tids", "time", "start_time", "state",
       "target", "pfn", "phys", "span_ns", "machine", "counters", "frame_runs", "frame_longest",
       "contiguity", "pss", "pss_file", "sum_pss", "referenced", "compared", "not_told",
       "cgroup_current", "runs", "flag_sets", "free_before", "free_after",
       "free_in_block", "vanished"}


def scrubbed(part):
    if isinstance(part, dict):
        return {key: scrubbed(value) for key, value in part.items() if key not in OWN}
    if isinstance(part, list):
        return [scrubbed(one) for one in part if one not in ("idle", "lone")]
    return part


def differences(ours, theirs, path=""):
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs)):
            yield from differences(*pair, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path} is {str(ours)[:80]}, of the twin {str(theirs)[:80]}"


def differs_from_twin(command, target, ran):
    """All but what no two processes have in common is the same of the same program with a living
    main thread."""
    if command.machine or command.name in MEASURES:
        return None
    twin = Target(target.twin, target.other, target.address)
    twin.program = target.program
    theirs = run(twin, words(command, twin, "json"), LONG)
    found = list(differences(scrubbed(json.loads(ran.out)), scrubbed(json.loads(theirs.out))))
    return "; ".join(found[:3]) or None


# ---- states

STATES = []


def state(account, commands=None, but=(), only=("table", "json")):
    """Decorator: a function that yields a Target. commands: their names, all without; but: not
    those; only: these formats, where a command has both."""
    def add(function):
        names = [name for name in (commands or NAMES) if name not in but]
        STATES.append((function.__name__.replace("_", "-"), contextlib.contextmanager(function),
                       account, names, only))
        return function
    return add


@contextlib.contextmanager
def creatures():
    with mixing.pair() as pair:
        yield pair, pair.start("otter", "idle").pid


@state(WELL)
def main_thread_exited():
    with creatures() as (pair, other):
        still = ("setarch", "-R")
        twin = pair.start("heron", "idle", wrap=still)
        process = pair.start("heron", "lone", wrap=still)
        yield Target(process.pid, other, file=os.path.join(pair.dir, "heron.mark"), twin=twin.pid)


@state(WELL, but=MACHINE)
def main_thread_exited_program_deleted():
    with creatures() as (pair, other):
        process = pair.start("heron", "lone")
        os.unlink(os.path.join(pair.dir, "heron"))
        yield Target(process.pid, other, stale=True)


@state(WELL, but=MACHINE)
def program_deleted():
    with creatures() as (pair, other):
        process = pair.start("heron", "idle")
        os.unlink(os.path.join(pair.dir, "heron"))
        yield Target(process.pid, other, stale=True)


@state(ZOMBIE, but=("ps --by", *MACHINE))
def zombie():
    with creatures() as (_, other), lib.zoo("zombie") as zoo:
        yield Target(zoo.truth["zombie"]["pid"], other)


@state(KERNEL, but=("ps --by", *MACHINE))
def kernel_thread():
    with creatures() as (_, other), lib.zoo("kernel-thread") as zoo:
        yield Target(zoo.truth["kernel-thread"]["pid"], other)


@state(GONE, but=("ps --by", *MACHINE))
def gone_before():
    with creatures() as (pair, other):
        process = pair.start("heron", "idle")
        mixing.stop(process)
        yield Target(process.pid, other)


@state(DENIED, but=MACHINE)
def denied():
    lib.need_root()
    with creatures() as (pair, other):
        process = pair.start("heron", "idle")
        yield Target(process.pid, other, user=NOBODY)


# the memory counts once, of the one that comes first
@state(WELL, but=("system --by=process",))
def shares_memory():
    """The child of two that share it."""
    with creatures() as (pair, other):
        process = pair.start("heron", "vm")
        yield Target(int(process.said.split()[1]), other,
                     file=os.path.join(pair.dir, "heron.mark"))


@state(WELL, but=MACHINE)
def vfork_parent():
    with creatures() as (pair, other):
        process = pair.start("heron", "vfork")
        yield Target(process.pid, other, file=os.path.join(pair.dir, "heron.mark"))


@state(WELL, but=MACHINE, only=("json",))
def mappings_60000():
    with creatures() as (pair, other):
        process = pair.start("heron", "many", 60000)
        yield Target(process.pid, other, light=True)


@state(WELL, but=("pages", "map --check", *MACHINE), only=("json",))
def gigabytes():
    """Too much for one read of smaps at the usual pace."""
    program = os.path.join(lib.BUILD, "bench/bigrss")
    if not os.path.exists(program):
        raise lib.Skipped("bench/bigrss is not built")
    with open("/proc/meminfo", encoding="ascii") as file:
        if int(re.search(r"MemAvailable: +(\d+)", file.read())[1]) < 4 << 20:
            raise lib.Skipped("less than 4 GiB are free")
    with creatures() as (_, other):
        child = subprocess.Popen([program, "2g"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            child.stdout.readline()
            with open(f"/proc/{child.pid}/maps", encoding="ascii") as file:
                sizes = [[int(word, 16) for word in line.split()[0].split("-")] for line in file]
            start, _ = max(sizes, key=lambda pair: pair[1] - pair[0] if pair[0] < 1 << 47 else 0)
            yield Target(child.pid, other, start)
        finally:
            child.kill()
            child.communicate()


@contextlib.contextmanager
def stopped(den, user=None):
    with creatures() as (_, other), den as caught:
        caught.stop()
        yield Target(caught.pids[0], other, int(caught.facts[0]["start"], 16),
                     options=(f"--timeout={TIMEOUT:g}",), wrap=caught.inside(), user=user)


@state(STUCK)
def stuck_for_writing():
    with stopped(stuck.frozen()) as target:
        yield target


# maps alone can be read meanwhile, since Linux 6.17
@state(STUCK, but=("elf --stale",))
def stuck_for_reading():
    with stopped(stuck.attack()) as target:
        yield target


@state(STUCK, but=("elf --stale", *MACHINE), only=("json",))
def attack_of_any_user():
    with stopped(stuck.attack(user=NOBODY)) as target:
        yield target


@state(WELL, but=MACHINE)
def file_system_silent():
    """The memory map is free; but who asks for the mapped file has no answer."""
    with stopped(stuck.silent()) as target:
        yield target


@state(NO_FIGURES, ("map", "pmap -x", "pmap -X", "swap", "frag", "live --batch"))
def smaps_empty():
    """As some sandboxes have it: maps tells of mappings, smaps of none."""
    with tempfile.TemporaryDirectory(prefix="vmview-states.") as directory:
        tree = os.path.join(directory, "tree")
        shutil.copytree(os.path.join(lib.SRC, "tests/trees/container"), tree, symlinks=True)
        with open(os.path.join(tree, "proc/99/smaps"), "wb"):
            pass
        yield Target(99, options=("--root", tree))


# ---- all cells of a state

def formats(command, only):
    if command.machine:
        return ["json"]
    return only if command.json else ["table"]


def check_state(name, target_of, account, names, only, show):
    found = []
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(target_of())
        target.program = lib.VMVIEW
        if target.user is not None:
            target.program = stack.enter_context(lib.reachable(lib.VMVIEW))
        cells = [(command, form) for command in mixing.COMMANDS if command.name in names
                 for form in formats(command, only)]
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            def wrong_of(cell):
                command, form = cell
                # who reads the whole machine has more to do than to wait
                within = LONG if command.machine else account.within
                return wrong_cell(command, target, account, form, within)

            wrongs = pool.map(wrong_of, cells)
            for (command, form), wrong in zip(cells, wrongs):
                if show:
                    print(f"# {name}: {command.name} {form}: {wrong or 'right'}")
                if wrong:
                    found.append(f"{command.name} {form}: {wrong}")
    if found:
        raise lib.Failed("\n".join(found))


def check_changing(name, show):
    """It changes while it is read, at any moment: what is said then is of one program."""
    found = []
    with mixing.pair() as pair:
        for command in mixing.COMMANDS:
            if command.machine:
                continue
            tally = mixing.Tally()
            mixing.trial(pair, name, command, CHANGES, tally)
            if show:
                print(f"# {name}: {command.name}: {dict(tally.faults) or 'right'}")
            if tally.faults and command.name not in mixing.UNRULY:
                kind, ran = next(iter(tally.samples.items()))
                found.append(f"{command.name}: {dict(tally.faults)}; {kind}: status {ran.status}, "
                             f"{ran.err.strip()[:200]} {ran.out[:600]}")
    if found:
        raise lib.Failed("\n".join(found))


def main():
    chosen = sys.argv[1:]
    checks = {name: functools.partial(check_state, name, *rest, bool(chosen))
              for name, *rest in STATES}
    checks.update((name, functools.partial(check_changing, name, bool(chosen)))
                  for name in CHANGING)
    for name, check in checks.items():
        if not chosen or name in chosen:
            check.__name__ = name
            lib.test(check)
    lib.done()


if __name__ == "__main__":
    main()
