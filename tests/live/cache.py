#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview cache against fincore, vmtouch, meminfo and files whose pages were cached by the test."""
import contextlib
import json
import mmap
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402

PAGE = mmap.PAGESIZE
NOBODY = 65534
OLD = 1_000_000_000     # a time of access that reading would change
LOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "look.py")


@contextlib.contextmanager
def workshop():
    """On a disk: pages of tmpfs are always cached."""
    with tempfile.TemporaryDirectory(prefix="vmview-cache.", dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        yield directory


def write(path, pages, odd=0):
    """Page by page: of a big folio no part can be evicted."""
    with open(path, "wb", buffering=0) as file:
        for _ in range(pages):
            file.write(b"x" * PAGE)
        file.write(b"x" * odd)
        os.fsync(file.fileno())
    return path


def evict(path, first, pages):
    """Take these pages out of the page cache; they are clean."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, first * PAGE, pages * PAGE, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def fincore(path):
    said = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES", path],
                          check=True, stdout=subprocess.PIPE).stdout
    return int(said)


def cache(*args, status=None, **options):
    """Processes that may not be read (PID 1 of a container) make it 1, though all is found."""
    return lib.vmview_json("cache", *args, status=status, **options)


def by_path(document):
    return {file["path"]: file for file in document["files"]}


def make_files(directory):
    """Whole, in part, from the middle, empty, a hole, and twice the same."""
    os.mkdir(os.path.join(directory, "below"))
    write(os.path.join(directory, "whole"), 40, 7)
    evict(write(os.path.join(directory, "half"), 64), 32, 32)
    evict(write(os.path.join(directory, "below/middle"), 96), 32, 32)
    evict(write(os.path.join(directory, "below/none"), 16), 0, 16)
    write(os.path.join(directory, "empty"), 0)
    with open(os.path.join(directory, "hole"), "wb") as file:
        file.truncate(8 * PAGE)
    os.link(os.path.join(directory, "whole"), os.path.join(directory, "below/again"))
    os.symlink(os.path.join(directory, "half"), os.path.join(directory, "link"))
    os.mkfifo(os.path.join(directory, "fifo"))


def names(directory):
    return [os.path.join(directory, name) for name in
            ("whole", "half", "below/middle", "below/none", "empty", "hole")]


@lib.test
def fincore_says_the_same():
    with workshop() as directory:
        make_files(directory)
        for way in [], ["--without", "cachestat"]:
            files = by_path(cache(*way, *names(directory)))
            want = {path: fincore(path) for path in names(directory)}
            lib.equal("cached", {path: files[path]["cached"] for path in want}, want)
            lib.equal("sizes", {path: files[path]["size"] for path in want},
                      {path: os.stat(path).st_size for path in want})
            lib.equal("half", files[os.path.join(directory, "half")]["cached"], 32 * PAGE)
            lib.equal("source", {file["source"] for file in files.values()},
                      {"mincore" if way else "cachestat"})


@lib.test
def vmtouch_says_the_same():
    if not shutil.which("vmtouch"):
        raise lib.Skipped("no vmtouch")
    with workshop() as directory:
        make_files(directory)
        found = cache(directory)
        said = subprocess.run(["vmtouch", directory], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        want = [int(re.search(what, said)[1]) for what in
                (r"Files: (\d+)", r"Directories: (\d+)", r"Resident Pages: (\d+)/")]
        lib.equal("files, directories, resident pages",
                  [found["walked"]["files"], found["walked"]["directories"],
                   found["named"] // PAGE], want)
        lib.equal("what is cached", sorted(file["cached"] // PAGE for file in found["files"]),
                  [32, 41, 64])


def all_paths(directory):
    return [directory] + [os.path.join(at, name) for at, below, files in os.walk(directory)
                          for name in below + files]


def times(paths):
    return {path: os.stat(path, follow_symlinks=False).st_atime_ns for path in paths}


@lib.test
def nothing_is_read_opened_or_changed():
    """No page comes in, no time of access changes, no FIFO, device or link is opened."""
    lib.need_root()
    with workshop() as directory:
        make_files(directory)
        os.mknod(os.path.join(directory, "device"), 0o20600, os.makedev(1, 3))
        open_to_all = os.path.join(directory, "open-to-all")
        os.mkdir(open_to_all)
        os.chmod(open_to_all, 0o777)
        os.mkfifo(os.path.join(open_to_all, "fifo-too"))
        write(os.path.join(open_to_all, "file"), 3)
        paths, cached = all_paths(directory), [fincore(path) for path in names(directory)]
        for way in [], ["--without", "cachestat"]:
            for path in paths:
                os.utime(path, (OLD, OLD), follow_symlinks=False)
            trace = os.path.join(directory, "..", os.path.basename(directory) + ".trace")
            try:
                subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=openat,openat2,open,read,"
                                "pread64", lib.VMVIEW, "cache", *way, directory],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                with open(trace, encoding="utf-8", errors="replace") as file:
                    calls = file.read()
            finally:
                os.remove(trace)
            lib.true('"half"' in calls, "the trace has no file")
            for name in "fifo", "fifo-too", "device", "link":
                opened = re.findall(rf'"{name}".*', calls)
                lib.true(all("O_PATH" in call for call in opened), f"{name}: {opened}")
            lib.equal("times of access", times(paths), {path: OLD * 10**9 for path in paths})
            lib.equal("cached", [fincore(path) for path in names(directory)], cached)


@lib.test
def who_maps_and_who_has_it_open():
    """Pages that are mapped are counted once, whoever maps them; the first toucher's group pays."""
    lib.need_root()
    with workshop() as directory:
        path, gone = write(os.path.join(directory, "data"), 64), write(
            os.path.join(directory, "gone"), 5)
        fd, gone_fd = os.open(path, os.O_RDONLY), os.open(gone, os.O_RDONLY)
        memory = os.memfd_create("ring")
        os.write(memory, b"m" * (7 * PAGE))
        os.remove(gone)
        maps = [mmap.mmap(fd, 64 * PAGE, mmap.MAP_SHARED, mmap.PROT_READ) for _ in range(2)]
        for which in maps:
            which.madvise(mmap.MADV_RANDOM)
            which.madvise(22, 0, 16 * PAGE)     # MADV_POPULATE_READ
        script = "import os,sys; f=os.open(sys.argv[1],0); print(flush=True); sys.stdin.read()"
        other = subprocess.Popen([sys.executable, "-c", script, path], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        other.stdout.readline()
        document = cache()
        files = {(file["path"], file["inode"]): file for file in document["files"]}
        data = files[path, os.fstat(fd).st_ino]
        lib.equal("cached", data["cached"], 64 * PAGE)
        lib.equal("mapped", data["mapped"], 16 * PAGE)
        lib.equal("mapped by", data["mapped_by"], [os.getpid()])
        lib.equal("opened by", sorted(data["opened_by"]), sorted([os.getpid(), other.pid]))
        deleted = files[gone, os.fstat(gone_fd).st_ino]
        lib.equal("deleted", (deleted["cached"], deleted["deleted"], deleted["opened_by"]),
                  (5 * PAGE, True, [os.getpid()]))
        ring = files["/memfd:ring", os.fstat(memory).st_ino]
        lib.equal("memfd", (ring["cached"], ring["kind"], ring["processes"]), (7 * PAGE, "shm", 0))
        other.communicate()
        for which in maps:
            which.close()
        for each in fd, gone_fd, memory:
            os.close(each)


def meminfo(key):
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key + ":"))


@lib.test
def the_sum_is_the_page_cache():
    with workshop() as directory:
        make_files(directory)
        before, found, after = meminfo("Cached"), cache("--open", directory), meminfo("Cached")
        slack = 64 << 20     # others read and write files meanwhile
        lib.true(min(before, after) - slack <= found["total_cached"] <= max(before, after) + slack,
                 f"total {found['total_cached']}, meminfo {before} and {after}")
        lib.equal("named and unnamed", found["named"] + found["unnamed"], found["total_cached"])
        lib.equal("rows", sum(file["cached"] or 0 for file in found["files"]), found["named"])


@lib.test
def dirty_pages():
    with workshop() as directory:
        path = write(os.path.join(directory, "log"), 20)
        with open(path, "r+b") as file:
            file.write(b"y" * (6 * PAGE))
            file.flush()
            told = by_path(cache(path))[path]
            lib.true(told["dirty"] + told["writeback"] in (0, 6 * PAGE),
                     f"dirty {told['dirty']}, writeback {told['writeback']}")


@lib.test
def a_file_of_somebody_else():
    lib.need_root()
    with workshop() as directory:
        path = write(os.path.join(directory, "data"), 4)
        document = cache(path, user=NOBODY, status=1)
        told = by_path(document)[path]
        lib.equal("cached", told["cached"], None)
        lib.true(told["missing"]["cached"].startswith("denied"), told["missing"]["cached"])
        lib.equal("complete", document["complete"], False)
        # root is told, though it lacks the capability to write to it
        os.chown(path, NOBODY, NOBODY)
        os.chmod(path, 0o600)
        lib.equal("for root", by_path(cache(path))[path]["cached"], 4 * PAGE)


@lib.test
def picture_of_a_file():
    with workshop() as directory:
        path = evict(write(os.path.join(directory, "data"), 96), 32, 32) or \
            os.path.join(directory, "data")
        for way in [], ["--without", "cachestat"]:
            drawn = lib.vmview_json("cache", *way, "--picture", path)["picture"]
            lib.equal("cells", drawn["map"]["cells"], "#" * 32 + "." * 32 + "#" * 32)
            lib.equal("cell", drawn["map"]["cell_bytes"], PAGE)
            lib.equal("cached", drawn["cached"], 64 * PAGE)


OVERLAY = """
set -e
cd "$1"
mkdir low up work all
head -c 15000 /dev/zero > low/lower
head -c 9000 /dev/zero > up/upper
mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work all
cat all/lower all/upper > /dev/null
fincore --bytes --noheadings --output RES all/lower all/upper
"$2" cache --json "$1/all" || [ $? = 1 ]
"""


@lib.test
def files_of_an_overlay():
    """There cachestat counts nothing: its pages are those of the layers."""
    lib.need_mounts()
    with workshop() as directory:
        done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", OVERLAY,
                               "sh", directory, lib.VMVIEW], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if done.returncode and b"mount:" in done.stderr:
            raise lib.Skipped("no overlay here")
        lib.equal("status", done.returncode, 0)
        lines = done.stdout.decode().split("\n", 2)
        files = by_path(json.loads(lines[2]))
        lib.equal("cached", [files[f"{directory}/all/{name}"]["cached"]
                             for name in ("lower", "upper")], [int(lines[0]), int(lines[1])])
        lib.equal("lower", int(lines[0]), 4 * PAGE)


@contextlib.contextmanager
def hung_fuse(point):
    """A process in a mount namespace of its own, with a FUSE file system that does not answer."""
    if not os.path.exists("/dev/fuse"):
        raise lib.Skipped("no /dev/fuse")
    process = subprocess.Popen([sys.executable, "-BSE", LOOK, "den",
                                json.dumps({"mounts": 1, "fuse": point})],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        lib.equal("the den", process.stdout.readline(), b"ready\n")
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@lib.test
def a_file_system_that_hangs():
    """Below a path it is not entered; where it is the path, it costs the timeout, once."""
    lib.need_root()
    with workshop() as directory:
        point = os.path.join(directory, "fuse")
        os.mkdir(point)
        path = write(os.path.join(directory, "data"), 4)
        with hung_fuse(point) as pid:
            inside = ["nsenter", "-m", "-t", str(pid), lib.VMVIEW, "cache", "--json",
                      "--timeout=1"]
            for paths, limit, mounts in (([directory], 5, 1),
                                         ([f"{point}/file", point, directory], 8, 1)):
                began = time.monotonic()
                done = subprocess.run([*inside, *paths, path], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, timeout=60)
                took = time.monotonic() - began
                found = json.loads(done.stdout)
                lib.equal("the others", by_path(found)[path]["size"], 4 * PAGE)
                lib.equal("not entered", found["walked"]["mounts_left_out"], mounts)
                lib.true(took < limit, f"it took {took:.1f} s")
            lib.true(b"stuck: no answer in time" in done.stderr, done.stderr.decode())
            lib.equal("complete", found["complete"], False)


if __name__ == "__main__":
    lib.done()
