#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No procfs on /proc, one that hides others, one without the machine's files: what was not looked
at is told, and never taken for an answer."""
import json
import subprocess

import lib

NOBODY = 65534
OF_ALL = {
    "elf --stale": ["elf", "--stale", "--all"],
    "swap": ["swap"],
    "map --total": ["map", "--total", "--all"],
    "share": ["share", "--all"],
    "numa": ["numa", "--all"],
    "huge": ["huge", "--all"],
    "live --batch": ["live", "--batch", "1"],
    "ps": ["ps"],
}


def below(mount, argv, user=None):
    """vmview in a mount namespace of its own."""
    lib.need_mounts()
    drop = f"setpriv --reuid={user} --regid={user} --clear-groups" if user else ""
    with lib.reachable(lib.VMVIEW) as program:
        script = f"mount --make-rprivate / && {mount} && exec {drop} {program} " + " ".join(argv)
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=60)
    return done


@lib.test
def no_procfs():
    for name, argv in OF_ALL.items():
        done = below("umount -l /proc && mount -t tmpfs none /proc", argv)
        lib.equal(f"status of {name}", done.returncode, 1)
        lib.true("is procfs mounted there?" in done.stderr, f"{name}: {done.stderr}")
        lib.true("No process maps" not in done.stdout, f"{name}: {done.stdout}")


@lib.test
def no_procfs_for_the_machine():
    for by in "process", "file":
        done = below("umount -l /proc && mount -t tmpfs none /proc", ["system", f"--by={by}"])
        lib.equal("status", done.returncode, 1)
        lib.true("kpageflags: unsupported: this /proc shows no files of the machine" in done.stderr,
                 done.stderr)


@lib.test
def others_are_hidden():
    """hidepid=2: of 65534 only what it started itself is there."""
    for name, argv in OF_ALL.items():
        if name == "live --batch":
            continue
        done = below("mount -t proc -o hidepid=2 none /proc", [*argv, "--json"], NOBODY)
        lib.true("processes of other users are hidden" in done.stderr, f"{name}: {done.stderr}")
        lib.equal(f"{name} is complete", json.loads(done.stdout)["complete"], False)
        if name == "elf --stale":
            lib.equal("why", json.loads(done.stdout)["missing"]["processes"],
                      "hidden: processes of other users (hidepid of /proc)")
            done = below("mount -t proc -o hidepid=2 none /proc", argv, NOBODY)
            lib.true("As far as could be read, no process" in done.stdout, done.stdout)


@lib.test
def processes_alone():
    """subset=pid: the kernel has what this mount does not show."""
    done = below("mount -t proc -o subset=pid none /proc", ["system"])
    lib.equal("status", done.returncode, 1)
    lib.true("not in this kernel" not in done.stderr and "subset=pid?" in done.stderr, done.stderr)


@lib.test
def too_few_descriptors():
    """EMFILE is none of rights, and no missing feature."""
    lib.need_root()
    with lib.zoo("touched") as zoo:
        for limit in range(4, 14):
            for argv in (["map"], ["pages"], ["huge"], ["elf", "--stale"], ["share"]):
                done = subprocess.run(["prlimit", f"--nofile={limit}", lib.VMVIEW, *argv,
                                       str(zoo.pid)], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      check=False, timeout=60)
                said = done.stdout + done.stderr
                lib.true(done.returncode in (0, 1), f"{argv} {limit}: status {done.returncode}")
                for wrong in ("no /proc/self/pagemap", "not in this kernel", "denied",
                              "did not end", "kernel thread", "zombie"):
                    lib.true(wrong not in said, f"{argv} with {limit}: {wrong}: {said[:400]}")


lib.done()
