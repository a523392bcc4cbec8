# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes whose memory map is locked for good, on a file system that has stopped.

    with stuck.frozen(count=3) as den:
        den.stop()
        den.vmview("map", den.pids[0])

A keeper, a process of its own, makes the mount in a mount namespace of its own, starts the targets
(tests/zoo/held.c) and ends all of it: when its standard input ends, however the test ended, and at
the latest after LIMIT seconds. So nothing stays frozen.
"""
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hangfs  # noqa: E402
import lib  # noqa: E402

# a thread that was left behind in the kernel cannot be stopped to look for leaks
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"

NOBODY = 65534
LIMIT = 400
PAGES = 16              # of each file
PAGE = os.sysconf("SC_PAGESIZE")
PROGRAM = os.path.join(lib.BUILD, "tests/zoo/held")
FIFREEZE, FITHAW = 0xc0045877, 0xc0045878
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_PRIVATE, MNT_DETACH = 16384, 1 << 18, 2
LIBC = ctypes.CDLL(None, use_errno=True)


def check(rc, what):
    if rc:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags, data=b""):
    check(LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data),
          f"mount {target}")


# ---- the keeper: stuck.py keeper PLAN

class Frozen:
    """ext4 on a loop device: what writes to it waits while it is frozen."""

    def __init__(self, directory, count):
        image, self.point = os.path.join(directory, "image"), os.path.join(directory, "mount")
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, self.point], check=True)
        self.root = os.open(self.point, os.O_RDONLY)
        self.files = []
        for number in range(count):
            self.files.append(os.path.join(self.point, f"file{number}"))
            with open(self.files[-1], "wb") as file:
                file.write(b"ice\n" * (PAGES * PAGE // 4))
                file.flush()
                os.fsync(file.fileno())

    def stop(self):
        fcntl.ioctl(self.root, FIFREEZE, 0)

    def go_on(self):
        with contextlib.suppress(OSError):      # it is not frozen
            fcntl.ioctl(self.root, FITHAW, 0)

    def silence(self):
        pass

    def close(self):
        os.close(self.root)
        LIBC.umount2(self.point.encode(), MNT_DETACH)


class Fuse:
    """One file whose server stops to answer. Before, reading its last page fails once, so that who
    reads it again waits with the lock of its memory map."""

    def __init__(self, directory, _):
        self.point = os.path.join(directory, "mount")
        self.fs = hangfs.HangFs(self.point, b"mist" * (PAGES * PAGE // 4),
                                device=os.path.join(directory, "fuse"))
        self.files = [os.path.join(self.point, "file")]

    def stop(self):
        self.fs.read_fails_once()

    def silence(self):
        """No more answer to anything."""
        self.fs.hang()

    def go_on(self):
        self.fs.stop()

    def close(self):
        pass


def namespaces(alone):
    """Of mounts; and one of users where whoever we are may mount FUSE."""
    uid, gid = os.geteuid(), os.getegid()
    check(LIBC.unshare(CLONE_NEWNS | (CLONE_NEWUSER if alone else 0)), "unshare")
    if alone:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"),
                           ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def start_target(mode, path):
    process = subprocess.Popen([PROGRAM, mode, path], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    line = process.stdout.readline()
    if not line:
        raise OSError(errno.EIO, f"a target ended with status {process.wait()}")
    return process, json.loads(line)


def keep(plan, kind, targets):
    """Until the input ends."""
    for path in kind.files:
        targets.append(start_target(plan["mode"], path))
    print(json.dumps({"mount": kind.point, "files": kind.files,
                      "targets": [fact for _, fact in targets]}), flush=True)
    for line in sys.stdin:
        if line != "stop\n":
            continue
        kind.stop()
        for process, _ in targets:
            process.stdin.write(b"\n")
            process.stdin.flush()
        told = [process.stdout.readline() for process, _ in targets]
        kind.silence()
        print(json.dumps({"stopped": all(told)}), flush=True)


def keeper(plan):
    signal.signal(signal.SIGALRM, lambda *ignored: sys.exit(1))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.alarm(LIMIT)
    targets, kind = [], None
    try:
        namespaces(plan["alone"])
        kind = {"frozen": Frozen, "fuse": Fuse}[plan["kind"]](plan["directory"], plan["count"])
        keep(plan, kind, targets)
    except OSError as err:
        print(json.dumps({"skip": str(err)}), flush=True)
    finally:
        signal.alarm(0)
        for process, _ in targets:
            process.kill()
        if kind:
            kind.go_on()
        for process, _ in targets:
            process.wait()
        if kind:
            kind.close()


# ---- for the tests

class Den:
    """Targets and what they sit on. facts: of each target; pids; point: the mount, as they see
    it."""

    def __init__(self, process, facts):
        self.process, self.pid = process, process.pid
        self.point, self.files, self.facts = facts["mount"], facts["files"], facts["targets"]
        self.pids = [fact["pid"] for fact in self.facts]

    def stop(self):
        """From now on the targets do not answer."""
        self.process.stdin.write(b"stop\n")
        self.process.stdin.flush()
        lib.equal("stopped", json.loads(self.process.stdout.readline()), {"stopped": True})

    def inside(self):
        """The words before a command that shall see the same mounts."""
        return ["nsenter", "-m", "-t", str(self.pid), "--"]


@contextlib.contextmanager
def keeping(kind, mode, count, user=None):
    lib.need_root()
    if not os.path.exists(PROGRAM):
        raise lib.Skipped("tests/zoo/held is not built")
    directory = tempfile.mkdtemp(prefix="vmview-held.")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        os.mkdir(os.path.join(directory, "mount"))
        os.chmod(directory, 0o755)
        if kind == "fuse":
            device = os.path.join(directory, "fuse")
            os.mknod(device, 0o20666, os.makedev(10, 229))
            os.chmod(device, 0o666)
        plan = {"kind": kind, "mode": mode, "count": count, "directory": directory,
                "alone": user is not None}
        wrap = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        process = subprocess.Popen([*wrap, sys.executable, "-BSE", os.path.abspath(__file__),
                                    "keeper", json.dumps(plan)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, start_new_session=True)
        stack.callback(end, process)
        line = process.stdout.readline()
        facts = json.loads(line) if line else {"skip": "the keeper ended"}
        if "skip" in facts:
            raise lib.Skipped(f"{kind}: {facts['skip']}")
        yield Den(process, facts)


def end(process):
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(30)
        return
    process.kill()
    process.wait()


def frozen(count=1):
    """Stuck for writing: a thread unmaps part of a mapping of a frozen ext4."""
    for tool in "mkfs.ext4", "mount":
        if not shutil.which(tool):
            raise lib.Skipped(f"{tool} is missing")
    return keeping("frozen", "write", count)


def attack(user=None):
    """Stuck for reading, on FUSE: what any user can do to a process of his own."""
    need_fuse()
    return keeping("fuse", "read", 1, user)


def silent():
    """Not stuck at all; but the server of the file that is mapped does not answer any more."""
    need_fuse()
    return keeping("fuse", "map", 1)


def need_fuse():
    with open("/proc/filesystems", encoding="ascii") as file:
        if "\tfuse\n" not in file.read():
            raise lib.Skipped("no FUSE in this kernel")


if __name__ == "__main__":
    keeper(json.loads(sys.argv[2]))
