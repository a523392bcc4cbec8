# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that change while vmview reads them, and a judge who finds facts that do not belong
together. Used by chaos.py (short) and tools/chaos (long).

Targets are heron and otter (tests/zoo/creature.c), which no fact confuses. A state is a way to
disturb: it either goes on by itself (swap, forks) or happens once in each run, at a random moment,
in the middle of what vmview does: vmview is stopped, the target changes, vmview goes on.
"""
import collections
import contextlib
import ctypes
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402

NAMES = ("heron", "otter")
MARK, ANON = 0x3300000000, 0x4400000000     # mapped by both
BORDER, END = 0x60000000, 0xc0000000        # code and heap: heron's below, otter's above
OTTER_RSS = 3 << 20     # which it never reaches, and heron has more than
SHOWS_ALL = ("map", "pages", "huge", "numa", "frag", "live")    # any process has mappings there
LIMIT = 20              # seconds, for a run of vmview
ZOO = os.path.dirname(lib.ZOO)


class Command:
    """args: words, {pid}, {address} and {other} (a process that stands still) filled in. json: it
    has documents; machine: it is asked about all processes, and takes a while."""

    def __init__(self, name, args, json_too=True, machine=False):
        self.name, self.args, self.json, self.machine = name, args.split(), json_too, machine

    def argv(self, pid, other, address):
        return [word.format(pid=pid, other=other, address=hex(address)) for word in self.args]


COMMANDS = [
    Command("map", "map {pid}"),
    Command("map --total", "map --total {pid}"),
    Command("map --check", "map --check {pid}"),
    Command("pmap", "map -p {pid}", json_too=False),
    Command("pmap -x", "map -x {pid}", json_too=False),
    Command("pmap -X", "map -X {pid}", json_too=False),
    Command("ps", "ps {pid}"),
    Command("ps --by", "ps --by=program {pid}"),
    Command("pages", "pages {pid}"),
    Command("pages --summary", "pages --summary {pid}"),
    Command("at", "at {pid} {address}"),
    Command("who", "who {pid}:{address}"),
    Command("share", "share {pid} {other}"),
    Command("cow", "cow {pid} {other}"),
    Command("huge", "huge {pid}"),
    Command("numa", "numa {pid}"),
    Command("swap", "swap {pid}"),
    Command("elf", "elf {pid}"),
    Command("elf --stale", "elf --stale {pid}"),
    Command("frag", "frag {pid}"),
    Command("malloc", "malloc {pid}"),
    Command("why", "why --malloc {pid}"),
    Command("faults", "faults --interval 0.1 {pid}"),
    Command("wss", "wss {pid}"),
    Command("wss --clear-refs", "wss --clear-refs --interval 0.1 {pid}"),
    Command("diff", "diff --interval 0.1 {pid}"),
    Command("live --batch", "live --batch 1 {pid}"),
    Command("system --by=process", "system --by=process", machine=True),
    Command("system --by=file", "system --by=file", machine=True),
]


# ---- targets

class Pair:
    """A directory with both programs, and what starts them."""

    def __init__(self, stack):
        self.stack = stack
        self.dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="vmview-pair."))
        os.chmod(self.dir, 0o755)
        for name in NAMES:
            shutil.copy(os.path.join(ZOO, name), self.dir)
            with open(os.path.join(self.dir, f"{name}.mark"), "wb") as file:
                file.write(name.encode() * (4 * 4096 // len(name)) + b"....")

    def argv(self, name, mode, amount=0):
        return [os.path.join(self.dir, name), mode, self.dir, str(amount), f"{name}-argument"]

    def start(self, name, mode, amount=0, wrap=()):
        process = subprocess.Popen([*wrap, *self.argv(name, mode, amount)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.stack.callback(stop, process)
        if "swap" not in mode:
            process.said = heard(process)
            lib.equal("said", process.said.split()[0], name)
        return process

    def start_as(self, pid, name, mode):
        """With that PID, which was somebody's before; False where that is refused."""
        argv = self.argv(name, mode)
        for _ in range(100):
            child = clone_as(pid)
            if child == 0:
                try:
                    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
                    os.execv(argv[0], argv)
                finally:
                    os._exit(1)
            if child == pid:
                return True
            time.sleep(0.001)
        return False


@contextlib.contextmanager
def pair():
    for name in NAMES:
        if not os.path.exists(os.path.join(ZOO, name)):
            raise lib.Skipped(f"tests/zoo/{name} is not built")
    with contextlib.ExitStack() as stack:
        yield Pair(stack)


def heard(process):
    if not select.select([process.stdout], [], [], LIMIT)[0]:
        raise lib.Failed("a creature says nothing")
    return process.stdout.readline().decode().strip()


def stop(process):
    process.kill()
    process.wait()
    for pipe in process.stdin, process.stdout:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


def clone_as(pid):
    """fork() with a PID of our choice; -1 where that is refused."""
    class Arguments(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint64) for name in (
            "flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size",
            "tls", "set_tid", "set_tid_size")]

    want = (ctypes.c_int * 1)(pid)
    arguments = Arguments(exit_signal=signal.SIGCHLD, set_tid=ctypes.addressof(want),
                          set_tid_size=1)
    return ctypes.CDLL(None).syscall(435, ctypes.byref(arguments), ctypes.sizeof(arguments))


# ---- states: each yields (pid, disturb), where disturb() may be None

@contextlib.contextmanager
def restless(mode, pair_):
    """It changes all the time, by itself."""
    process = pair_.start(random.choice(NAMES), mode, random.choice((0, 300, 1000, 4000)))
    try:
        yield process.pid, None
    finally:
        stop(process)


@contextlib.contextmanager
def at_a_word(mode, pair_):
    process = pair_.start(random.choice(NAMES), mode)

    def disturb():
        process.stdin.write(b"\n")
        process.stdin.flush()
        heard(process)

    try:
        yield process.pid, disturb
    finally:
        stop(process)


@contextlib.contextmanager
def killed(how, pair_):
    """It ends, stays a zombie or is reaped, or another one has its PID at once."""
    process = pair_.start(random.choice(NAMES), "idle")
    successors = []

    def disturb():
        process.kill()
        if how == "zombie":
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            return
        process.wait()
        if how == "reused":
            other = NAMES[process.said == NAMES[0]]
            if not pair_.start_as(process.pid, other, "idle"):
                raise lib.Skipped("a PID cannot be chosen here")
            successors.append(process.pid)

    try:
        yield process.pid, disturb
    finally:
        for pid in successors:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        stop(process)


STATES = {
    "swap": (restless, "swap"),             # two programs execute each other without end
    "lone-swap": (restless, "lone-swap"),   # the main thread has exited, another executes
    "forks": (restless, "forks"),           # makes children without end
    "execs": (at_a_word, "told"),           # executes the other once, in the middle
    "lone-execs": (at_a_word, "lone-told"),
    "exits": (killed, "zombie"),            # is killed in the middle, and stays a zombie
    "reaped": (killed, "reaped"),           # is killed and reaped
    "reused": (killed, "reused"),           # and its PID is another's
}
RESTLESS = {"swap", "lone-swap", "forks"}       # it never has a moment's peace
LIVING = RESTLESS | {"execs", "lone-execs"}

# They watch for a while: exec within it ends the memory that they watch, and they say so; or it is
# what they compare.
UNRULY = {"faults", "diff"}

# ---- a run

Ran = collections.namedtuple("Ran", "status out err seconds")


def run(argv, disturb=None, after=0.0):
    """Run vmview; stop it after so many seconds for disturb(). status None: it did not end."""
    begin = time.monotonic()
    process = subprocess.Popen([lib.VMVIEW, *argv], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if disturb:
            time.sleep(after)
            process.send_signal(signal.SIGSTOP)
            try:
                disturb()
            finally:
                process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=LIMIT)
        status = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        status = None
    finally:
        process.kill()
        process.wait()
    return Ran(status, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace"),
               time.monotonic() - begin)


# ---- the judge

def faces(text):
    """Which of the two it speaks of: names, and addresses of code and heap."""
    found = {name for name in NAMES if name in text}
    for number in re.findall(r'"0x([0-9a-f]{8})"|^ *0*([0-9a-f]{8})[ -]', text, re.MULTILINE):
        address = int(number[0] or number[1], 16)
        if 0x10000000 <= address < BORDER:
            found.add("heron")
        elif 0x70000000 <= address < END:
            found.add("otter")
    return found


def objects(part):
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from objects(one)


def about(document, pid):
    """The part of a document that is of this process alone: all of it, or rows of a list."""
    if document["command"] in ("share", "cow") or document["command"] == "system":
        return [part for part in objects(document) if part.get("pid") == pid]
    return [document]


def reasons(part, but=()):
    return [why for one in objects(part) for key, why in (one.get("missing") or {}).items()
            if key not in but]


def judge_json(document, status, pid, state, address):
    """Kinds of faults."""
    complete = all(part.get("complete", True) for part in objects(document))
    parts = about(document, pid)
    whole = parts if document["command"] == "system" else document
    why = reasons(whole, but=("exe",))
    if state in LIVING and any(one.get("exe", "") is None for one in objects(whole)) and complete:
        yield "no exe"
    if complete:
        for part in parts:
            if len(faces(json.dumps(part))) > 1:
                yield "mixture"
            for one in objects(part):
                rss = one.get("rss") or 0
                if one.get("comm") == "otter" and one.get("pid") == pid and rss > OTTER_RSS:
                    yield "mixture"
                if rss > (one.get("peak_rss") or rss):
                    yield "rss above peak"
        if any(reason.startswith("gone") and "zombie" not in reason for reason in why) and \
                not any("zombie" in reason for reason in why):
            yield "null but complete"
        if document["command"] in SHOWS_ALL and not any("zombie" in reason for reason in why) and \
                any(part.get("mappings") == [] for part in objects(document)):
            yield "nothing but complete"
    yield from judge_words(" ".join(why) + str(document.get("error", "")), state, complete,
                           document["command"] == "pages")
    if document["command"] == "who":
        for owner in (one for part in objects(document) for one in part.get("owners", ())):
            if complete and owner["pid"] == pid and int(owner["address"], 16) != address:
                yield "an address nobody asked for"
    if lib.documents.unexplained(document):
        yield "null without a reason"
    if document["command"] == "system":
        return      # others may end, too
    if status == 0 and not complete:
        yield "incomplete, but status 0"
    if status != 0 and document["complete"]:
        yield "complete, but status 1"


def judge_words(text, state, complete, streams):
    """streams: rows are written as they are read, so that what exec cut off is not read anew."""
    if "kernel thread" in text and "or a zombie" not in text:
        yield "called a kernel thread"
    if state in LIVING and "zombie" in text:
        yield "called a zombie"
    # memory that goes away again and again may be called so, where nothing is said of it
    if state in LIVING and (complete or not (state in RESTLESS or streams)) and \
            re.search(r"\bno process\b|\bgone\b(?!: the process is)", text):
        yield "called gone"


def judge(command, ran, pid, state, address):
    """The kinds of faults in what vmview said, each once."""
    if ran.status is None:
        return {"did not end"}
    if ran.status not in (0, 1, 42):
        return {f"ended with status {ran.status}"}
    if not command.json:
        found = set(judge_words(ran.out.split("\n", 1)[-1] + ran.err, state, ran.status == 0,
                                command.name.startswith("pages")))
        if ran.status == 0 and len(faces(ran.out)) > 1:
            found.add("mixture")
        if ran.status == 0 and not re.search("defunct|zombie", ran.out) and ran.out.count("\n") < 4:
            found.add("nothing but complete")
        return found
    try:
        document = lib.documents.load(ran.out)
    except ValueError:
        return {"no JSON"}
    return set(judge_json(document, ran.status, pid, state, address))


class Tally:
    """Runs, how many were complete, and faults by kind; the first output of each kind."""

    def __init__(self):
        self.runs, self.complete = 0, 0
        self.faults, self.samples = collections.Counter(), {}

    def add(self, ran, found):
        self.runs += 1
        self.complete += ran.status == 0
        self.faults.update(found)
        for kind in found:
            self.samples.setdefault(kind, ran)


def trial(pair_, state, command, runs, tally, seconds=None):
    """So many runs of a command in a state, at most for so many seconds."""
    how, mode = STATES[state]
    other = pair_.start("otter", "idle").pid if "{other}" in command.args else 0
    end = time.monotonic() + seconds if seconds else None
    usual = 0.01
    done = 0
    while done < runs and not (end and time.monotonic() > end):
        with how(mode, pair_) as (pid, disturb):
            # where it does not change by itself, once each: a process is only killed once
            for _ in range(1 if how is killed else min(runs - done, 25)):
                address = random.choice((MARK, ANON))
                argv = command.argv(pid, other, address) + ["--json"] * command.json
                ran = run(argv, disturb, random.uniform(0, usual))
                if not disturb or ran.seconds < 10 * usual:
                    usual = 0.8 * usual + 0.2 * ran.seconds
                tally.add(ran, judge(command, ran, pid, state, address))
                done += 1
                if end and time.monotonic() > end:
                    break
