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
import hangfs  # noqa: E402
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


def content(plan):
    """Of the file that is there."""
    if "content" not in plan:
        return b"\0" * PAGE
    with open(plan["content"], "rb") as file:
        return file.read()


def map_file(path, prot):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), PAGE, mmap.MAP_PRIVATE, prot)


def den(plan):
    """Map the files, mount over them, wait."""
    if plan.get("mounts"):
        check(LIBC.unshare(CLONE_NEWNS), "unshare")
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    fs, maps = None, []
    if "fuse" in plan:
        fs = hangfs.HangFs(plan["fuse"], content(plan), until=0)
    if "overlay" in plan:
        layers = f"lowerdir={plan['fuse']}:{plan['below']}"
        mount("none", plan["overlay"], "overlay", 0, layers.encode())
    for path in plan.get("map", ()):
        maps.append(map_file(path, plan.get("prot", mmap.PROT_READ)))
    for source, target in plan.get("bind", ()):
        mount(source, target, "", MS_BIND)
    for path in plan.get("read", ()):
        with open(path, "rb", buffering=0) as file:
            file.read(64)
    for path in plan.get("unlink", ()):
        os.unlink(path)
    if "fuse_over" in plan:
        fs = hangfs.HangFs(plan["fuse_over"], until=0)
    if fs:
        fs.hang(*plan.get("hang", ()))
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
    # threads are no children; strace does not see what clone3() makes of a program that it may not
    # read, but glibc makes threads alone by it
    children = len(re.findall(r"^(?:\[pid +\d+\] )?(?:clone3\(\{|(?:clone|v?fork)\()"
                              r"(?!.*CLONE_THREAD)", err, re.MULTILINE))
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
    why_not = hangfs.why_not()
    if why_not:
        raise lib.Skipped(why_not)


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


@contextlib.contextmanager
def stuck_overlay(hang, read=False):
    """A process that maps a file of each layer of an overlay, of which the upper one is a FUSE file
    system that has stopped to answer: the den, and the two paths."""
    need_fuse()
    with workshop() as (directory, elf, text):
        fuse, below, over = (os.path.join(directory, name) for name in ("fuse", "below", "over"))
        for path in fuse, below, over:
            os.mkdir(path)
        shutil.copy(text, os.path.join(below, "other"))
        paths = [os.path.join(over, "file"), os.path.join(over, "other")]
        # the first is the last to be mapped: at the lowest address
        prot = mmap.PROT_READ | mmap.PROT_EXEC
        with running(map=[elf, *reversed(paths)], prot=prot, mounts=1, fuse=fuse, content=elf,
                     overlay=over, below=below, hang=hang, read=paths if read else []) as process:
            yield process, paths


@contextlib.contextmanager
def within(seconds):
    """Though a child of vmview hangs and can not be killed, all that reads vmview's output ends."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    lib.true(took < seconds, f"it took {took:.1f} s")


STUCK = "stuck: its file system does not answer"


def objects_of(pid):
    document = lib.vmview_json("elf", pid, status=1)
    lib.equal("complete", document["complete"], False)
    return {each["path"]: each for each in document["processes"][0]["objects"]}


@lib.test
def opening_a_mapped_file_hangs():
    """Whatever type it has: the file system under an overlay can hang. It is touched once."""
    with stuck_overlay(["OPEN"]) as (process, paths):
        with within(4):
            document = lib.vmview_json(process.pid)
        of = document["processes"][0]
        kinds = {m["path"]: m["kind"] for m in of["mappings"] if m["inode"]}
        lib.equal("of the program", kinds[os.path.realpath(sys.executable)], "elf")
        lib.equal("of the overlay", [kinds[path] for path in paths], ["file", "file"])
        lib.equal("missing", of["missing"]["kinds"], STUCK)
        with within(4):
            told_ = objects_of(process.pid)
        lib.equal("objects", [told_[path]["missing"]["type"] for path in paths], [STUCK, STUCK])


@lib.test
def reading_an_elf_file_hangs():
    """Its first page is in memory, so it is one; the rest never comes."""
    with stuck_overlay(["READ"], read=True) as (process, paths):
        with within(5):
            told_ = objects_of(process.pid)
        lib.equal("its type", (told_[paths[0]]["type"], told_[paths[0]]["missing"]["type"]),
                  (None, STUCK))
        lib.true(paths[1] not in told_, "the other is no ELF file")
        lib.true(told_[os.path.realpath(sys.executable)]["type"], "the program is parsed")


@lib.test
def what_is_in_the_place_of_a_deleted_file_hangs():
    need_fuse()
    with workshop() as (directory, elf, text), \
         running(map=[elf, text], unlink=[elf, text], mounts=1, fuse_over=directory) as process:
        with within(4), lib.reachable(lib.VMVIEW) as program:
            done = subprocess.run(["nsenter", "-m", "-t", str(process.pid), "--", program, "--json",
                                   str(process.pid)], stdin=subprocess.DEVNULL, timeout=60,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        of = json.loads(done.stdout)["processes"][0]
        mappings = {m["path"]: m for m in of["mappings"] if m["inode"]}
        lib.equal("kinds", (mappings[elf]["kind"], mappings[text]["kind"]), ("elf", "file"))
        lib.equal("deleted", (mappings[elf]["deleted"], mappings[text]["deleted"]), (True, True))
        lib.equal("missing", of["missing"].get("kinds"), None)


@lib.test
def a_file_that_is_named_hangs():
    need_fuse()
    with workshop() as (directory, _, _), running(mounts=1, fuse_over=directory) as process:
        path = os.path.join(directory, "file")
        with within(4), lib.reachable(lib.VMVIEW) as program:
            done = subprocess.run(["nsenter", "-m", "-t", str(process.pid), "--", program, "who",
                                   path], stdin=subprocess.DEVNULL, timeout=60, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lib.equal("status", done.returncode, 1)
        lib.equal("what is said", done.stderr.decode(), f"vmview: {path}: {STUCK}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["den"]:
        den(json.loads(sys.argv[2]))
    else:
        lib.done()
