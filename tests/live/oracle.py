# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's files about a process, read plainly: what vmview and the zoo are held against.

Slow and simple on purpose, and independent of vmview. Frames need root.
"""
import collections
import ctypes
import fcntl
import os
import re
import struct

PAGE = os.sysconf("SC_PAGESIZE")
PAGEMAP_SCAN = 0xc0606610
SCAN_FILE, SCAN_PRESENT, SCAN_SWAPPED, SCAN_ZERO, SCAN_HUGE = 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6

# Bits of /proc/kpageflags, as page-types spells them.
FLAGS = {
    0: "locked", 1: "error", 2: "referenced", 3: "uptodate", 4: "dirty", 5: "lru", 6: "active",
    7: "slab", 8: "writeback", 9: "reclaim", 10: "buddy", 11: "mmap", 12: "anonymous",
    13: "swapcache", 14: "swapbacked", 15: "compound_head", 16: "compound_tail", 17: "huge",
    18: "unevictable", 19: "hwpoison", 20: "nopage", 21: "ksm", 22: "thp", 23: "offline",
    24: "zero_page", 25: "idle_page", 26: "pgtable", 32: "reserved", 33: "mlocked",
}
HEAD, TAIL, ZERO_PAGE = 1 << 15, 1 << 16, 1 << 24
MANY_FRAMES = 512       # read at once: a folio has as many, mostly

Mapping = collections.namedtuple("Mapping", "start end perm offset dev inode name fields vm_flags")
Page = collections.namedtuple("Page", "state pfn swap exclusive uffd_wp flags count")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def lines_about(text, at):
    """The part of smaps about the mapping that holds an address: most of the time goes into reading
    lines about tens of thousands of others."""
    for match in re.finditer(rb"^([0-9a-f]+)-([0-9a-f]+) .*\n(?:[A-Z].*\n)*", text, re.MULTILINE):
        if int(match[1], 16) <= at < int(match[2], 16):
            return match[0]
    return b""


def smaps(pid, at=None):
    """The mappings in /proc/PID/smaps, or the one that holds an address: names are bytes, fields
    bytes (or plain numbers)."""
    found = []
    text = read(f"/proc/{pid}/smaps")
    for line in (text if at is None else lines_about(text, at)).split(b"\n"):
        key = re.match(rb"([A-Za-z_]+): +(\d+)( kB)?$", line)
        if key:
            found[-1].fields[key[1].decode()] = int(key[2]) * (1024 if key[3] else 1)
        elif line.startswith(b"VmFlags:"):
            found[-1].vm_flags.extend(line[8:].decode().split())
        elif line:
            found.append(header(line))
    return found


def header(line):
    """One line of maps. The name starts at column 73, or one blank after a longer header."""
    head = line.split(b" ", 4)
    start, end = (int(word, 16) for word in head[0].split(b"-"))
    inode, _, rest = head[4].partition(b" ")
    column = len(line) - len(rest)
    name = line[max(73, column):]
    return Mapping(start, end, head[1].decode(), int(head[2], 16), head[3].decode(), int(inode),
                   name, {}, [])


def maps(pid):
    return [header(line) for line in read(f"/proc/{pid}/maps").split(b"\n") if line]


def words(path, index, count):
    """`count` 64-bit words of pagemap or of a kpage file; short at its end."""
    fd = os.open(path, os.O_RDONLY)
    try:
        data = os.pread(fd, 8 * count, 8 * index)
    finally:
        os.close(fd)
    return struct.unpack(f"{len(data) // 8}Q", data)


def word(path, index):
    found = words(path, index, 1)
    return found[0] if found else 0


def page_of(entry):
    """What a pagemap word says, with flags and map count of the frame."""
    if entry == 0:
        return Page("empty", None, None, False, False, 0, 0)
    wp, exclusive = bool(entry >> 57 & 1), bool(entry >> 56 & 1)
    if entry >> 63:
        pfn = entry & (1 << 55) - 1
        flags = word("/proc/kpageflags", pfn)
        state = "zero" if flags & ZERO_PAGE else "present"
        return Page(state, pfn, None, exclusive, wp, flags, word("/proc/kpagecount", pfn))
    swap = entry & 31, entry >> 5 & (1 << 50) - 1
    if entry >> 58 & 1:
        state = "guard"
    elif swap[0] == 31:
        state = "marker"
    elif swap[0] >= 24:
        state = "migration"
    else:
        state = "swapped"
    return Page(state, None, swap if state == "swapped" else None, exclusive, wp, 0, 0)


def pages(pid, start, end):
    """Every page of a range. Frames are looked at later than the page table: hold it still."""
    count = (end - start) // PAGE
    found = words(f"/proc/{pid}/pagemap", start // PAGE, count)
    return [page_of(entry) for entry in found]


def pfns(pid, start, end):
    """The frames of a range that are present, the zero page aside."""
    return [page.pfn for page in pages(pid, start, end) if page.state == "present"]


def all_pfns(pid):
    """Every frame of a process, in a Counter: what it holds, all mappings together."""
    found = collections.Counter()
    for mapping in maps(pid):
        if mapping.start < 1 << 47:
            found.update(pfns(pid, mapping.start, mapping.end))
    return found


def flag_names(flags):
    return {name for bit, name in FLAGS.items() if flags >> bit & 1}


def order(pfn):
    """Of the folio that the frame belongs to: its head, and all the tails behind it."""
    first = pfn - pfn % MANY_FRAMES
    flags = words("/proc/kpageflags", first, MANY_FRAMES)
    head = pfn
    while flags[head - first] & TAIL:
        head -= 1
        if head < first:
            first -= MANY_FRAMES
            flags = words("/proc/kpageflags", first, MANY_FRAMES) + flags
    if not flags[head - first] & HEAD:
        return 0
    end = head + 1
    while True:
        if end - first == len(flags):
            flags += words("/proc/kpageflags", end, MANY_FRAMES)
        if end - first == len(flags) or not flags[end - first] & TAIL:
            return (end - head).bit_length() - 1
        end += 1


def pageblock_frames():
    """Frames of a pageblock; only root is told."""
    return int(re.search(rb"Pages per block: +(\d+)", read("/proc/pagetypeinfo"))[1])


def scan(pid, start, end, want=SCAN_PRESENT | SCAN_SWAPPED):
    """PAGEMAP_SCAN: (start, end, categories) of all regions in the range that have any category
    of `want`. None where the kernel has no such call."""
    tell = SCAN_FILE | SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO | SCAN_HUGE
    room = 512
    regions, at = [], start
    fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    try:
        while at < end:
            vector = bytearray(24 * room)
            arg = bytearray(struct.pack("12Q", 96, 0, at, end, 0, address_of(vector), room, 0, 0,
                                        0, want, tell))
            try:
                count = fcntl.ioctl(fd, PAGEMAP_SCAN, arg)
            except OSError:
                return None
            regions += [struct.unpack_from("3Q", vector, 24 * i) for i in range(count)]
            at = struct.unpack("12Q", arg)[4]
    finally:
        os.close(fd)
    return regions


def address_of(buffer):
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


def status(pid):
    """The lines of /proc/PID/status, as {key: text}."""
    lines = read(f"/proc/{pid}/status").decode("utf-8", "replace").split("\n")
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def stat(pid):
    """The fields of /proc/PID/stat after the name: stat(pid)[0] is the state."""
    return read(f"/proc/{pid}/stat").rpartition(b")")[2].decode().split()


def numa_policy(pid, start):
    """The policy of the mapping that starts there, as numa_maps prints it."""
    known = (" file=", " heap", " stack", " huge", " anon=", " dirty=", " mapped=", " mapmax=",
             " swapcache=", " active=", " writeback=", " N0=", " kernelpagesize_kB=")
    for line in read(f"/proc/{pid}/numa_maps").decode("utf-8", "replace").split("\n"):
        address, _, rest = line.partition(" ")
        if address and int(address, 16) == start:
            cut = min((rest.find(key) for key in known if key in rest), default=len(rest))
            return rest[:cut]
    return None
