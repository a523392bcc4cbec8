#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How mapped files are looked at: without a child where nothing can make the look wait, by a child
elsewhere, and always told the same. A den is a process in a mount namespace of its own that maps
files, and may have a FUSE file system whose server stops to answer."""
import contextlib
import ctypes
import errno
import json
import mmap
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402

NOBODY = 65534
PAGE = mmap.PAGESIZE
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18
LIBC = ctypes.CDLL(None, use_errno=True)


def check(rc, what):
    if rc:
        raise OSError(ctypes.get_errno(), what)


# ---- a den: look.py den JSON

def mount(source, target, kind, flags, data=b""):
    check(LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data),
          f"mount {target}")


def answer(opcode, nodeid):
    """A file of one page is all that is there; None: no answer at all."""
    mode, ino = (0o40755, 1) if nodeid == 1 and opcode != 1 else (0o100755, 2)
    attr = struct.pack("<6Q10I", ino, PAGE, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, PAGE, 0)
    return {
        26: struct.pack("<IIIIHHIIHHIIH22x", 7, 31, 0, 0, 8, 8, PAGE, 1, 0, 0, 0, 0, 0),
        1: struct.pack("<4Q2I", 2, 0, 0, 0, 0, 0) + attr,   # LOOKUP
        3: struct.pack("<Q2I", 0, 0, 0) + attr,             # GETATTR
        14: struct.pack("<QIi", 1, 0, 0),                   # OPEN
        15: b"\0" * PAGE,                                   # READ
        2: None, 36: None, 42: None,                        # FORGET, INTERRUPT, BATCH_FORGET
    }.get(opcode, -errno.ENOSYS)


def serve_fuse(fuse, hangs):
    """Answers until hangs can be read from; then takes requests and is silent."""
    os.set_blocking(hangs, False)
    while True:
        request = os.read(fuse, 1 << 18)
        _, opcode, unique, nodeid = struct.unpack_from("<IIQQ", request)
        with contextlib.suppress(BlockingIOError):
            while not os.read(hangs, 1):
                time.sleep(3600)
            time.sleep(3600)
        reply = answer(opcode, nodeid)
        if isinstance(reply, int):
            os.write(fuse, struct.pack("<IiQ", 16, reply, unique))
        elif reply is not None:
            os.write(fuse, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)


def mount_fuse(point):
    """The server; and a file that makes it silent once it is written to."""
    fuse = os.open("/dev/fuse", os.O_RDWR)
    hangs, hang = os.pipe()
    # first: reading from what is not mounted yet is refused
    mount("vmview-test", point, "fuse", 0,
          f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode())
    server = os.fork()
    if server == 0:
        os.close(hang)
        LIBC.prctl(1, 9)    # PR_SET_PDEATHSIG, SIGKILL
        serve_fuse(fuse, hangs)
    os.close(hangs)
    os.close(fuse)      # the connection ends with the server
    return hang


def map_file(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), PAGE, mmap.MAP_PRIVATE, mmap.PROT_READ)


def den(plan):
    """Map the files, mount over them, wait."""
    if plan.get("mounts"):
        check(LIBC.unshare(CLONE_NEWNS), "unshare")
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    hang, maps = None, []
    if "fuse" in plan:
        hang = mount_fuse(plan["fuse"])
    for path in plan.get("map", ()):
        maps.append(map_file(path))
    for source, target in plan.get("bind", ()):
        mount(source, target, "", MS_BIND)
    if plan.get("fuse_over"):
        hang = mount_fuse(plan["fuse_over"])
    if hang is not None:
        os.write(hang, b"h")
    print("ready", flush=True)
    sys.stdin.read()


def as_user(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all"]


@contextlib.contextmanager
def running(user=None, **plan):
    wrap = as_user(user) if user else []
    process = subprocess.Popen([*wrap, sys.executable, "-BSE", os.path.abspath(__file__), "den",
                                json.dumps(plan)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        lib.equal("the den", process.stdout.readline(), b"ready\n")
        yield process
    finally:
        process.kill()
        process.communicate()


# ---- what is told, and by how many processes

def told(pid, user=None, inside=False):
    """({path: mapping}, the process, children made): of vmview in the den's namespace or ours."""
    if not shutil.which("strace"):
        raise lib.Skipped("strace is missing")
    wrap = as_user(user) if user else []
    if inside:
        wrap = ["nsenter", "-m", "-t", str(pid), "--"] + wrap
    # what looks for leaks is a debugger itself: there is room for one
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
    with lib.reachable(lib.VMVIEW) as program:
        done = subprocess.run(wrap + ["strace", "-f", "-qq", "-e", "signal=none",
                                      "-e", "trace=clone,clone3,fork,vfork", program, "--json",
                                      str(pid)], stdin=subprocess.DEVNULL, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    err = done.stderr.decode(errors="replace")
    if "ptrace" in err.lower():
        raise lib.Skipped(f"strace: {err.splitlines()[0]}")
    lib.true(done.stdout, err)
    document = json.loads(done.stdout)
    lib.validate(document)
    process = document["processes"][0]
    children = len(re.findall(r"^(?:\[pid +\d+\] )?(?:clone3?|v?fork)\(", err, re.MULTILINE))
    return {m["path"]: m for m in process["mappings"] if m["inode"]}, process, children


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def check_kinds(mappings):
    """Of files that their path still leads to."""
    for path, mapping in mappings.items():
        lib.equal(path, mapping["kind"], "elf" if is_elf(path) else "file")


def need_direct(*paths):
    """Files that can be looked at without a child: on ext4 or xfs, and linux is new enough."""
    release = tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))
    if release < (6, 8):
        raise lib.Skipped("statmount() is of Linux 6.8")
    for path in paths:
        kind = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", path],
                              stdout=subprocess.PIPE, check=False).stdout.decode().split()
        if not kind or kind[-1] not in ("ext2", "ext3", "ext4", "xfs"):
            raise lib.Skipped(f"{path} is on {kind}")


@contextlib.contextmanager
def workshop():
    """A directory with an ELF file and one that is none, both of two pages and more."""
    with tempfile.TemporaryDirectory(prefix="vmview-look.") as directory:
        os.chmod(directory, 0o755)
        elf, text = os.path.join(directory, "lib.so"), os.path.join(directory, "text")
        shutil.copy("/bin/sh", elf)
        with open(text, "wb") as file:
            file.write(b"text" * PAGE)
        for path in elf, text:
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.close(file)
        yield directory, elf, text


def evict(path):
    file = os.open(path, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def warm(*paths):
    for path in paths:
        with open(path, "rb") as file:
            file.read(PAGE)


@lib.test
def ordinary_process_needs_no_child():
    lib.need_root()
    with workshop() as (directory, elf, text), running(map=[elf, text]) as process:
        need_direct(directory, sys.executable)
        mappings, process, children = told(process.pid)
        check_kinds(mappings)
        lib.equal("kinds", (mappings[elf]["kind"], mappings[text]["kind"]), ("elf", "file"))
        lib.equal("children", children, 0)
        lib.equal("missing", process["missing"].get("kinds"), None)


def spares_atime(path):
    st = os.stat(path)
    return max(st.st_mtime_ns, st.st_ctime_ns) < st.st_atime_ns and \
        time.time() - st.st_atime < 86400 - 120


@lib.test
def ordinary_users_own_process():
    """Reading leaves no trace: where it would write a time of access, the child reads."""
    lib.need_root()
    with workshop() as (directory, elf, text):
        warm(elf, text)
        with running(map=[elf, text], user=NOBODY) as process:
            need_direct(directory, sys.executable)
            mappings, _, children = told(process.pid, user=NOBODY)
            check_kinds(mappings)
            if all(map(spares_atime, mappings)):
                lib.equal("children", children, 0)
            os.utime(text, (1, 1))
            warm_ = os.open(text, os.O_RDONLY | os.O_NOATIME)
            os.read(warm_, 1)
            os.close(warm_)
            mappings, _, children = told(process.pid, user=NOBODY)
            check_kinds(mappings)
            lib.equal("children", children, 1)


@lib.test
def evicted_file_is_read_by_the_child():
    lib.need_root()
    with workshop() as (directory, elf, text), running(map=[elf]) as process:
        need_direct(directory, sys.executable)
        evict(elf)
        mappings, _, children = told(process.pid)
        lib.equal("kind", mappings[elf]["kind"], "elf")
        lib.equal("children", children, 1)
        mappings, _, children = told(process.pid)
        lib.equal("kind, read", mappings[elf]["kind"], "elf")
        lib.equal("children, once it is read", children, 0)


@lib.test
def file_of_somebody_else():
    lib.need_root()
    with workshop() as (directory, elf, text):
        os.chown(elf, NOBODY, NOBODY)
        with running(map=[elf, text]) as process:
            need_direct(directory, sys.executable)
            warm(elf, text)
            mappings, _, children = told(process.pid)
            check_kinds(mappings)
            lib.equal("children", children, 1)


@lib.test
def memory_is_looked_at_by_the_child():
    lib.need_root()
    with tempfile.TemporaryDirectory(prefix="vmview-look.", dir="/dev/shm") as directory:
        elf, text = os.path.join(directory, "lib.so"), os.path.join(directory, "text")
        shutil.copy("/bin/sh", elf)
        with open(text, "wb") as file:
            file.write(b"text" * PAGE)
        with running(map=[elf, text]) as process:
            mappings, _, children = told(process.pid)
            lib.equal("kinds", (mappings[elf]["kind"], mappings[text]["kind"]), ("elf", "shm"))
            lib.equal("children", children, 1)


@lib.test
def deleted_file():
    lib.need_root()
    with workshop() as (_, elf, text), running(map=[elf, text]) as process:
        os.unlink(elf)
        mappings, _, children = told(process.pid)
        lib.equal("of it", (mappings[elf]["kind"], mappings[elf]["deleted"]), ("elf", True))
        lib.equal("of the other", mappings[text]["kind"], "file")
        lib.equal("children", children, 1)


@lib.test
def same_files_in_another_mount_namespace():
    lib.need_root()
    with workshop() as (directory, elf, text), running(map=[elf, text], mounts=1) as process:
        need_direct(directory, sys.executable)
        mappings, _, children = told(process.pid)
        check_kinds(mappings)
        lib.equal("children", children, 0)


@lib.test
def path_leads_to_something_else():
    """In the namespace of the process another file, a FIFO and a device lie over its files."""
    lib.need_root()
    with workshop() as (directory, elf, text):
        fifo, other = os.path.join(directory, "fifo"), os.path.join(directory, "other")
        os.mkfifo(fifo)
        shutil.copy("/bin/sh", other)
        with running(map=[elf, text, other], mounts=1,
                     bind=[(fifo, elf), (other, text), ("/dev/tty", other)]) as process:
            for inside in True, False:
                mappings, _, children = told(process.pid, inside=inside)
                lib.equal("under the FIFO", mappings[elf]["kind"], "elf")
                lib.equal("under an ELF file", mappings[text]["kind"], "file")
                lib.equal("under the device", mappings[other]["kind"], "elf")
                if inside:
                    lib.equal("children", children, 1)


def need_fuse():
    lib.need_root()
    if not os.path.exists("/dev/fuse"):
        raise lib.Skipped("no /dev/fuse")


@lib.test
def file_system_that_hangs_is_not_touched():
    need_fuse()
    with workshop() as (directory, elf, text):
        point = os.path.join(directory, "fuse")
        os.mkdir(point)
        file = os.path.join(point, "file")
        with running(map=[elf, file], mounts=1, fuse=point) as process:
            for inside in True, False:
                began = time.monotonic()
                mappings, of, _ = told(process.pid, inside=inside)
                lib.equal("ours", mappings[elf]["kind"], "elf")
                lib.equal("of FUSE", mappings[file]["kind"], "file")
                lib.equal("reason", of["missing"]["kinds"],
                          "not looked at: its file system may hang")
                lib.true(time.monotonic() - began < 20, "it took too long")


@lib.test
def hanging_file_system_over_the_file():
    """The names below it are not in memory: only the child could ask for them."""
    need_fuse()
    with workshop() as (directory, elf, text), \
         running(map=[elf, text], mounts=1, fuse_over=directory) as process:
        for inside in True, False:
            began = time.monotonic()
            mappings, of, children = told(process.pid, inside=inside)
            lib.equal("kinds", (mappings[elf]["kind"], mappings[text]["kind"]), ("elf", "file"))
            lib.equal("missing", of["missing"].get("kinds"), None)
            lib.equal("children", children, int(inside))
            lib.true(time.monotonic() - began < 20, "it took too long")


if __name__ == "__main__":
    if sys.argv[1:2] == ["den"]:
        den(json.loads(sys.argv[2]))
    else:
        lib.done()
