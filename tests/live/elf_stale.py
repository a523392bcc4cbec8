#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview elf --stale, and objects that are not where their path says: deleted, replaced, in another
mount namespace, in no file system at all."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_objects as elf  # noqa: E402
import lib  # noqa: E402

NOBODY = elf.NOBODY


def stale(pid, **options):
    document = lib.vmview_json("elf", "--stale", pid, **options)
    return {(row["pid"], row["path"]): row for row in document["stale"]}, document


def build_library(directory):
    return elf.build(directory, "lib.so", ["gcc", "-shared", "-fPIC"])


def preloaded(path):
    """A program that has the library, once it waits."""
    return subprocess.Popen(["env", f"LD_PRELOAD={path}", "cat"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)


def wait_for_mapping(process, path):
    for _ in range(500):
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as file:
            if path in file.read():
                return
        time.sleep(0.01)
    raise lib.Failed(f"{path} is not mapped")


@lib.test
def program_deleted_then_replaced():
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        build_id = elf.build_id(path)
        with elf.running(path) as program:
            rows, document = stale(program.pid)
            lib.equal("nothing yet", rows, {})
            lib.equal("nor to restart", document["restart"], [])
            os.rename(path, path + ".old")
            rows, _ = stale(program.pid)
            lib.equal("renamed is not deleted", rows, {})
            os.rename(path + ".old", path)
            os.unlink(path)
            rows, document = stale(program.pid)
            row = rows[program.pid, path]
            lib.equal("state", row["state"], "deleted")
            lib.equal("build-id of what is mapped", row["build_id"], build_id)
            lib.equal("runs", row["runs"], True)
            mapped = [m for m in elf.oracle.maps(program.pid) if m.name.startswith(path.encode())]
            lib.equal("mappings", row["mappings"], len(mapped))
            lib.equal("size", row["size"], sum(m.end - m.start for m in mapped))
            lib.equal("restart", [one["pid"] for one in document["restart"]], [program.pid])
            elf.build(directory, "program", ["gcc", "-O2"])
            rows, _ = stale(program.pid)
            lib.equal("state", rows[program.pid, path]["state"], "replaced")
            one = elf.the_object(elf.objects(program.pid), path)
            lib.equal("flags", one["flags"], ["replaced"])
            lib.equal("old build-id", one["build_id"], build_id)
            lib.equal("deleted", one["deleted"], True)
            done = lib.vmview("elf", program.pid)
            lib.true(f"{path} (deleted)" in done.out, done.out)


@lib.test
def library_replaced():
    """All figures are those of the file that is mapped, not of the one that has its name."""
    lib.need_root()
    with elf.workshop() as directory:
        path = build_library(directory)
        process = preloaded(path)
        try:
            wait_for_mapping(process, path)
            old = os.path.join(directory, "old.so")
            os.link(path, old)
            os.unlink(path)
            elf.build(directory, "lib.so",
                      ["gcc", "-shared", "-fPIC", "-DTEXTREL", "-Wl,-z,notext"])
            rows, _ = stale(process.pid)
            lib.equal("rows", [(key[1], row["state"]) for key, row in rows.items()],
                      [(path, "replaced")])
            one = elf.the_object(elf.objects(process.pid), path)
            elf.check_sections(one, old, elf.Pages(process.pid))
            lib.equal("flags", one["flags"], ["replaced"])
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()


@lib.test
def false_alarms():
    """A program in a memfd, and files whose names end in (deleted), were never replaced."""
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program (deleted)", ["gcc"])
        with elf.running(path) as program:
            rows, _ = stale(program.pid)
            lib.equal("a name that ends so", rows, {})
            one = elf.the_object(elf.objects(program.pid), path)
            lib.equal("flags", one["flags"], [])
            lib.equal("deleted", one["deleted"], False)
        fd = os.memfd_create("program")
        with open(path, "rb") as file:
            os.write(fd, file.read())
        process = subprocess.Popen([f"/proc/self/fd/{fd}"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, pass_fds=[fd])
        try:
            process.stdout.readline()
            rows, document = stale(process.pid)
            lib.equal("memfd", rows, {})
            lib.equal("nor counted", document["other_deleted"], 0)
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()
            os.close(fd)


@lib.test
def file_without_a_name():
    """O_TMPFILE: called by its inode and marked as deleted, but it never was anything else."""
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        fd = os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o755)
        inode = os.fstat(fd).st_ino
        with open(path, "rb") as file:
            os.write(fd, file.read())
        closed = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
        os.close(fd)
        process = subprocess.Popen([f"/proc/self/fd/{closed}"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, pass_fds=[closed])
        try:
            process.stdout.readline()
            name = f"{directory}/#{inode}"
            lib.equal("rows", stale(process.pid)[0], {})
            one = elf.the_object(elf.objects(process.pid), name)
            lib.equal("flags", one["flags"], [])
            # only its own inode makes such a name one that nobody gave
            named = f"{directory}/#{inode + 1}"
            os.link(path, named)
            with elf.running(named) as program:
                os.unlink(named)
                rows, _ = stale(program.pid)
                lib.equal("really called so", [row["state"] for row in rows.values()],
                          ["deleted"])
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()
            os.close(closed)


@lib.test
def same_inode_of_another_file_system():
    """What has the name now is another file, though its inode has the same number."""
    lib.need_mounts()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        inside = os.path.join(directory, "mnt")
        os.mkdir(inside)
        fill = f"mount -t tmpfs none {inside} && cp {path} {inside}/program"
        wrap = ["unshare", "-m", "sh", "-c", f"{fill} && exec {inside}/program"]
        with elf.running(path, argv=wrap) as program:
            pid = program.truth["pid"]
            enter = ["nsenter", "-m", f"--target={pid}", "sh", "-c"]
            inodes = [subprocess.run([*enter, f"{command}; stat -c %i {inside}/program"],
                                     check=True, stdout=subprocess.PIPE).stdout
                      for command in ("true", f"rm {inside}/program && {fill}")]
            if inodes[0] != inodes[1]:
                raise lib.Skipped("tmpfs numbers its inodes in another way")
            rows, _ = stale(pid)
            lib.equal("state", [row["state"] for row in rows.values()], ["replaced"])


@lib.test
def other_deleted_files():
    """A deleted file that is no program is only counted."""
    import mmap
    with elf.workshop() as directory:
        path = os.path.join(directory, "data")
        with open(path, "w+b") as file:
            file.write(b"x" * 8192)
            file.flush()
            with mmap.mmap(file.fileno(), 0) as view:
                view[0] = 1
                os.unlink(path)
                lib.need_root()
                rows, document = stale(os.getpid())
                lib.equal("rows", [key for key in rows if key[1] == path], [])
                lib.true(document["other_deleted"] >= 1, "it is counted")


@lib.test
def without_rights():
    """The same user, who may not open a deleted file: the kernel still tells its build-id."""
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        build_id = elf.build_id(path)
        wrap = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        with elf.running(path, *wrap) as program:
            os.unlink(path)
            rows, _ = stale(program.pid, user=NOBODY)
            row = rows[program.pid, path]
            lib.equal("state", row["state"], "deleted")
            lib.equal("build-id", row["build_id"], build_id)


@lib.test
def another_mount_namespace():
    """The path is one of the container's: here it leads nowhere, or to another file."""
    lib.need_mounts()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        inside = os.path.join(directory, "mnt")
        os.mkdir(inside)
        here = elf.build(inside, "program", ["gcc", "-s"])
        script = (f"mount -t tmpfs none {inside} && cp {path} {inside}/program && "
                  f"exec {inside}/program")
        wrap = ["unshare", "-m", "sh", "-c", script]
        with elf.running(path, argv=wrap) as program:
            one = elf.the_object(elf.objects(program.truth["pid"]), here)
            pages = elf.Pages(program.truth["pid"])
            elf.check_sections(one, path, pages)
            lib.equal("build-id", one["build_id"], elf.build_id(path))
            enter = ["nsenter", "-m", f"--target={program.truth['pid']}"]
            subprocess.run([*enter, "rm", f"{inside}/program"], check=True)
            rows, _ = stale(program.truth["pid"])
            lib.equal("gone there, though not here", rows[program.truth["pid"], here]["state"],
                      "deleted")
            subprocess.run([*enter, "cp", "/bin/true", f"{inside}/program"], check=True)
            rows, _ = stale(program.truth["pid"])
            lib.equal("replaced there", rows[program.truth["pid"], here]["state"], "replaced")


@lib.test
def below_a_chroot():
    """The path is not one of the process's own: in our mount namespace, and in one of its own."""
    lib.need_mounts()
    with elf.workshop() as directory:
        root = os.path.join(directory, "root")
        os.makedirs(os.path.join(root, "mnt"))
        path = elf.build(root, "program", ["gcc", "-static"])
        inside = os.path.join(root, "mnt", "program")
        away = (f"mount -t tmpfs none {root}/mnt && cp {path} {inside} && "
                f"exec chroot {root} /mnt/program")
        for wrap, name in ((["chroot", root, "/program"], path),
                           (["unshare", "-m", "sh", "-c", away], inside)):
            with elf.running(path, argv=wrap) as program:
                pid = program.truth["pid"]
                enter = ["nsenter", "-m", f"--target={pid}"]
                lib.equal("nothing yet", stale(pid)[0], {})
                build_id = elf.build_id(path)
                subprocess.run([*enter, "mv", name, name + ".new"], check=True)
                subprocess.run([*enter, "cp", "/bin/true", name], check=True)
                lib.equal("renamed", stale(pid)[0], {})
                subprocess.run([*enter, "mv", name, name + ".true"], check=True)
                subprocess.run([*enter, "mv", name + ".new", name], check=True)
                subprocess.run([*enter, "rm", name], check=True)
                row = stale(pid)[0][pid, name]
                lib.equal("deleted", (row["state"], row["build_id"]), ("deleted", build_id))
                subprocess.run([*enter, "mv", name + ".true", name], check=True)
                lib.equal("replaced", stale(pid)[0][pid, name]["state"], "replaced")
                elf.build(root, "program", ["gcc", "-static"])


COPY = """
import ctypes, os, shutil, sys, time
time.sleep(0.2)
shutil.copyfile(sys.argv[1], sys.argv[2])
ctypes.CDLL(sys.argv[2])
os.unlink(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
"""


@lib.test
def libraries_of_its_own():
    """As JNA does: copied out, loaded and unlinked. Nothing is to be restarted for it."""
    lib.need_root()
    with elf.workshop() as directory:
        path, copy = build_library(directory), os.path.join(directory, "jna.so")
        other = os.path.join(directory, "other.so")
        shutil.copy2(path, other)
        process = subprocess.Popen([sys.executable, "-c", COPY, path, copy], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        user = preloaded(other)
        try:
            lib.equal("ready", process.stdout.readline(), b"ready\n")
            rows, document = stale(process.pid)
            lib.equal("state", rows[process.pid, copy]["state"], "own")
            lib.equal("own", document["own"], 1)
            lib.equal("restart", document["restart"], [])
            done = lib.vmview("elf", "--stale", process.pid)
            lib.true("No process maps" in done.out and "1 program file written" in done.out,
                     done.out)
            # written before the process began: somebody else's
            wait_for_mapping(user, other)
            os.unlink(other)
            rows, document = stale(user.pid)
            lib.equal("state", rows[user.pid, other]["state"], "deleted")
            lib.equal("restart", [one["pid"] for one in document["restart"]], [user.pid])
        finally:
            for one in process, user:
                one.stdin.close()
                one.wait()


@lib.test
def whole_machine():
    """--all: whatever runs here, it ends, and what it says is valid."""
    lib.need_root()
    with elf.workshop() as directory:
        path = elf.build(directory, "program", ["gcc"])
        with elf.running(path) as program:
            os.unlink(path)
            document = lib.vmview_json("elf", "--stale", "--all", status=None)
            pids = {row["pid"] for row in document["stale"] if row["path"] == path}
            lib.equal("found among all", pids, {program.pid})


lib.done()
