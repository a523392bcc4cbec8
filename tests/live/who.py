#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview who against the animals' truth and the kernel's files."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402
import oracle  # noqa: E402

NOBODY = 65534
PAGE = oracle.PAGE


def address(value):
    return int(value, 16) if isinstance(value, str) else value


def mappings(zoo, animal):
    return zoo.truth[animal]["mappings"]


def file_of(mapping):
    return bytes.fromhex(mapping["file_hex"]).decode()


def ask(target, **options):
    """Processes that may not be read (PID 1 of a container) make it 1, though all is found."""
    return lib.vmview_json("who", target, status=options.pop("status", None), **options)


def owners(frame):
    return sorted((owner["pid"], address(owner["address"])) for owner in frame["owners"])


@lib.test
def one_page_of_its_own():
    lib.need_root()
    with lib.zoo("touched") as zoo:
        start = address(mappings(zoo, "touched")[0]["start"])
        page = next(i for i, p in enumerate(oracle.pages(zoo.pid, start, start + 8 * PAGE))
                    if p.state == "present")
        addr = start + page * PAGE
        pfn = oracle.pfns(zoo.pid, addr, addr + PAGE)[0]
        found = ask(f"{zoo.pid}:{addr + 5:x}", status=0)
        lib.equal("frames", [frame["pfn"] for frame in found["frames"]], [pfn])
        lib.equal("owners", owners(found["frames"][0]), [(zoo.pid, addr)])
        lib.equal("missing", found["frames"][0]["owners_missing"], 0)
        lib.equal("complete", found["complete"], True)
        for target in f"pfn:{pfn}", f"phys:{pfn * PAGE + 9:#x}":
            lib.equal(target, owners(ask(target)["frames"][0]), [(zoo.pid, addr)])


@lib.test
def a_process_whose_main_thread_has_exited():
    """Its memory is found through a thread that goes on, by address and by frame."""
    lib.need_root()
    with lib.zoo("zombie-leader") as zoo:
        truth = zoo.truth["zombie-leader"]
        pid, start = truth["pid"], address(truth["mappings"][0]["start"])
        page = next(i for i, p in enumerate(oracle.pages(truth["tid"], start, start + 8 * PAGE))
                    if p.state == "present")
        addr = start + page * PAGE
        pfn = oracle.pfns(truth["tid"], addr, addr + PAGE)[0]
        for target in f"{pid}:{addr:x}", f"pfn:{pfn}":
            found = ask(target)["frames"]
            lib.equal("frames", [frame["pfn"] for frame in found], [pfn])
            lib.equal(target, owners(found[0]), [(pid, addr)])
            lib.equal("missing", found[0]["owners_missing"], 0)
            lib.equal("kind", found[0]["owners"][0]["kind"], truth["mappings"][0]["kind"])


@lib.test
def a_page_of_three_processes():
    lib.need_root()
    with lib.zoo("fork-three") as zoo:
        three = mappings(zoo, "fork-three")
        pids = sorted(mapping["pid"] for mapping in three)
        start = address(three[0]["start"])
        found = ask(f"{pids[0]}:{start:x}-{start + 12 * PAGE:x}")
        lib.equal("frames", len(found["frames"]), 12)
        lib.equal("present", found["pages"]["present"], 12)
        for frame in found["frames"]:
            lib.equal("pids", [pid for pid, _ in owners(frame)], pids)
            lib.equal("map count", frame["map_count"], 3)
            lib.equal("found", frame["owners_found"], 3)
            lib.equal("missing", frame["owners_missing"], 0)
            lib.true("anonymous" in frame["flags"], frame["flags"])


@lib.test
def copied_on_write():
    lib.need_root()
    with lib.zoo("cow") as zoo:
        truth = zoo.truth["cow"]
        start = address(truth["mappings"][0]["start"])
        found = ask(f"{zoo.pid if 'pid' not in truth else truth['pid']}:"
                    f"{start:x}-{start + 20 * PAGE:x}")
        shared = [frame for frame in found["frames"] if frame["owners_found"] == 2]
        lib.equal("frames", len(found["frames"]), 16)
        lib.equal("empty", found["pages"]["empty"], 4)
        lib.equal("shared", len(shared) * PAGE, truth["shared"])
        for frame in shared:
            lib.true(truth["child"] in [pid for pid, _ in owners(frame)], frame)


@lib.test
def a_page_of_a_huge_page():
    lib.need_root()
    with lib.zoo("thp") as zoo:
        start = address(mappings(zoo, "thp")[0]["start"])
        found = ask(f"{zoo.pid}:{start + 3 * PAGE:x}")
        lib.equal("frames", len(found["frames"]), 1)
        lib.equal("order", found["frames"][0]["order"], 9)
        lib.equal("owners", owners(found["frames"][0]), [(zoo.pid, start + 3 * PAGE)])


@lib.test
def the_zero_page_is_nobodys():
    lib.need_root()
    with lib.zoo("zero") as zoo:
        start = address(mappings(zoo, "zero")[0]["start"])
        pages = oracle.pages(zoo.pid, start, start + 8 * PAGE)
        found = ask(f"{zoo.pid}:{start:x}-{start + 8 * PAGE:x}")
        lib.equal("zero pages", found["pages"]["zero"],
                  len([page for page in pages if page.state == "zero"]))
        lib.equal("frames", found["frames"], [])
        pfn = next(page.pfn for page in pages if page.state == "zero")
        frame, = ask(f"pfn:{pfn}")["frames"]
        lib.equal("owners found", frame["owners_found"], None)
        lib.true("zero_page" in frame["flags"], frame["flags"])


@lib.test
def a_file_mapped_twice():
    lib.need_root()
    with lib.zoo("file-twice") as zoo:
        two = mappings(zoo, "file-twice")
        starts = sorted(address(mapping["start"]) for mapping in two)
        found = ask(file_of(two[0]))["file"]
        lib.equal("owners", sorted(address(o["address"]) for o in found["owners"]), starts)
        lib.equal("inode", found["inode"], two[0]["inode"])
        for owner in found["owners"]:
            count = len([p for m in oracle.maps(zoo.pid) if m.start == address(owner["address"])
                         for p in oracle.pfns(zoo.pid, m.start, m.end)])
            lib.equal("pages", owner["pages"] + owner["copied"], count)


@lib.test
def part_of_a_file():
    lib.need_root()
    with lib.zoo("file-offset") as zoo:
        found = ask(file_of(mappings(zoo, "file-offset")[0]))["file"]
        lib.equal("pages", found["pages"], 16)
        lib.equal("cached", found["cached"], 16)
        lib.equal("mapped", found["mapped"], 8)
        runs = [run for run in found["runs"] if run["mapped"]]
        lib.equal("mapped run", [(address(r["offset"]), r["pages"]) for r in runs],
                  [(4 * PAGE, 8)])


@lib.test
def a_private_file_mapping_with_copies():
    lib.need_root()
    with lib.zoo("file-cow") as zoo:
        mapping = mappings(zoo, "file-cow")[0]
        owner, = ask(file_of(mapping))["file"]["owners"]
        lib.equal("copied", owner["copied"] * PAGE, mapping["anonymous"])


@lib.test
def a_cold_file_stays_cold():
    with tempfile.NamedTemporaryFile(dir="/var/tmp", prefix="vmview-test.") as file:
        file.write(b"x" * (32 * PAGE))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        for _ in range(2):
            found = ask(file.name)["file"]
            lib.equal("cached", found["cached"], 0)
            lib.equal("owners", found["owners"], [])
        os.pread(file.fileno(), PAGE, 0)
        lib.true(ask(file.name)["file"]["cached"] > 0, "the first page was read")


@lib.test
def dirty_pages_of_a_file():
    with tempfile.NamedTemporaryFile(dir="/var/tmp", prefix="vmview-test.") as file:
        os.ftruncate(file.fileno(), 16 * PAGE)
        os.pwrite(file.fileno(), b"x" * PAGE, 3 * PAGE)
        os.pwrite(file.fileno(), b"x" * 2 * PAGE, 9 * PAGE)
        found = ask(file.name)["file"]
        lib.equal("cached", found["cached"], 3)
        runs = [(address(r["offset"]) // PAGE, r["pages"]) for r in found["runs"] if r["cached"]]
        lib.equal("runs", runs, [(3, 1), (9, 2)])


OVERLAY = """
set -e
cd "$1"
mkdir low work1 up1 all1 work2 up2 all2
head -c 15000 /dev/urandom > low/data
for i in 1 2; do
    mount -t overlay overlay -o lowerdir=low,upperdir=up$i,workdir=work$i all$i
done
"$4" -c "$3" all1/data >ready &
pid=$!
trap 'kill $pid' EXIT
until [ -s ready ]; do kill -0 $pid; sleep 0.05; done
echo $pid
fincore --noheadings --output PAGES all1/data
for file in all1/data all2/data low/data; do
    "$2" who --json "$1/$file" || [ $? = 1 ]
done
"""

MAPPER = """
import mmap, sys, time
file = open(sys.argv[1], "rb")
m = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
m[0], m[9000]
print("ready", flush=True)
time.sleep(60)
"""


def documents_of(text):
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        document, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found.append(document)
    return found


@lib.test
def a_file_below_overlays():
    """Two overlays of one file: its pages are asked for by each name, and mapped by the first."""
    lib.need_mounts()
    if not shutil.which("fincore"):
        raise lib.Skipped("fincore is missing")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="vmview-test.") as directory:
        os.chmod(directory, 0o755)
        with lib.reachable(lib.VMVIEW) as program:
            done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", OVERLAY,
                                   "sh", directory, program, MAPPER, sys.executable],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    if done.returncode and b"mount" in done.stderr:
        raise lib.Skipped("no overlay here")
    lib.equal(done.stderr.decode(), done.returncode, 0)
    pid, cached, rest = done.stdout.decode().split("\n", 2)
    first, second, lower = [d["file"] for d in documents_of(rest)]
    for found, name in (first, "first"), (second, "second"), (lower, "lower"):
        lib.equal(f"{name}: cached", found["cached"], int(cached))
        lib.equal(f"{name}: owners", [o["pid"] for o in found["owners"]], [int(pid)])
        lib.true(2 <= found["mapped"] <= found["cached"], found)
        lib.equal(f"{name}: pages", found["owners"][0]["pages"], found["mapped"])
    lib.equal("dirty", first["dirty"], None)
    lib.true("overlay" in first["missing"]["dirty"], first["missing"])
    lib.equal("dirty of the lower file", lower["dirty"], int(cached))


@lib.test
def written_pages_of_memory():
    """Of tmpfs cachestat counts none as dirty: there is nothing they are written to."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm", prefix="vmview-test.") as file:
        file.write(b"x" * 512 * PAGE)
        file.flush()
        found = ask(file.name)["file"]
        lib.equal("cached", found["cached"], 512)
        for key in "dirty", "writeback":
            lib.equal(key, found[key], None)
            lib.true("cachestat" in found["missing"][key], found["missing"])


@lib.test
def two_processes_with_one_memory():
    lib.need_root()
    with lib.zoo("clone-vm") as zoo:
        first = mappings(zoo, "clone-vm")[0]
        pids = {mapping["pid"] for mapping in mappings(zoo, "clone-vm")}
        start = address(first["start"])
        page = next(i for i in range(64)
                    if oracle.pfns(first["pid"], start + i * PAGE, start + (i + 1) * PAGE))
        frame, = ask(f"{first['pid']}:{start + page * PAGE:x}")["frames"]
        lib.equal("counted", frame["owners_found"], frame["map_count"])
        lib.true(pids >= {owner["pid"] for owner in frame["owners"]}, frame["owners"])


@lib.test
def without_rights():
    lib.need_root()
    for target in "pfn:4096", "phys:0x1000000":
        done = lib.vmview("who", target, user=NOBODY, status=1)
        lib.true("needs CAP_SYS_ADMIN" in done.err and "try: sudo" in done.err, done.err)
    with lib.zoo("touched") as zoo:
        start = mappings(zoo, "touched")[0]["start"]
        done = lib.vmview("who", f"{zoo.pid}:{address(start):x}", user=NOBODY, status=1)
        lib.true("try: sudo" in done.err, done.err)
    with tempfile.NamedTemporaryFile(dir="/var/tmp", prefix="vmview-test.") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(b"x" * PAGE)
        file.flush()
        document = ask(file.name, user=NOBODY, status=1)
        lib.equal("cached", document["file"]["cached"], None)
        lib.true(document["file"]["missing"]["cached"].startswith("denied"), document["file"])


def hole():
    """A frame number that is no memory, though the kernel's files have words for it."""
    with open("/sys/devices/system/memory/block_size_bytes", encoding="ascii") as file:
        size = int(file.read(), 16)
    blocks = sorted(int(name[6:]) for name in os.listdir("/sys/devices/system/memory")
                    if name[6:].isdigit() and name.startswith("memory"))
    for number in range(blocks[0], blocks[-1]):
        if number not in blocks:
            return number * size // PAGE
    raise lib.Skipped("the machine has no hole in its memory")


@lib.test
def a_hole_has_no_map_count():
    lib.need_root()
    frame = ask(f"pfn:{hole()}")["frames"][0]
    for key in "flags", "map_count", "owners_found":
        lib.equal(key, frame[key], None)
    lib.equal("why", frame["missing"]["map_count"], frame["missing"]["flags"])


@lib.test
def what_could_not_be_looked_at():
    for target, key, status in ("2:1000", "frames", 0), ("/nonexistent", "file", 1):
        document = ask(target, status=status)
        lib.equal(f"{key} of {target}", document[key], None)
        lib.true(document["missing"][key], "no reason")


@lib.test
def what_is_no_target():
    for target, said in (("/dev/null", "no regular file"), ("/nonexistent", "No such file"),
                         ("2147483647:1000", "no process")):
        done = lib.vmview("who", target, status=1)
        lib.true(said in done.err, done.err)
    for target in "pfn:x", "1:zz", "1:3000-1000", "":
        lib.vmview("who", target, status=2)


lib.done()
