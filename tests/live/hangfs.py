# SPDX-License-Identifier: GPL-2.0-or-later
"""A FUSE file system of one file, "file", whose server stops to answer when it is told to. It needs
root and /dev/fuse, no library.

    with hangfs.mounted(point) as fs:       # best in a mount namespace of its own
        ... map point/file ...
        fs.hang()                           # every request from now on; or hang("OPEN", "READ")
        ...
        fs.answer()                         # again; what waited goes on waiting

Not even SIGKILL ends what waits for an answer before fs.stop(), which ends the server, and all that
waits with an error.
"""
import contextlib
import ctypes
import errno
import mmap
import os
import select
import struct

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, SIGKILL, MNT_DETACH = 1, 9, 2

# include/uapi/linux/fuse.h
OPCODES = {
    "LOOKUP": 1, "FORGET": 2, "GETATTR": 3, "OPEN": 14, "READ": 15, "STATFS": 17, "RELEASE": 18,
    "INIT": 26, "OPENDIR": 27, "RELEASEDIR": 29, "INTERRUPT": 36, "BATCH_FORGET": 42,
}
SILENT = {OPCODES[name] for name in ("FORGET", "INTERRUPT", "BATCH_FORGET")}
ROOT, FILE = 1, 2       # nodes
KEEP_CACHE = 2


def attributes(node, size):
    mode = 0o40755 if node == ROOT else 0o100755
    return struct.pack("<6Q10I", node, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0,
                       0, PAGE, 0)


class Server:
    """hung[opcode]: 1: no answer. That of EIO_ONCE is about READ: the first one of each page but
    the first is answered by EIO, others not at all."""

    def __init__(self, fuse, content, hung):
        self.fuse, self.content, self.hung, self.failed = fuse, content, hung, set()

    def read(self, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        if self.hung[EIO_ONCE] and offset >= PAGE:
            if offset in self.failed:
                return None
            self.failed.add(offset)
            return -errno.EIO
        return self.content[offset:offset + size]

    def lookup(self, body):
        if body.rstrip(b"\0") != b"file":
            return -errno.ENOENT
        # names and attributes are asked for each time
        return struct.pack("<4Q2I", FILE, 0, 0, 0, 0, 0) + attributes(FILE, len(self.content))

    def reply(self, opcode, node, body):
        """The bytes; -errno; None: no answer at all."""
        name = next((name for name, code in OPCODES.items() if code == opcode), None)
        if opcode in SILENT or (opcode < EIO_ONCE and self.hung[opcode]):
            return None
        if name == "INIT":
            return struct.pack("<IIIIHHIIHHIIH22x", 7, 31, 0, 0, 8, 8, PAGE, 1, 0, 0, 0, 0, 0)
        if name == "LOOKUP":
            return self.lookup(body)
        if name == "GETATTR":
            return struct.pack("<Q2I", 0, 0, 0) + attributes(node, len(self.content))
        if name in ("OPEN", "OPENDIR"):
            return struct.pack("<QIi", 1, KEEP_CACHE, 0)
        if name == "READ":
            return self.read(body)
        if name == "STATFS":
            return struct.pack("<5Q10I", 64, 0, 0, 2, 0, PAGE, 255, PAGE, 0, *[0] * 6)
        return b"" if name in ("RELEASE", "RELEASEDIR") else -errno.ENOSYS

    def serve(self, until):
        """To its end: that of the file system, or of the other end of the pipe."""
        events = select.poll()
        events.register(self.fuse, select.POLLIN)
        if until is not None:
            events.register(until, 0)
        while True:
            ready = dict(events.poll())
            if until in ready or ready[self.fuse] & ~select.POLLIN:
                return
            try:
                request = os.read(self.fuse, 1 << 18)
            except OSError as err:
                if err.errno == errno.ENODEV:
                    return      # it is unmounted
                if err.errno in (errno.EINTR, errno.ENOENT):
                    continue
                raise
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            reply = self.reply(opcode, node, request[40:])
            with contextlib.suppress(FileNotFoundError):    # nobody waits for it any more
                if isinstance(reply, int):
                    os.write(self.fuse, struct.pack("<IiQ", 16, reply, unique))
                elif reply is not None:
                    os.write(self.fuse, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)


EIO_ONCE = 64


class HangFs:
    """One that is mounted. Its server is a child, which ends with the process that made it; but
    that may hang itself: so the server ends also when the other end of the pipe until is closed."""

    def __init__(self, point, content=b"\0" * PAGE, until=None, device="/dev/fuse"):
        fuse = os.open(device, os.O_RDWR)
        self.point, self.hung = point, mmap.mmap(-1, PAGE)
        options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if LIBC.mount(b"hangfs", point.encode(), b"fuse", ctypes.c_ulong(0), options):
            raise OSError(ctypes.get_errno(), f"mount {point}")
        self.server = os.fork()
        if self.server == 0:
            LIBC.prctl(PR_SET_PDEATHSIG, SIGKILL)
            Server(fuse, content, self.hung).serve(until)
            os._exit(0)
        os.close(fuse)      # the connection ends with the server

    def hang(self, *names):
        """From now on no request of these, or none at all, is answered."""
        for code in [OPCODES[name] for name in names] or OPCODES.values():
            self.hung[code] = 1

    def read_fails_once(self):
        """From now on, of each page but the first: EIO first, no answer then."""
        self.hung[EIO_ONCE] = 1

    def answer(self):
        self.hung[:] = bytes(PAGE)

    def stop(self):
        """All that waits gets an error."""
        os.kill(self.server, SIGKILL)
        os.waitpid(self.server, 0)
        LIBC.umount2(self.point.encode(), MNT_DETACH)


@contextlib.contextmanager
def mounted(point, content=b"\0" * PAGE):
    fs = HangFs(point, content)
    try:
        yield fs
    finally:
        fs.stop()


def why_not():
    """Why this machine cannot; None: it can."""
    if os.geteuid() != 0:
        return "needs root"
    return None if os.path.exists("/dev/fuse") else "no /dev/fuse"
