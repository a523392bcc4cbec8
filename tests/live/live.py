#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview live in a real terminal (tmux), and its --batch against the truth of processes."""
import contextlib
import ctypes
import fcntl
import json
import math
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

import lib

PAGE = os.sysconf("SC_PAGESIZE")
WAIT = 15


class Terminal:
    """A shell in a tmux of its own; closed with the with block."""

    def __init__(self, stack, width=80, height=24, env=()):
        self.dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="vmview-live."))
        self.base = ["tmux", "-S", os.path.join(self.dir, "socket"), "-f", "/dev/null"]
        stack.callback(subprocess.run, self.base + ["kill-server"], stderr=subprocess.DEVNULL)
        # A leak check that a hang-up meets never ends; the tests of --batch look for leaks.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        settings = ["LC_ALL=C.UTF-8", "PS1=ready$ ", f"ASAN_OPTIONS={sanitizer}", *env]
        self.tmux("new-session", "-d", "-x", width, "-y", height, "env", *settings,
                  "bash", "--norc", "--noprofile")
        self.until("ready$")

    def tmux(self, *args):
        argv = self.base + [str(arg) for arg in args]
        return subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout.decode()

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def run(self, *args):
        self.type(" ".join([lib.VMVIEW, "live", *map(str, args)]))
        self.keys("Enter")

    def until(self, *texts, gone=False):
        """Wait until the screen holds all of the texts (or none of them)."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            screen = self.screen()
            if all((text in screen) != gone for text in texts):
                return screen
            time.sleep(0.05)
        raise lib.Failed(f"no {texts} on the screen (gone={gone}):\n{screen}")

    def child(self):
        """The PID of the vmview that runs in it."""
        shell = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        found = subprocess.run(["ps", "--ppid", str(shell), "-o", "pid=,comm="],
                               stdout=subprocess.PIPE).stdout.decode().split("\n")
        return [int(line.split()[0]) for line in found if line.endswith("vmview")][0]

    def restored(self, name):
        """The shell answers, sees its own modes again, and nothing is left of us."""
        self.until("ready$")
        self.tmux("send-keys", "-R")
        self.type("stty -a | grep -ow -e icanon -e echo | tr '\\n' ' '; echo mo''des")
        self.keys("Enter")
        lib.true("icanon echo modes" in self.until(" modes"), f"{name}: modes")
        flags = self.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} "
                          "#{mouse_any_flag} #{keypad_flag}").strip()
        lib.equal(f"{name}: alternate screen, cursor, mouse, keypad", flags, "0 1 0 0")


@contextlib.contextmanager
def terminal(**options):
    if subprocess.run(["which", "tmux"], stdout=subprocess.DEVNULL).returncode:
        raise lib.Skipped("tmux is missing")
    with contextlib.ExitStack() as stack:
        yield Terminal(stack, **options)


class Held:
    """vmview live in a bare pty, to which keys come as from a keyboard that repeats."""

    def __init__(self, *args, width=100, height=40):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.execv(lib.VMVIEW, [lib.VMVIEW, "live", *map(str, args)])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", height, width, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def cpu(self):
        """Seconds, all of its threads: the clock that clock_getcpuclockid(3) gives."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def read(self, seconds, until=b"\0"):
        """What it writes in that time, or until that comes."""
        end, text = time.monotonic() + seconds, b""
        while time.monotonic() < end and until not in text:
            if select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                text += os.read(self.fd, 65536)
        return text

    def view(self):
        """Which one it shows: what it writes to a file says so."""
        with tempfile.TemporaryDirectory(prefix="vmview-live.") as directory:
            path = os.path.join(directory, "out.json")
            os.write(self.fd, f"w{path}\r".encode())
            end = time.monotonic() + WAIT
            while time.monotonic() < end:
                self.read(0.05)
                with contextlib.suppress(FileNotFoundError, ValueError), open(path) as file:
                    return json.load(file)["view"]
        raise lib.Failed("nothing was written")

    def hold(self, key, seconds):
        """The share of a CPU that it takes meanwhile."""
        begin, cpu = time.monotonic(), self.cpu()
        while time.monotonic() < begin + seconds:
            os.write(self.fd, key)
            self.read(1 / 30)
        return (self.cpu() - cpu) / (time.monotonic() - begin)


@contextlib.contextmanager
def sleeper():
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def batch(*args, **options):
    done = lib.vmview("live", "--json", "--batch", *args, **options)
    documents = [json.loads(line) for line in done.out.splitlines()]
    for document in documents:
        lib.validate(document)
    return documents


@lib.test
def every_view_and_back():
    with terminal() as term, lib.zoo("touched") as zoo:
        truth = zoo.truth["touched"]
        mapping = truth["mappings"][0] if "mappings" in truth else truth
        term.run("-i", "0.2")
        term.until(" processes", "COMMAND")
        term.type(f"g{zoo.pid}")
        term.keys("Enter")
        term.keys("Enter")
        term.until(f"{zoo.pid}: ", "RSS ", "ADDRESS")
        start = mapping["start"]
        start = int(start, 16) if isinstance(start, str) else start
        term.type(f"g{start:x}")
        term.keys("Enter")
        lib.true(f"> {start:012x}"[2:] in term.until(f"{start:012x}"), "cursor on the mapping")
        term.keys("Enter")
        screen = term.until("a cell", "empty", f"{start:012x}: ")
        lib.true(f"{start:x}-" in screen, screen)
        term.keys("?")
        term.until("Keys (")
        term.keys("Escape")
        term.until("a cell")
        term.keys("Enter")
        term.until(f"who maps a page of {zoo.pid}", f"page {start:012x}", "mapped 1",
                   f"> {zoo.pid} ")
        term.type("s")
        term.until(f"sharing of {zoo.pid}: ", "USS ", "SHARED")
        term.type("H")
        term.until(f"huge pages of {zoo.pid}: ", "TLB entries", "present ")
        term.keys("Escape")
        term.until("sharing of ")
        term.keys("Escape")
        term.until("who maps a page of ")
        term.keys("Enter")
        lib.true(f"> {start:012x}"[2:] in term.until("ADDRESS", "RSS "), "cursor on the mapping")
        term.keys("Escape")
        term.until("COMMAND")
        term.keys("q")
        term.restored("quit")


def dump(keys, *args, **options):
    """What `w` writes after these keys."""
    with tempfile.TemporaryDirectory(prefix="vmview-live.") as path:
        if options.get("user"):
            os.chown(path, options["user"], options["user"])
        path = os.path.join(path, "out.json")
        lib.vmview("live", "--screen", "80x24", "--keys", f"{keys}w{path}<Enter>", *args, **options)
        with open(path) as file:
            document = json.load(file)
    lib.validate(document)
    return document


def cells(keys, pid):
    """The sums over all cells, null where any is, and why."""
    document = dump(keys, "--root", os.path.join(lib.SRC, "tests/trees/frames"), pid)
    sums, missing = {}, {}
    for cell in document["cells"]:
        missing.update(cell.pop("missing", {}))
        for key, value in cell.items():
            known = sums.get(key, 0) is not None and value is not None
            sums[key] = sums.get(key, 0) + value if known else None
    return sums, missing


@lib.test
def hidden_frames_are_no_zeros():
    """The same heap and file with frames and without: what is not known is not 0."""
    heap, missing = cells("<Down><Enter>", 4242)
    lib.equal("missing", missing, {})
    lib.equal("heap", {key: heap[key] for key in ("swapped", "marker", "moving", "out", "guard")},
              {"swapped": 4, "marker": 1, "moving": 2, "out": 0, "guard": 2})
    hidden, missing = cells("<Down><Enter>", 4243)
    lib.equal("hidden heap", {key: hidden[key] for key in ("out", "guard", "empty", "dirty")},
              {"out": 7, "guard": 2, "empty": heap["empty"], "dirty": 0})
    for key in "swapped", "marker", "moving":
        lib.equal(key, hidden[key], None)
        lib.true(missing[key].startswith("denied"), missing)
    shown, missing = cells("<Enter>", 4242)
    lib.equal("file", (shown["file"] + shown["dirty"], missing), (10, {}))
    hidden, missing = cells("<Enter>", 4243)
    lib.equal("hidden file", (hidden["file"], hidden["dirty"]), (10, None))
    lib.equal("why", missing, {"dirty": "denied: needs CAP_SYS_ADMIN"})


@lib.test
def sharing_of_a_family():
    lib.need_root()
    with lib.zoo("family") as zoo:
        truth = zoo.truth["family"]
        spaces = {}
        for process in truth["processes"]:
            spaces.setdefault(process["space"], []).append(process["pid"])
        twins = {pids[-1] for pids in spaces.values() if len(pids) > 1}
        family = {process["pid"] for process in truth["processes"]}
        for want in truth["processes"]:
            pid = want["pid"]
            if pid in twins:
                continue
            document = dump("s", pid)
            for key in "rss", "uss", "pss":
                lib.equal(f"{key} of {want}", document["summary"][key], want[key])
            lib.equal("same memory", document["summary"].get("same_memory", 0),
                      len(spaces[want["space"]]) - 1)
            got = {row["pid"]: row["shared"] for row in document["sharers"]
                   if row["pid"] in family}
            pairs = {pair["a"] + pair["b"] - pid: pair["shared"] for pair in truth["pairs"]
                     if pid in (pair["a"], pair["b"]) and pair["shared"]}
            lib.equal(f"sharers of {want}", {other: value for other, value in got.items()
                                             if other not in twins},
                      {other: value for other, value in pairs.items() if other not in twins})
            for row in document["sharers"]:
                lib.equal("kinds", sum(row[key] for key in ("anon", "shm", "file", "ksm",
                                                            "hugetlb")), row["shared"])


@lib.test
def sharing_without_frames():
    lib.need_root()
    process = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                "sleep", "600"])
    try:
        while "sleep" not in open(f"/proc/{process.pid}/comm").read():
            time.sleep(0.01)
        document = dump("s", process.pid, user=65534)
        lib.equal("sharers", document["sharers"], [])
        lib.equal("why", document["missing"]["sharers"], "denied: needs CAP_SYS_ADMIN")
        lib.equal("shared", document["summary"]["shared"], None)
        lib.true(document["summary"]["rss"] > 0, document["summary"])
        lib.equal("complete", document["complete"], False)
    finally:
        process.kill()
        process.wait()


@lib.test
def huge_pages_of_a_process():
    lib.need_root()
    with lib.zoo("thp", "thp-partial", "touched") as zoo:
        size = 512 * PAGE
        want = lib.vmview_json("huge", zoo.pid)["processes"][0]
        document = dump("H", zoo.pid)
        for key in "present", "pmd", "large", "unmapped", "tlb", "slots", "f2m":
            lib.equal(key, document["summary"][key], want["total"][key])
        lib.true(document["summary"]["pmd"] >= 2 * size, document["summary"])
        rows = {row["start"]: row for row in document["mappings"]}
        for animal, present, pmd in (("thp", 2 * size, 2 * size), ("thp-partial", size - PAGE, 0),
                                     ("touched", 3 * PAGE, 0)):
            truth = zoo.truth[animal]
            start = (truth["mappings"][0] if "mappings" in truth else truth)["start"]
            row = rows[start if isinstance(start, str) else f"{start:#x}"]
            lib.equal(f"{animal} present", row["present"], present)
            lib.equal(f"{animal} pmd", row["pmd"], pmd)


@lib.test
def frame_of_three_processes():
    lib.need_root()
    with lib.zoo("fork-three") as zoo:
        three = zoo.truth["fork-three"]["mappings"]
        start = three[0]["start"]
        start = int(start, 16) if isinstance(start, str) else start
        pids = sorted(mapping["pid"] for mapping in three)
        document = dump(f"g{start:x}<Enter><Enter><Right><Enter>", pids[0])
        lib.equal("page", document["summary"]["address"], f"{start + PAGE:#x}")
        lib.equal("state", document["summary"]["state"], "present")
        lib.equal("map count", document["summary"]["map_count"], 3)
        lib.equal("not found", document["summary"]["owners_missing"], 0)
        lib.true("anonymous" in document["summary"]["flags"], document["summary"])
        lib.equal("owners", [row["pid"] for row in document["owners"]], pids)
        want = {row["pfn"] for row in
                lib.vmview_json("who", f"{pids[0]}:{start + PAGE:x}")["frames"]}
        lib.equal("frame", {document["summary"]["pfn"]}, want)


def told_how_often(screen):
    """Of 0.2 s a reading may take a tenth; what takes more comes more seldom, and says so."""
    cost = float(re.search(r"reading takes ([0-9.]+) ms CPU", screen)[1])
    if cost <= 21:
        return
    seconds, share = re.search(r"so every ([0-9.]+) s \(([0-9.]+)%\)", screen).groups()
    lib.true(abs(float(seconds) - cost / 100) <= 0.06, f"{seconds} s for {cost} ms")
    lib.equal("share", share, "10.0")


@lib.test
def the_machine():
    with terminal() as term:
        term.run("-i", "0.2")
        term.until("processes; ")
        term.keys("M")
        told_how_often(term.until("machine: frames by use", "anonymous", "memory ",
                                  "reading takes"))
        term.keys("Enter")
        term.until("machine: free memory by order", "DMA", "in blocks of order 3")
        term.keys("Enter")
        term.until("machine: physical memory", "000000000000 ", "a cell: ")
        term.tmux("resize-window", "-x", 120, "-y", 40)
        term.until("000000000000 ", "a cell: ")
        path = os.path.join(term.dir, "picture.json")
        term.type("w" + path)
        term.keys("Enter")
        term.until("written:")
        term.keys("Escape")
        term.until("machine: free memory by order")
        term.keys("Escape")
        term.until("machine: frames by use")
        term.keys("Escape")
        term.until("processes; ")
        term.keys("q")
        term.restored("quit")
        with open(path) as file:
            document = json.load(file)
        lib.validate(document)
        cells = lib.vmview_json("system")["total_frames"] * PAGE / document["cell_bytes"]
        lib.equal("cells", len(document["picture"]), math.ceil(cells))


@lib.test
def the_machine_of_nobody():
    done = lib.vmview("live", "--screen", "80x24", "--keys", "M", user=65534)
    lib.true("denied: needs root or CAP_DAC_READ_SEARCH" in done.out, done.out)
    lib.true("can be dropped -  can be moved -  stays -" in done.out, done.out)


@lib.test
def resizes_in_a_storm():
    random.seed(7)
    with terminal() as term, sleeper() as process:
        term.run("-i", "0.1", process.pid)
        term.until("ADDRESS")
        for view in range(3):
            for _ in range(60):
                term.tmux("resize-window", "-x", random.choice([1, 2, 19, 60, 80, 200, 400]),
                          "-y", random.choice([1, 2, 5, 16, 24, 60, 200]))
                time.sleep(random.choice([0, 0.005, 0.03]))
            term.tmux("resize-window", "-x", 100, "-y", 30)
            term.until(f"{process.pid}: sleep 600", "? help")
            if view == 0:
                term.keys("Enter")
                term.until("a cell")
            elif view == 1:
                term.keys("?")
                term.keys("?")
        term.keys("q")
        term.restored("quit")


@lib.test
def target_that_ends_stays_on_the_screen():
    with terminal(height=60) as term, sleeper() as process:
        term.run("-i", "0.2", process.pid)
        before = term.until("ADDRESS", "[stack]")
        process.kill()
        process.wait()
        after = term.until("(ended)", "[stack]")
        rows = [line for line in before.splitlines() if "rw-p" in line]
        lib.equal("rows", [line for line in after.splitlines() if "rw-p" in line], rows)
        time.sleep(1)
        term.until("(ended)")
        term.keys("q")
        term.restored("quit")


@lib.test
def views_of_what_has_ended():
    with terminal() as term, sleeper() as process:
        term.run("-i", "0.2", process.pid)
        term.until("ADDRESS", "[heap]")
        process.kill()
        process.wait()
        term.until("(ended)")
        term.keys("Enter")
        term.until("the process has ended", "a cell")
        term.keys("Escape")
        for key in "H", "s":
            term.keys(key)
            term.until("(ended)", "ADDRESS", f"no process {process.pid}")
            term.keys("Down")
            term.until("? help")
        term.keys("q")
        term.restored("quit")


@lib.test
def views_of_a_zombie():
    with terminal() as term, lib.zoo("zombie") as zoo:
        pid = zoo.truth["zombie"]["pid"]
        term.run("-i", "0.2", pid)
        term.until("no rows", "gone: the process is a zombie")
        term.keys("H")
        term.until(f"{pid} is a zombie: its memory is gone")
        term.keys("q")
        term.restored("quit")


@lib.test
def pages_of_what_has_ended_stay():
    with terminal() as term, sleeper() as process:
        term.run("-i", "0.2", process.pid)
        term.until("ADDRESS", "[heap]")
        term.keys("Enter")
        before = term.until("a cell", ": present, file").splitlines()
        process.kill()
        process.wait()
        after = term.until("(ended)", ": present, file").splitlines()
        lib.equal("cells", after[1:-2], before[1:-2])
        term.tmux("resize-window", "-x", 60, "-y", 12)
        term.until("(ended)", "a cell")
        term.keys("q")
        term.restored("quit")


@lib.test
def exec_is_noticed():
    with terminal() as term, contextlib.ExitStack() as stack:
        process = subprocess.Popen(["bash", "-c", "read line; exec sleep 600"],
                                   stdin=subprocess.PIPE)
        stack.callback(process.wait)
        stack.callback(process.kill)
        term.run("-i", "0.2", process.pid)
        term.until("bash -c", "ADDRESS")
        process.stdin.write(b"go\n")
        process.stdin.flush()
        term.until(f"{process.pid}: sleep 600", "another program")


@lib.test
def the_terminal_is_restored():
    for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT:
        with terminal() as term, sleeper() as process:
            term.run(process.pid)
            term.until("ADDRESS")
            os.kill(term.child(), number)
            term.restored(number.name)


@lib.test
def a_crash_while_reading_restores_it():
    """What crashes then is another thread than the one that has the terminal."""
    tgkill = 234                        # x86-64; 131 elsewhere
    if os.uname().machine != "x86_64":
        tgkill = 131
    libc = ctypes.CDLL(None, use_errno=True)
    with terminal() as term, sleeper() as process:
        term.run(process.pid)
        term.until("ADDRESS")
        pid = term.child()
        threads = [int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid]
        lib.true(len(threads) >= 2, threads)
        lib.equal("tgkill", libc.syscall(tgkill, pid, max(threads), signal.SIGSEGV), 0)
        term.restored("SIGSEGV")


@lib.test
def a_write_that_fails_leaves_no_file():
    """Nor changes the one that was there."""
    with terminal() as term, sleeper() as process:
        path = os.path.join(term.dir, "out.json")
        term.type("ulimit -f 1")
        term.keys("Enter")
        term.run(process.pid)
        term.until("ADDRESS")
        term.type("w" + path)
        term.keys("Enter")
        term.until("not written:", "File too large")
        lib.equal("files", [name for name in os.listdir(term.dir) if "out" in name], [])
        with open(path, "w") as file:
            file.write("mine")
        term.type("w" + path)
        term.keys("Enter")
        term.until("replace it?")
        term.keys("y")
        term.until("not written:", "File too large")
        with open(path) as file:
            lib.equal("file", file.read(), "mine")
        lib.equal("files", [name for name in os.listdir(term.dir) if "out" in name], ["out.json"])
        term.keys("q")
        term.restored("quit")


@lib.test
def ctrl_z_and_back():
    with terminal() as term, sleeper() as process:
        term.run("-i", "0.2", process.pid)
        term.until("ADDRESS")
        term.keys("C-z")
        term.until("Stopped")
        term.restored("stopped")
        term.type("fg")
        term.keys("Enter")
        term.until("ADDRESS", "? help")
        term.keys("q")
        term.restored("quit")


@lib.test
def hang_up_ends_it():
    with terminal() as term, sleeper() as process:
        term.run(process.pid)
        term.until("ADDRESS")
        pid = term.child()
        term.tmux("kill-server")
        end = time.monotonic() + 5
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
            time.sleep(0.05)
        lib.true(not os.path.exists(f"/proc/{pid}"), "still runs without its terminal")


@lib.test
def no_terminal_no_colour_no_utf8():
    done = lib.vmview("live", status=2)
    lib.true("try: --batch" in done.err, done.err)
    with terminal(env=["NO_COLOR=1"]) as term, sleeper() as process:
        term.run(process.pid)
        term.until("ADDRESS")
        colours = re.findall("\033\\[[34][0-7]m", term.tmux("capture-pane", "-p", "-e"))
        lib.equal("colours", colours, [])
    with terminal() as term, sleeper() as process:
        term.run("--ascii", process.pid)
        term.until("ADDRESS").encode("ascii")
    with terminal() as term, sleeper() as process:
        term.type("export LC_ALL=C")
        term.keys("Enter")
        term.run(process.pid)
        term.until("ADDRESS").encode("ascii")
        term.keys("q")
        term.type("TERM=none-such ")
        term.run(process.pid)
        term.until("TERM is not set, or has no entry")
        term.type("TERM=dumb ")
        term.run(process.pid)
        term.until("cannot place text on its screen")
        term.restored("dumb")


@lib.test
def colours_by_terminal():
    kinds = {"screen": r"\033\[[0-9;]*3[1-6]m", "screen-256color": r"\033\[[0-9;]*38;5;\d+m",
             "xterm-direct": r"\033\[[0-9;]*38;2;\d+;\d+;\d+m", "vt100": None}
    for name, pattern in kinds.items():
        if subprocess.run(["infocmp", name], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            continue            # this machine does not know it
        with terminal(env=[f"TERM={name}"]) as term, sleeper() as process:
            term.run(process.pid)
            term.until("ADDRESS", "elf")
            text = term.tmux("capture-pane", "-p", "-e")
            if pattern:
                lib.true(re.search(pattern, text), f"{name}: {text[:2000]!r}")
            else:
                lib.equal(name, re.findall(r"\033\[[0-9;]*3[0-8]", text), [])


@lib.test
def mouse_moves_and_opens():
    def button(code, row):
        return f"\033[M{chr(32 + code)}{chr(33 + 19)}{chr(33 + row)}"

    with terminal(env=["TERM=screen"]) as term, sleeper() as process:
        term.run(process.pid)
        screen = term.until("ADDRESS", "> ")
        rows = screen.splitlines()
        first = [i for i, row in enumerate(rows) if row.startswith("> ")][0]
        for code, line in (65, 1), (65, 2), (64, 1):        # the wheel: down, down, up
            term.type(button(code, first))
            term.until(f"line {line + 1} of")
        click = button(0, first + 3) + button(3, first + 3)
        term.type(click)
        term.until("line 4 of")
        term.type(click)
        term.until("a cell")
        lib.equal("mouse", term.tmux("display-message", "-p", "#{mouse_any_flag}").strip(), "1")
        term.type("P")
        term.until("? help", gone=True)
        lib.equal("in plain", term.tmux("display-message", "-p", "#{mouse_any_flag}").strip(), "0")
        term.type("P")
        term.until("? help")
        lib.equal("again", term.tmux("display-message", "-p", "#{mouse_any_flag}").strip(), "1")


@lib.test
def writing_asks_before_it_replaces():
    with terminal() as term, sleeper() as process:
        path = os.path.join(term.dir, "out.json")
        term.run(process.pid)
        term.until("ADDRESS")
        term.type("w" + path)
        term.keys("Enter")
        term.until("written:")
        with open(path) as file:
            document = json.load(file)
        lib.validate(document)
        lib.equal("pid", document["pid"], process.pid)
        with open(path, "w") as file:
            file.write("mine")
        term.type("w" + path)
        term.keys("Enter")
        term.until("replace it?")
        term.keys("n")
        term.until("replace it?", gone=True)
        with open(path) as file:
            lib.equal("file after no", file.read(), "mine")
        term.type("w" + path)
        term.keys("Enter")
        term.until("replace it?")
        term.keys("y")
        term.until("written:")
        with open(path) as file:
            lib.equal("pid", json.load(file)["pid"], process.pid)
        term.type("w/no/such/dir/x")
        term.keys("Enter")
        term.until("not written:", "No such file")
        term.keys("q")
        term.restored("quit")


@lib.test
def held_keys_stay_within_the_budget():
    """3 % for readings, what 2 s have kept of it (1.5 % of 4 s), 5 % for screens; then keys. A
    sanitizer makes screens and keys two times as expensive."""
    options = "--cpu", 3, "--interval", 0.5
    with open(lib.VMVIEW, "rb") as file:
        most = 0.30 if b"__asan_init" in file.read() else 0.15

    def hold(live, *keys):
        name = live.view()
        for key in keys:
            used = live.hold(key, 4)
            lib.true(used < most, f"{key} in {name}: {used:.1%} of a CPU")
        return name

    with Held(*options) as live:
        lib.equal("view", hold(live, b"j", b"R"), "processes")
    with lib.zoo("touched") as zoo, Held(*options, zoo.pid) as live:
        lib.equal("view", hold(live, b"R"), "map")
        os.write(live.fd, b"\r")
        lib.equal("view", hold(live, b"R", b"j"), "pages")


@lib.test
def the_tree_adds_up():
    with terminal(height=60) as term, sleeper() as process:
        path = os.path.join(term.dir, "tree.json")
        term.run(process.pid)
        term.until("ADDRESS")
        term.keys("t")
        screen = term.until(" files", "/bin/sleep (")
        lib.true(f"{process.pid}: sleep" in screen and "r-xp" not in screen, screen)
        term.type("w" + path)
        term.keys("Enter")
        term.until("written:")
        with open(path) as file:
            document = json.load(file)
        lib.validate(document)
        for key in "rss", "dirty", "swap":
            rows = [sum(row[key] for row in document[name]) for name in ("files", "mappings")]
            lib.equal(key, rows, [document["total"][key]] * 2)
        by_path = [row["size"] for row in document["mappings"] if row["path"].endswith("/sleep")]
        (sleep,) = [row for row in document["files"] if row["name"].endswith("/sleep")]
        lib.equal("mappings", sleep["mappings"], len(by_path))
        lib.equal("size", sleep["size"], sum(by_path))


@lib.test
def batch_counts_what_map_counts():
    with lib.zoo("touched") as zoo:
        documents = batch(3, "-i", "0.1", zoo.pid)
        lib.equal("documents", len(documents), 3)
        (process,) = lib.vmview_json("map", zoo.pid)["processes"]
        last = documents[-1]
        for key in "rss", "dirty", "swap":
            lib.equal(key, last["total"][key], process["total"][key])
        want = [(m["start"], m["end"], m["rss"]) for m in process["mappings"]]
        lib.equal("mappings", [(m["start"], m["end"], m["rss"]) for m in last["mappings"]], want)


@lib.test
def list_has_what_ps_has():
    keys = "pid ppid uid user rss uss anonymous private_dirty swap page_tables threads comm".split()
    with lib.zoo("touched") as zoo:
        # others may be denied, also to root
        (document,) = batch(1, "--pace", "fast", status=None)
        (want,) = lib.vmview_json("ps", zoo.pid)["processes"]
        (row,) = [row for row in document["processes"] if row["pid"] == zoo.pid]
        for key in keys:
            lib.equal(key, row[key], want[key])
        lib.equal("age", row["age"], 0)
        sizes = [row["rss"] for row in document["processes"] if row["rss"] is not None]
        lib.equal("order", sizes, sorted(sizes, reverse=True))
        done = lib.vmview("live", "--batch", 1, "-o", "pid,cmdline,state", "--sort", "pid",
                          "--filter", f"pid == {zoo.pid}")
        lib.true("touched" in done.out, done.out)


@lib.test
def rollups_of_all_come_in_time():
    """However little CPU there is for them: the one under the cursor at once, then the others."""
    with lib.zoo("touched") as zoo, terminal() as term:
        term.run("--cpu", 1, "-i", 0.2, "-o", "pid,private_dirty,age,command")
        term.until("COMMAND")
        term.type(f"g{zoo.pid}")
        term.keys("Enter")
        dirty = lib.vmview_json("ps", zoo.pid)["processes"][0]["private_dirty"]
        human = f"{dirty / 1024:.0f}K" if dirty >= 10240 else f"{dirty / 1024:.1f}K"
        end = time.monotonic() + WAIT
        row = ""
        while human not in row and time.monotonic() < end:
            row = "".join(re.findall(rf"^> *{zoo.pid} .*", term.screen(), re.M))
            time.sleep(0.1)
        lib.true(human in row, f"{human} of the row under the cursor: {row}")


CHURN = """
import mmap, sys
keep = mmap.mmap(-1, 16 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=3)
keep.madvise(mmap.MADV_NOHUGEPAGE)
print(flush=True)
sys.stdin.readline()
for page in range(5):
    keep[page * 4096] = 1
new = mmap.mmap(-1, 8 * 4096, flags=mmap.MAP_SHARED, prot=3)
new[0] = 1
print(flush=True)
sys.stdin.readline()
"""


@lib.test
def batch_shows_changes():
    """Five pages touched in a mapping that stays, one in a new one, between two refreshes."""
    with contextlib.ExitStack() as stack:
        process = subprocess.Popen(["/usr/bin/python3", "-c", CHURN], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        stack.callback(process.wait)
        stack.callback(process.kill)
        process.stdout.readline()
        live = subprocess.Popen([lib.VMVIEW, "live", "--json", "--changes", "--batch", "1000", "-i",
                                 "0.1", str(process.pid)], stdout=subprocess.PIPE)
        stack.callback(live.wait)
        stack.callback(live.kill)
        first = json.loads(live.stdout.readline())
        lib.validate(first)
        lib.true("gone" not in first and "new" not in first["mappings"][0], "changes of nothing")
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        grown, fresh, before = 0, 0, {m["start"]: m["rss"] for m in first["mappings"]}
        document = first
        while not fresh:
            document = json.loads(live.stdout.readline())
            lib.validate(document)
            for mapping in document["mappings"]:
                if mapping["new"]:
                    fresh += mapping["kind"] == "shm"
                    lib.equal("all of it is new", mapping["change"]["rss"], mapping["rss"])
                elif mapping["start"] in before:
                    lib.equal("change", mapping["change"]["rss"],
                              mapping["rss"] - before[mapping["start"]])
                    grown += mapping["change"]["dirty"] * (mapping["kind"] == "anon")
            before = {m["start"]: m["rss"] for m in document["mappings"]}
        lib.true(grown >= 5 * PAGE, f"grew by {grown}")
    with sleeper() as process:
        done = lib.vmview("live", "--batch", 2, "-i", 0.1, "--changes", "--bytes",
                          process.pid)
        lib.equal("signed columns", done.out.count("+-"), 3)
        lib.true("\n0 gone\n" in done.out, done.out)


@lib.test
def batch_ends_with_its_process():
    with sleeper() as process:
        child = subprocess.Popen([lib.VMVIEW, "live", "--json", "--batch", "1000", "-i", "0.1",
                                  str(process.pid)], stdout=subprocess.PIPE)
        try:
            json.loads(child.stdout.readline())
            process.kill()
            process.wait()
            documents = [json.loads(line) for line in child.stdout.read().splitlines()]
            lib.equal("ended", documents[-1]["ended"], True)
            lib.equal("complete", documents[-1]["complete"], False)
            lib.equal("status", child.wait(), 1)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()


@lib.test
def nobody_sees_what_nobody_may():
    with sleeper() as process:
        done = lib.vmview("live", "--batch", 1, process.pid, user=65534, status=1)
        lib.true("try: sudo" in done.err, done.err)
        (document,) = batch(1, user=65534, status=1)
        lib.equal("complete", document["complete"], False)
        done = lib.vmview("live", "--batch", 1, "--filter", f"pid == {process.pid}", user=65534,
                          status=1)
        lib.true("vmview: 1 process: smaps_rollup: denied" in done.err, done.err)
        lib.vmview("live", "--batch", 1, "-o", "pid,rss,command", "--filter",
                   f"pid == {process.pid}", user=65534)
        (row,) = [row for row in document["processes"] if row["pid"] == process.pid]
        lib.true(row["rss"] > 0, "status has it for everybody")
        lib.equal("pss", row["pss"], None)
        lib.true(row["missing"]["pss"].startswith("denied"), row["missing"])


lib.done()
