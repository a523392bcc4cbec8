#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview under pmap's options against the installed pmap 4.0.2, byte by byte.

What doc/pmap.md lists as different is worked into pmap's output before the two are compared. A
zoo is read whose files and libraries are copies that nobody else maps: else Pss changes with every
process that starts or ends, and with whether pmap or vmview reads.
"""
import contextlib
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402

PMAP = "/usr/bin/pmap"
NOBODY = 65534
MANY = 300              # PIDs; pmap takes 255
INTERP = b"/lib64/ld-linux-x86-64.so.2"
# Columns of -X whose sum means nothing: pmap adds them up, vmview shows "-".
NOT_ADDITIVE = ("KernelPageSize", "MMUPageSize", "THPeligible", "ProtectionKey")
FORMATS = ([], ["-x"], ["-d"], ["-X"], ["-XX"])
FIELD_FORMATS = ("-X", "-XX", "-c", "-C")
ESCAPE = re.compile(r"\\x[0-9a-f]{2}")


# ---- running the two ----

class Run:
    def __init__(self, argv, user=None, env=None):
        if user is not None:
            argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
                    "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", *argv]
        done = subprocess.run(argv, env=dict(os.environ, LC_ALL="C.UTF-8", **(env or {})),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120)
        self.status, self.raw = done.returncode, done.stdout
        self.out = done.stdout.decode("utf-8", "surrogateescape")
        self.err = done.stderr.decode("utf-8", "surrogateescape")

    def __eq__(self, other):
        return (self.status, self.raw) == (other.status, other.raw)


def words(args):
    return [str(arg) for arg in args]


def pmap(*args, **options):
    return Run([PMAP, *words(args)], **options)


def ours(*args, **options):
    """vmview called by the name of pmap: without options too it is in pmap's mode."""
    return Run([OURS, *words(args)], **options)


def need_pmap():
    """The reference is 4.0.2; a later one differs in what doc/pmap.md says."""
    try:
        version = Run([PMAP, "-V"]).out
    except FileNotFoundError:
        raise lib.Skipped("no pmap here") from None
    if "4.0.2" not in version:
        raise lib.Skipped(f"pmap here is not 4.0.2: {version.strip()}")


def show_difference(want, got):
    lines = list(difflib.unified_diff(want.splitlines(), got.splitlines(), "pmap", "vmview",
                                      lineterm="", n=0))
    return "\n".join(ascii(line) for line in lines[:12])


def equal_text(what, got, want):
    if got != want:
        raise lib.Failed(f"{what}:\n{show_difference(want, got)}")


def same(text):
    return text


def pss_of(line, all_fields):
    """Where the PSS stands in a line of -X, or of -XX: behind address, rights, offset, device and
    inode in that of a mapping, without these in the last one."""
    head = 5 if re.match(r" *[0-9a-f]{8,} [r-]", line) else 0
    return head + (4 if all_fields else 2)


def is_near(got, want, all_fields):
    """All is the same but for the PSS of a line, which may be off by one: readers map libraries,
    too, and not all of them the same pages of these."""
    got, want = got.split("\n"), want.split("\n")
    for line, other in zip(got, want):
        ours_, pmaps = line.split(), other.split()
        apart = [i for i, pair in enumerate(zip(ours_, pmaps)) if pair[0] != pair[1]]
        if len(ours_) != len(pmaps) or apart not in ([], [pss_of(line, all_fields)]):
            return False
        if any(abs(int(ours_[i]) - int(pmaps[i])) != 1 for i in apart):
            return False
    return len(got) == len(want)


def equal_to_pmap(args, got, want):
    extended = sum(word.count("X") for word in words(args) if re.fullmatch("-[a-zX]+", word))
    if not extended or not is_near(got, want, extended > 1):
        equal_text(f"pmap {words(args)}", got, want)


def compare(args, change=same, fold=same, **options):
    """Both with the same arguments: change makes pmap's output right, fold is for what the two show
    differently. pmap runs before and after: only where it agrees with itself did the process stand
    still meanwhile."""
    need_pmap()
    for attempt in range(20):
        before, mine, after = pmap(*args, **options), ours(*args, **options), pmap(*args, **options)
        if before == after:
            break
        time.sleep(0.01 * attempt)
    else:
        raise lib.Skipped(f"pmap {words(args)}: never twice the same")
    want, got = fold(change(before.out)), fold(mine.out)
    if mine.status != before.status:
        raise lib.Failed(f"pmap {words(args)}: status {mine.status}, pmap's is {before.status}\n"
                         f"{mine.err}")
    equal_to_pmap(args, got, want)
    return mine


# ---- what is different on purpose ----

def columns(heading):
    """Where the columns of a heading begin and end; but for the first and last, right-aligned."""
    return [(match[0], match.start(), match.end()) for match in re.finditer(r"\S+", heading)]


def right_footer(text):
    """The footer of -X without the sums that mean nothing."""
    lines = text.split("\n")
    heading = ""
    for number, line in enumerate(lines):
        if line.lstrip().startswith("Address"):
            heading = line
        elif line.endswith("KB ") and set(lines[number - 1]) <= {"=", " "}:
            for name, start, end in columns(heading):
                if name in NOT_ADDITIVE:
                    line = line[:start] + "-".rjust(end - start) + line[end:]
            lines[number] = line
    return "\n".join(lines)


def question_marks(text):
    """A ? for each byte that is not printable ASCII, as pmap itself does in its simple formats; for
    what vmview writes as \\xHH too."""
    return "".join(c if c == "\n" or " " <= c <= "~" else
                   "?" * len(c.encode("utf-8", "surrogateescape"))
                   for c in ESCAPE.sub("?", text))


def matrix():
    for form in FORMATS:
        for more in ([], ["-q"], ["-p"], ["-q", "-p"]):
            yield form + more


def expected(args):
    """How pmap's output is changed for these arguments."""
    return right_footer if any(arg in FIELD_FORMATS for arg in args) else same


# ---- processes that stand still, and share nothing ----

def libraries(program):
    """Its interpreter and the libraries that it loads."""
    out = subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE).stdout.decode()
    return re.findall(r"(/\S+) \(0x", out)


def private_copy(program, directory):
    """A copy of the program that uses copies of its libraries and of the dynamic linker."""
    linker = os.path.join(directory, "ld").encode()
    with open(program, "rb") as file:
        text = file.read()
    if text.count(INTERP + b"\0") != 1 or len(linker) > len(INTERP):
        raise lib.Skipped(f"cannot give {program} a dynamic linker of its own")
    copy = os.path.join(directory, os.path.basename(program))
    with open(copy, "wb") as file:
        file.write(text.replace(INTERP, linker.ljust(len(INTERP), b"\0")))
    os.chmod(copy, 0o755)
    for path in libraries(program):
        name = "ld" if path == INTERP.decode() else os.path.basename(path)
        shutil.copy(path, os.path.join(directory, name))
    return copy


@contextlib.contextmanager
def zoo(*animals):
    with tempfile.TemporaryDirectory(prefix="vp.", dir="/tmp") as directory:
        keep = lib.ZOO, os.environ.get("LD_LIBRARY_PATH"), os.environ.get("LC_ALL")
        lib.ZOO = private_copy(lib.ZOO, directory)
        os.environ.update(LD_LIBRARY_PATH=directory, LC_ALL="C")
        try:
            with contextlib.ExitStack() as stack:
                started = stack.enter_context(lib.zoo(*animals))
                restore(keep)
                yield started
        finally:
            restore(keep)


def restore(keep):
    lib.ZOO = keep[0]
    for name, value in zip(("LD_LIBRARY_PATH", "LC_ALL"), keep[1:]):
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def started(*argv, **options):
    """A program that ends with its standard input."""
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
    try:
        yield process
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def cats(count):
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(started("/bin/cat")) for _ in range(count)]
        for process in found:
            while os.readlink(f"/proc/{process.pid}/exe") != os.path.realpath("/bin/cat"):
                time.sleep(0.001)
        time.sleep(0.05)        # past its own start
        yield [process.pid for process in found]


def maps_of(pid):
    with open(f"/proc/{pid}/maps", "rb") as file:
        return file.read().decode("utf-8", "surrogateescape").rstrip("\n").split("\n")


def title_of(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        text = file.read()
    return text.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "surrogateescape")


def edges(line):
    start, end = line.split(" ", 1)[0].split("-")
    return int(start, 16), int(end, 16)


# ---- the tests ----

@lib.test
def formats_are_pmaps_to_the_byte():
    with zoo("touched", "file-clean", "memfd", "sysv") as animals:
        for args in matrix():
            compare([*args, animals.pid], expected(args))


@lib.test
def every_quiet_animal():
    """All formats over whatever the zoo can show."""
    names = subprocess.run([lib.ZOO, "--list"], check=True, stdout=subprocess.PIPE).stdout
    names = [line.split()[0] for line in names.decode().splitlines()
             if line.strip() and not line.startswith("storm")]
    seen, left_out = 0, []
    for name in names:
        try:
            look_at(name)
            seen += 1
        except lib.Skipped as why:
            left_out.append(f"{name} ({why})")
    print(f"# {seen} animals, not: {', '.join(left_out)}")
    lib.true(seen > len(names) // 2, f"only {seen} of {len(names)} animals could be compared")


KNOBS = (
    ("hugetlb=8", ("hugetlb", "hugetlb-shared", "hugetlb-cow")),
    ("zram=256M", ("swap", "swap-thp", "swap-fork", "swap-shm")),
    ("ksm", ("ksm",)),
    ("mthp=64", ("mthp",)),
    ("shmem_thp=advise", ("shmem-thp",)),
)


@lib.test
def animals_that_need_a_machine_of_their_own():
    """Huge page pool, swap and the like, put up for them and taken away again."""
    need_pmap()
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "knobs.sh")
    seen = 0
    for knob, names in KNOBS:
        argv = [sys.executable, os.path.abspath(__file__), "animals", *names]
        done = subprocess.run(["bash", script, knob, "--", *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=dict(os.environ, KNOBS_PATIENCE="60"))
        text = done.stdout.decode("utf-8", "replace")
        lib.true(done.returncode in (0, 77), f"{knob}: status {done.returncode}\n{text}")
        seen += done.returncode == 0
        print("# " + text.strip().replace("\n", "\n# "))
    if not seen:
        raise lib.Skipped("none of the settings can be had here")


def look_at_all(names):
    """The status that knobs.sh passes on: 77 where none of them could be compared."""
    status = 77
    for name in names:
        try:
            look_at(name)
            status = 0
            print(f"{name}: the same")
        except lib.Skipped as why:
            print(f"skip: {why}")
        except lib.Failed as why:
            print(f"{name}: {why}")
            return 1
    return status


def look_at(name):
    with zoo(name) as animals:
        pids = {fact.get("pid", animals.pid) for fact in animals.lines} | {animals.pid}
        for pid in sorted(pids):
            if any(len(line) > 200 or not line.isascii() or not line.isprintable()
                   for line in maps_of(pid) + [title_of(pid)]):
                raise lib.Skipped("names that are shown otherwise")
            if not maps_of(pid)[0] and len(os.listdir(f"/proc/{pid}/task")) > 1:
                raise lib.Skipped("a dead leader")
            for args in FORMATS:
                compare([*args, pid], expected(args))


def long_options(args):
    return [LONG.get(arg, arg) for arg in args]


LONG = {"-x": "--extended", "-d": "--device", "-q": "--quiet", "-p": "--show-path"}


@lib.test
def all_ways_to_say_it():
    """Long and short options, together and apart, before and behind the PID; and vmview itself."""
    with zoo("touched") as animals:
        pid = animals.pid
        for args in matrix():
            want = ours(*args, pid).out
            ways = [[*long_options(args), pid], [pid, *args]]
            if args:
                ways.append(["-" + "".join(arg[1:] for arg in args), pid])
            for way in ways:
                equal_to_pmap(way, ours(*way).out, want)
            for vmview in (["map", *args, pid], [*args, pid], ["map", pid, *args]) if args else ():
                equal_text(f"vmview {words(vmview)}", lib.vmview(*vmview).out, want)
        equal_text("-X -X", ours("-X", "-X", pid).out, ours("-XX", pid).out)
        equal_text("--range", ours("--range=1,2", pid).out, ours("-A", "1,2", pid).out)


@lib.test
def hostile_names():
    with zoo("names", "memfd-names", "name-deleted") as animals:
        for args in matrix():
            if "-p" in args and args[0] in FIELD_FORMATS:
                check_whole_names(args, animals.pid)
            else:
                compare([*args, animals.pid], expected(args), short_names)
        raw = ours("-X", animals.pid).raw + ours(animals.pid).raw
        lib.true(not set(raw) & (set(range(32)) - {10} | {127}), "control characters in the output")
        lib.equal("all of it as UTF-8", raw.decode().encode(), raw)
        for name in (r"\x1b[2J\x1b]0;title\x07", r"not utf-8 \xff\xfe", "back\\012slash",
                     r"bidi \xe2\x80\xaefdp.exe", "漢字"):
            lib.true(name in ours("-X", animals.pid).out, f"{name} is missing")


def short_names(text):
    """pmap -X keeps 127 bytes of a name: the longest memfd's is longer."""
    return re.sub("x{100,}.*", "xxx", question_marks(text))


@lib.test
def hostile_processes():
    for animal in ("comm", "cmdline"):
        with zoo(animal) as animals:
            for pid in {fact["pid"] for fact in animals.lines if "pid" in fact}:
                # behind the first byte that is no UTF-8, pmap writes a . for some of them
                compare(["-q", pid], fold=lambda text: question_marks(text).replace(".", "?"))


def check_whole_names(args, pid):
    """What -p shows is the kernel's name, however long."""
    names = [line[73:] if len(line) > 73 else "" for line in maps_of(pid)]
    rows = [row for row in ours(*args, "-q", pid).out.split("\n")[1:] if row]
    lib.equal("rows", len(rows), len(names))
    for row, name in zip(rows, names):
        lib.true(question_marks(row).endswith(" " + question_marks(name)),
                 f"{ascii(name)} in {ascii(row)}")


@lib.test
def lines_over_1_kib():
    """pmap lists such a mapping several times, and adds it up as often."""
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as directory:
        path = directory
        for _ in range(8):
            path = os.path.join(path, "d" * 250)
        os.makedirs(path)
        shutil.copy("/bin/cat", os.path.join(path, "long name"))
        with started(os.path.join(path, "long name")) as process:
            time.sleep(0.1)
            lines = maps_of(process.pid)
            lib.true(max(map(len, lines)) > 2000, "no long line")
            sizes = [end - start for start, end in map(edges, lines)]
            rows = ours("-q", process.pid).out.rstrip("\n").split("\n")[1:]
            lib.equal("rows", [row[:23] for row in rows],
                      [f"{edges(line)[0]:016x} {size >> 10:6}"
                       for line, size in zip(lines, sizes)])
            lib.true(sum(row.endswith(" long name") for row in rows) >= 4, "the long name")
            lib.equal("total", ours(process.pid).out.split("\n")[-2],
                      f" total {sum(sizes) >> 10:16}K")
            check_whole_names(["-X", "-p"], process.pid)


@lib.test
def paths_over_4_kib():
    with zoo("deep") as animals:
        name = max(maps_of(animals.pid), key=len)[73:]
        lib.true(len(name) > 5000, "no deep path")
        base = name.rsplit("/", 1)[1]
        for args in ([], ["-x"], ["-d"], ["-X"]):
            lib.true(f" {base}\n" in ours(*args, animals.pid).out, f"{args}: no {base}")
        whole = [row for row in ours("-p", animals.pid).out.split("\n") if len(row) > 1000]
        lib.equal("rows with a long path", len(whole), 1)
        lib.true(whole[0].endswith(name[-len(base) - 1:]) and name[:4000] in whole[0], whole[0])
        lib.true("[.." in whole[0], "nothing tells that the path is cut")


@lib.test
def ranges():
    with zoo("touched", "file-clean") as animals:
        spans = [edges(line) for line in maps_of(animals.pid)]
        low, high = spans[3], spans[-4]
        for span in (f"{low[0]:x}", f"{low[1]:x}", f"0x{low[1] - 1:X}", f"{low[0]:x},{high[0]:x}",
                     f"{low[1]:x},{high[0] - 1:x}", f"{low[0]:x},", f",{high[0]:x}", ",", "",
                     "1,2", "0", "ffffffffffffffff", f"{high[0]:x},{low[0]:x}"):
            for args in ([], ["-q"], ["-d"], ["-p"], ["-x", "-q"]):
                compare([*args, "-A", span, animals.pid])
        span = f"{low[0]:x},{high[0]:x}"
        check_range_extended(animals.pid, span)
        check_range_fields(animals.pid, span, low[0], high[0])


def check_range_extended(pid, span):
    """pmap's footer counts RSS and Dirty of mappings below the range too."""
    lines = ours("-x", "-A", span, pid).out.rstrip("\n").split("\n")
    rows = [list(map(int, line.split()[1:4])) for line in lines[2:-2]]
    lib.equal("total", lines[-1], "total kB         " + " ".join(
        f"{sum(column):7}" for column in zip(*rows)))


def check_range_fields(pid, span, low, high):
    """pmap 4.0.2 shows everything, with the same columns."""
    lines = ours("-X", pid).out.rstrip("\n").split("\n")
    want = [line for line in lines[2:-2] if low <= int(line.split()[0], 16) <= high]
    got = ours("-X", "-A", span, pid).out.rstrip("\n").split("\n")
    lib.equal("words of the rows", [line.split() for line in got[2:-2]],
              [line.split() for line in want])
    sizes = sum(int(line.split()[5]) for line in want)
    lib.equal("total of Size", int(got[-1].split()[0]), sizes)


@lib.test
def several_processes():
    with cats(2) as pids, zoo("touched") as animals:
        everyone = [pids[0], animals.pid, 2, f"/proc/{pids[1]}", pids[0], f"0x{pids[1]:x}",
                    f"0{pids[1]:o}", "/proc/self", "/proc/meminfo"]
        for args in ([], ["-x"], ["-d"], ["-q"], ["-x", "-q"], ["-d", "-q"]):
            compare([*args, *everyone])
        for args in (["-X"], ["-XX"], ["-X", "-q"], ["-XX", "-q"]):
            compare([*args, animals.pid, animals.pid, "/proc/self"], own_totals)


def own_totals(text):
    """pmap 4.0.2 goes on counting from the process before: the second total is twice the first."""
    lines = right_footer(text).split("\n")
    totals = [number for number, line in enumerate(lines) if line.endswith("KB ")]
    if len(totals) == 2:
        line = lines[totals[1]]
        for word in re.finditer(r"\d+", line):
            half = str(int(word[0]) // 2).rjust(len(word[0]))
            line = line[:word.start()] + half + line[word.end():]
        lines[totals[1]] = line
    return "\n".join(lines)


@lib.test
def kernel_threads_have_no_fields():
    with cats(1) as (pid,):
        for args in FORMATS:
            compare([*args, 2])
        lines = ours("-X", pid, 2).out.rstrip("\n").split("\n")
        lib.equal("last lines", (lines[-2][-3:], lines[-1]), ("KB ", "2:   [kthreadd]"))


@lib.test
def zombies_and_threads():
    with zoo("zombie") as animals:
        for pid in {fact["pid"] for fact in animals.lines if "pid" in fact}:
            for args in FORMATS:
                compare([*args, pid], expected(args))
    with zoo("threads") as animals:
        pid = animals.truth["threads"]["pid"]
        for tid in os.listdir(f"/proc/{pid}/task"):
            compare(["-d", tid])
            lib.equal("thread", ours("-x", tid).out, ours("-x", pid).out)


@lib.test
def a_dead_leader_has_memory():
    with zoo("zombie-leader") as animals:
        pid = animals.truth["zombie-leader"]["pid"]
        tid = max(map(int, os.listdir(f"/proc/{pid}/task")))
        lib.equal("pmap's rows", pmap("-q", pid).out.count("\n"), 1)
        for args in ([], ["-x"], ["-X"]):
            lib.equal("rows", ours(*args, "-q", pid).out.count("\n"),
                      1 + len(maps_of(f"{pid}/task/{tid}")))


@lib.test
def a_process_that_dies_meanwhile():
    """pmap's table ends early and it says nothing; the reader is held up by its output here."""
    with zoo("many") as animals:
        pid = animals.truth["many"]["pid"]
        mappings = len(maps_of(pid))
        # unbuffered: communicate() does not see what a buffer has read ahead
        reader = subprocess.Popen([OURS, "-x", str(pid)], stdin=subprocess.DEVNULL, bufsize=0,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        head = reader.stdout.read(1000)
        os.kill(pid, signal.SIGKILL)
        tail, err = reader.communicate(timeout=60)
        rows = (head + tail).count(b"\n") - 4
        lib.true(4096 <= rows < mappings, f"{rows} of {mappings} rows")
        lib.equal("status", reader.returncode, 1)
        lib.true(f"{pid}: its memory went away" in err.decode(), err.decode())


@lib.test
def a_process_that_dies_between_its_files():
    """Its maps is empty then, as that of a kernel thread: no reason to show a total of 0."""
    need_strace()
    for args in (["-q"], ["-p"], ["-x"], ["-X"], ["map"], ["map", "--json"]):
        with started("/bin/cat") as process:
            file = "maps" if args in (["-q"], ["-p"]) else "smaps"
            slow = ["strace", "-f", "-o", "/dev/null", "-P", f"/proc/{process.pid}/{file}", "-e",
                    "inject=read:delay_enter=1500000:when=1"]
            tracer = subprocess.Popen([*slow, lib.VMVIEW, *args, str(process.pid)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
            time.sleep(0.8)
            process.kill()
            out, err = tracer.communicate(timeout=60)
            lib.equal(f"{args}: status", tracer.returncode, 1)
            lib.true(f"{process.pid}: the process ended" in err.decode(), f"{args}: {err}")
            lib.true(b"total" not in out or b"missing" in out, f"{args}: {out}")


def need_strace():
    if not shutil.which("strace"):
        raise lib.Skipped("no strace")


@lib.test
def more_pids_than_pmap_takes():
    with cats(1) as (pid,):
        one = ours(pid)
        many = ours(*[pid] * MANY)
        lib.equal("status", many.status, 0)
        lib.equal("output", many.out, one.out * MANY)


@lib.test
def pids_that_are_not():
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    with zoo("touched") as animals:
        pid = animals.pid
        for args in FORMATS:
            for who in ([gone.pid], [gone.pid, pid], [pid, gone.pid, gone.pid], [2147483647]):
                done = compare([*args, *who], expected(args))
                lib.equal("status", done.status, 42)
                lib.true(str(who[0] if who[0] != pid else gone.pid) in done.err,
                         f"the PID is not named: {done.err!r}")


WRONG = (["-x"], ["0"], ["abc"], ["12x"], ["1 "], ["/proc/1/"], ["/proc/1/maps"], ["4294967296"],
         ["2147483648"], ["-1"], ["-Z", "1"], ["--nothing", "1"], ["-A"], ["-A", "zz", "1"],
         ["-A", "1,zz", "1"], ["-A", "1,2,3", "1"], ["-C"], ["-x", "-d", "1"], ["-X", "-x", "1"],
         ["-c", "-X", "1"], ["-C", "/dev/null", "-d", "1"], ["-n", "-q"], ["-n", "-p"],
         ["-n", "-N", "/nonexistent/x"], ["-n", "1"], ["-N", "/nonexistent/x", "1"],
         ["-N", "/nonexistent/x"], ["-C", "/nonexistent/x", "1"], ["/proc/self"], [])


@lib.test
def wrong_usage():
    need_pmap()
    for args in WRONG:
        want, got = pmap(*args), ours(*args)
        lib.equal(f"{args}: status", (got.status, got.out), (want.status, want.out))
        lib.equal(f"{args}: pmap's status", want.status, 1)
        lib.true(got.err.startswith("vmview: "), f"{args}: says {got.err!r}")
    for args in (["-x", "--json", "1"], ["-q", "-o", "rss", "1"], ["-p", "--sort=rss", "1"],
                 ["-d", "--csv", "1"], ["-A", "1", "--filter=rss>1", "1"],
                 ["-x", "--total", "1"], ["-x", "--from=pages", "1"], ["-x", "--check", "1"],
                 ["-x", "--core", "/bin/true"]):
        done = lib.vmview(*args, status=1)
        lib.equal(f"{args}: output", done.out, "")
        lib.true("does not go with pmap's options" in done.err, f"{args}: {done.err}")
    for option in "-A", "-C", "-N":
        done = lib.vmview("map", option, status=1)
        lib.true("needs an argument" in done.err, done.err)


@lib.test
def help_and_version_are_vmviews():
    version = lib.vmview("--version").out.split("\n")[0]
    for args in (["-V"], ["--version"], ["-x", "-V"], ["-q", "--version", "1"]):
        lib.equal(f"{args}", (ours(*args).status, ours(*args).out), (0, version + "\n"))
    for args in (["-h"], ["--help"], ["-x", "-h"]):
        done = ours(*args)
        lib.equal(f"{args}: status", done.status, 0)
        lib.true("vmview" in done.out and "--extended" in done.out, f"{args}: {done.out!r}")
    with cats(1) as (pid,):
        done = ours("-r", pid)
        lib.equal("-r", done.out, ours(pid).out)
        lib.true("-r" in done.err, "nothing said about -r")


@lib.test
def kernel_names():
    """-k, which 4.0.2 does not have: the name of maps wherever that is no path."""
    with zoo("heap", "sysv") as animals:
        pid = animals.truth["heap"]["pid"]
        names = [line[73:] for line in maps_of(pid)]
        lib.true({"[heap]", "[stack]", "[vdso]"} <= set(names), "what the zoo has")
        for args in ([], ["-x"], ["-d"]):
            plain = ours(*args, "-q", pid).out.rstrip("\n").split("\n")[1:]
            named = ours(*args, "-q", "-k", pid).out.rstrip("\n").split("\n")[1:]
            for before, after, name in zip(plain, named, names):
                if name.startswith("["):
                    for label in ("  [ anon ]", "  [ stack ]"):
                        before = before.replace(label, name)
                lib.equal("row", after, before)
        lib.equal("--use-kernel-name", ours("--use-kernel-name", pid).out, ours("-k", pid).out)


RC_FILES = (
    "", "[Fields Display]\n", "[Fields Display]\nRss\n", "Rss\n",
    "[Fields Display]\nRss\nPerm\nMapping\n",
    "# c\n[Fields Display]\n  Mapping # x\n\tVmFlags\nDevice#\nInode\nOffset\nPss_Dirty\nNone\n",
    "[Fields Display]\nMapping\n[Mapping]\nShowPath\n",
    "[Fields Display] Size\nKSM x\n[Other]\nRss\n[Broken\nSwap\n[Mapping]\nShowPath\nShowPath\n",
    "[Fields Display]\r\nRss\r\n", "[Fields Display]\n" + "x" * 2000 + "\nRss\nMapping",
)


@lib.test
def rc_files():
    with zoo("touched", "file-clean") as animals:
        for text in RC_FILES:
            path = os.path.join(OWN, "rc")
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            for more in ([], ["-q"], ["-p"]):
                done = compare(["-C", path, *more, animals.pid], right_footer)
                want = pmap("-C", path, *more, animals.pid).err.replace("pmap: ", "")
                lib.equal(f"complaints about {text!r}", done.err.replace("vmview: ", ""), want)
        compare([f"--read-rc-from={path}", animals.pid], right_footer)
        home = os.path.join(OWN, "home")
        os.mkdir(home)
        os.rename(path, os.path.join(home, ".pmaprc"))
        compare(["-c", animals.pid], right_footer, env={"HOME": home})
        compare(["--read-rc", animals.pid], right_footer, env={"HOME": home})
        os.unlink(os.path.join(home, ".pmaprc"))
        lib.equal("no file", ours("-c", animals.pid, env={"HOME": home}).status, 1)


@lib.test
def rc_files_are_made():
    need_pmap()
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as home:
        theirs, mine = os.path.join(home, "theirs"), os.path.join(home, "mine")
        lib.equal("status", (pmap("-N", theirs).status, ours("-N", mine).status), (0, 0))
        with open(theirs, "rb") as one, open(mine, "rb") as other:
            lib.equal("-N", other.read(), one.read())
        lib.equal("-n", ours("-n", env={"HOME": home}).status, 0)
        with open(theirs, "rb") as one, open(os.path.join(home, ".pmaprc"), "rb") as other:
            lib.equal("-n", other.read(), one.read())
        for args in (["-n"], ["-N", mine], ["--create-rc"], [f"--create-rc-to={mine}"]):
            lib.equal(f"{args} again", ours(*args, env={"HOME": home}).status, 1)
        os.symlink(os.path.join(home, "through"), os.path.join(home, "link"))
        lib.equal("link", ours("-N", os.path.join(home, "link")).status, 1)
        lib.true(not os.path.exists(os.path.join(home, "through")), "a link was followed")


@lib.test
def rc_files_of_others():
    lib.need_root()
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as home:
        path = os.path.join(home, ".pmaprc")
        with cats(1) as (pid,):
            os.mkfifo(path)
            lib.equal("fifo", ours("-c", pid, env={"HOME": home}).status, 1)
            os.unlink(path)
            with open(path, "w", encoding="ascii") as file:
                file.write("[Fields Display]\nRss\n")
            lib.equal("own", ours("-c", pid, env={"HOME": home}).status, 0)
            os.chown(path, NOBODY, NOBODY)
            done = ours("-c", pid, env={"HOME": home})
            lib.equal("foreign", (done.status, done.out), (1, ""))
            lib.true("another user" in done.err, done.err)


@lib.test
def without_rights():
    """The same output as pmap's, which is silent; and the reason."""
    lib.need_root()
    global OURS
    with cats(1) as (pid,), lib.reachable(os.path.realpath(lib.VMVIEW)) as copy:
        keep, OURS = OURS, os.path.join(os.path.dirname(copy), "pmap")
        os.symlink(copy, OURS)
        try:
            for args in FORMATS:
                done = compare([*args, pid], user=NOBODY)
                lib.equal(f"{args}: status", done.status, 1)
                lib.true(str(pid) in done.err and "denied" in done.err.lower(), done.err)
                lib.equal("lines", done.out.count("\n"), 1)
                lib.equal("with a PID that is not",
                          compare([*args, pid, 2147483647], user=NOBODY).status, 43)
        finally:
            OURS = keep


@lib.test
def leaves_nothing_behind():
    """pmap makes a SysV segment in every run; vmview none."""
    need_strace()
    with zoo("sysv") as animals:
        trace = subprocess.run(["strace", "-f", "-e", "trace=shmget,shmat,shmctl", OURS,
                                str(animals.pid)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lib.true(b"shmid=0x" in trace.stdout, "the segment is not shown")
        lib.true(b"shm" not in trace.stderr, trace.stderr.decode())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as OWN:
        OURS = os.path.join(OWN, "pmap")
        os.symlink(os.path.realpath(lib.VMVIEW), OURS)
        if sys.argv[1:2] == ["animals"]:
            sys.exit(look_at_all(sys.argv[2:]))
        lib.done()
