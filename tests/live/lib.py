# SPDX-License-Identifier: GPL-2.0-or-later
"""What the live tests written in Python share.

    import lib
    with lib.zoo("touched") as zoo:
        ...
        lib.equal("rss", got, zoo.truth["touched"]["rss"])
    lib.done()

tests/run sets VMVIEW, ZOO, SRCDIR, BUILDDIR; by hand the build in build/ is used. A script that
calls test() speaks TAP, each test counting; others pass with status 0 and skip with 77.
"""
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True      # the sources may be read-only

SRC = os.environ.get("SRCDIR",
                     os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("BUILDDIR", os.path.join(SRC, "build"))
VMVIEW = os.environ.get("VMVIEW", os.path.join(BUILD, "vmview"))
ZOO = os.environ.get("ZOO", os.path.join(BUILD, "tests/zoo/zoo"))
READY_SECONDS = 60

sys.path.append(os.path.join(SRC, "tests"))
import document as documents    # noqa: E402

# tests/run ends a test with SIGTERM: then too what `with` opened is closed.
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))


class Failed(Exception):
    """A test found something wrong."""


class Skipped(Exception):
    """This machine cannot do the test; says why."""


class Done:
    """What a run of vmview gave."""

    def __init__(self, process):
        self.status = process.returncode
        self.raw, self.raw_err = process.stdout, process.stderr
        self.out = process.stdout.decode("utf-8", "surrogateescape")
        self.err = process.stderr.decode("utf-8", "surrogateescape")


def vmview(*args, status=0, user=None, env=None, timeout=120):
    """Run vmview with the arguments; fail unless it ends with the status (None: any)."""
    program, wrap = VMVIEW, []
    with contextlib.ExitStack() as stack:
        if user is not None:
            need_root()
            program = stack.enter_context(reachable(VMVIEW))
            wrap = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
                    "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
        done = Done(subprocess.run(wrap + [program] + [str(arg) for arg in args],
                                   env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   timeout=timeout))
    if status is not None and done.status != status:
        raise Failed(f"vmview {' '.join(map(str, args))}: status {done.status}, expected {status}\n"
                     f"{done.err}")
    return done


@contextlib.contextmanager
def reachable(program):
    """A copy of the program that everybody can run, wherever the build is."""
    with tempfile.TemporaryDirectory(prefix="vmview-test.") as directory:
        os.chmod(directory, 0o755)
        copy = os.path.join(directory, os.path.basename(program))
        with open(program, "rb") as source, open(copy, "wb") as target:
            target.write(source.read())
        os.chmod(copy, 0o755)
        yield copy


def vmview_json(*args, **options):
    """The document of `vmview ... --json`, checked by the schema."""
    done = vmview(*args, "--json", **options)
    try:
        document = documents.load(done.raw.decode("utf-8"))
    except ValueError as err:
        raise Failed(f"vmview {' '.join(map(str, args))} --json: {err}\n{done.err}") from err
    validate(document)
    return document


@functools.lru_cache(maxsize=None)
def validator():
    """Of the schema, which is read and checked once."""
    try:
        import jsonschema
    except ImportError as err:
        raise Skipped("python3-jsonschema is missing") from err
    schema = json.loads(vmview("--json-schema").out)
    of_its_draft = jsonschema.validators.validator_for(schema)
    of_its_draft.check_schema(schema)
    return of_its_draft(schema)


def validate(document):
    wrong = next(validator().iter_errors(document), None)
    if wrong:
        raise Failed(f"not valid by the schema: {str(wrong)[:2000]}")
    without = documents.unexplained(document)
    if without:
        raise Failed(f"null without a reason in missing: {sorted(set(without))[:20]}")


class Zoo:
    """A running zoo: pid, and truth[animal] as it printed it (a list where it printed several)."""

    def __init__(self, process):
        self.process, self.pid = process, process.pid
        self.truth, self.lines = {}, []

    def wait_ready(self):
        signal.alarm(READY_SECONDS)     # ends the test where the zoo hangs
        for line in self.process.stdout:
            fact = json.loads(line)
            self.lines.append(fact)
            if fact.get("ready"):
                signal.alarm(0)
                return
            if "skip" in fact:
                raise Skipped(f"{fact.get('animal')}: {fact['skip']}")
            self.note(fact)
        signal.alarm(0)
        raise Failed(f"the zoo ended with status {self.process.wait()} before it was ready")

    def note(self, fact):
        name = fact.get("animal")
        if name is None:
            self.pid = fact.get("pid", self.pid)
        elif name not in self.truth:
            self.truth[name] = fact
        elif isinstance(self.truth[name], list):
            self.truth[name].append(fact)
        else:
            self.truth[name] = [self.truth[name], fact]


@contextlib.contextmanager
def zoo(*animals, program=ZOO):
    """Start the zoo with these animals; they end with the block."""
    process = subprocess.Popen([program, *animals], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        started = Zoo(process)
        started.wait_ready()
        yield started
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def need_mounts():
    """For a mount namespace: there is none in a chroot, nor in some containers."""
    need_root()
    done = subprocess.run(["unshare", "-m", "mount", "--make-rprivate", "/"], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Skipped(f"no mount namespace can be made: {done.stdout.strip()[:120]}")


def need_root():
    if os.geteuid() != 0:
        raise Skipped("needs root")


def equal(what, got, want):
    if got != want:
        raise Failed(f"{what} is {got!r}, expected {want!r}")


def true(condition, what):
    if not condition:
        raise Failed(what)


def settled(check, tries=3):
    """Run the check until it passes, at most so often. For figures that move while others map the
    same files: libraries, whose pages are shared with whatever runs just now."""
    for _ in range(tries - 1):
        try:
            return check()
        except Failed as err:
            print(f"# once more: {err}")
    return check()


KNOBS = os.path.join(SRC, "tests/live/knobs.sh")
# What the machine has to be set to for an animal: an argument of knobs.sh ("uprobe N": at the Nth
# offset that the zoo tells).
SETTINGS = {
    "hugetlb": "hugetlb=3", "hugetlb-shared": "hugetlb=2", "hugetlb-cow": "hugetlb=4",
    "swap": "zram=64M", "swap-thp": "zram=64M", "swap-fork": "zram=64M", "swap-shm": "zram=64M",
    "ksm": "ksm", "ksm-zero": "ksm_zero", "mthp": "mthp=64", "shmem-thp": "shmem_thp=advise",
    "uprobes": "uprobe 0", "uprobes-nop": "uprobe 1", "block-device": "zram=64M",
}
# Those whose truth tells of each page.
PAGED = (
    "touched untouched comb zero zero-mixed reserved reserved-touched readonly noreserve "
    "growsdown heap stack lazyfree guard mlock onfault droppable mseal thp thp-odd thp-partial "
    "thp-pte thp-moved huge-zero collapse mthp shmem-thp file-thp hugetlb hugetlb-noreserve "
    "hugetlb-shared hugetlb-cow swap swap-thp swap-fork swap-shm file-clean file-untouched "
    "file-dirty file-synced file-cow file-twice memfd memfd-cold memfd-twice memfd-private "
    "tmpfs-file anon-shared dev-zero-private sysv secretmem ksm uffd cow family threads "
    "zombie-leader many").split()


def with_setting(setting, argument):
    """Run this script again with the argument, which it gives to alone(), on a machine set so."""
    need_root()
    done = subprocess.run(["bash", KNOBS, setting, "--", sys.executable, sys.argv[0], argument],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=280)
    said = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode == 77:
        raise Skipped(said.replace("\n", "; ")[-200:])
    true(done.returncode == 0, said)


def alone(check, *args):
    """A check in a process of its own; ends as with_setting() wants it."""
    try:
        check(*args)
    except Skipped as why:
        print(why)
        sys.exit(77)
    except Failed as err:
        print(err)
        sys.exit(1)


def animal_test(title, name, check):
    """A test, called title, of check(name) with the setting that the animal needs."""
    def run():
        if name in SETTINGS:
            with_setting(SETTINGS[name], name)
        else:
            check(name)

    run.__name__ = title
    test(run)


def setting_test(name, setting):
    """A test that runs this script again with its own name as argument, on a machine set so."""
    def run():
        with_setting(setting, name)

    run.__name__ = name
    test(run)


TESTS = []


def test(function):
    """Decorator: run it in done(); its name is the test's name."""
    TESTS.append(function)
    return function


def done():
    """Run the tests that test() marked, one TAP result each."""
    failed = 0
    for number, function in enumerate(TESTS, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}")
        except Skipped as why:
            print(f"ok {number} - {name} # SKIP {why}")
        except (Failed, subprocess.TimeoutExpired, LookupError, TypeError, ValueError) as err:
            failed += 1
            print(f"not ok {number} - {name}")
            for line in f"{type(err).__name__}: {err}".splitlines():
                print(f"# {line}")
        sys.stdout.flush()
    print(f"1..{len(TESTS)}")
    sys.exit(1 if failed else 0)


def done_with_knobs(cases):
    """Tests that need the machine set up: {knob of knobs.sh: functions}. The script starts itself
    again for each under knobs.sh, which holds the machine's lock and puts everything back."""
    sys.dont_write_bytecode = True
    if len(sys.argv) > 1:
        alone({function.__name__: function for functions in cases.values()
               for function in functions}[sys.argv[1]])
        return
    for knob, functions in cases.items():
        for function in functions:
            setting_test(function.__name__, knob)
    done()
