#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmview numa against the zoo, the kernel's numa_maps, and what nobody may see."""
import subprocess

import lib

NODES = "/sys/devices/system/node/online"


def one_node():
    with open(NODES, encoding="ascii") as file:
        if file.read().strip() != "0":
            raise lib.Skipped("the machine has more than one node")


def mapping_of(document, start):
    for mapping in document["processes"][0]["mappings"]:
        if mapping["start"] == start:
            return mapping
    raise lib.Failed(f"no mapping at {start}")


@lib.test
def bytes_on_the_node():
    one_node()
    with lib.zoo("touched", "thp") as zoo:
        document = lib.vmview_json("numa", zoo.pid)
        for animal in ("touched", "thp"):
            truth = zoo.truth[animal]["mappings"][0]
            got = mapping_of(document, truth["start"])
            for key in ("resident", "n0"):
                lib.equal(f"{animal} {key}", got[key], truth["rss"])
            lib.equal(f"{animal} remote", got["remote"], 0)
            lib.equal(f"{animal} policy", got["policy"], "default")


@lib.test
def policy_of_a_process():
    one_node()
    program = ("import ctypes,sys;ctypes.CDLL(None).syscall(238,3,"
               "ctypes.byref(ctypes.c_ulong(1)),64);print(flush=True);sys.stdin.read()")
    with subprocess.Popen(["/usr/bin/python3", "-c", program], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        document = lib.vmview_json("numa", process.pid)
        with open(f"/proc/{process.pid}/numa_maps", encoding="utf-8") as file:
            want = {"0x" + line.split()[0].lstrip("0"): line.split()[1] for line in file}
        process.stdin.close()
        process.wait()
    found = 0
    for mapping in document["processes"][0]["mappings"]:
        if mapping["start"] in want:
            lib.equal(mapping["start"], mapping["policy"], want[mapping["start"]])
            found += 1
    lib.true(found > 10, f"only {found} mappings compared")
    lib.true(any(policy == "interleave:0" for policy in want.values()), "no policy was set")


@lib.test
def sum_of_rows():
    with lib.zoo("touched", "thp", "zero") as zoo:
        process = lib.vmview_json("numa", zoo.pid)["processes"][0]
        total = sum(mapping["resident"] or 0 for mapping in process["mappings"])
        lib.equal("total", process["total"]["resident"], total)
        lib.equal("nodes", sum(node["resident"] for node in process["nodes"]), total)
        lib.equal("threads", sum(node["threads"] for node in process["nodes"]), 1)


@lib.test
def pages_of_the_kernel_are_told():
    """numa_maps leaves them out; their frames tell."""
    lib.need_root()
    with lib.zoo("vdso") as zoo:
        mapped = lib.vmview_json(zoo.pid)["processes"][0]["mappings"]
        rss = [mapping["rss"] for mapping in mapped if mapping["path"] == "[vdso]"]
        process = lib.vmview_json("numa", zoo.pid)["processes"][0]
        vdso = [mapping for mapping in process["mappings"] if mapping["path"] == "[vdso]"]
        lib.equal("vdsos", len(vdso), 1)
        lib.equal("resident", [vdso[0]["resident"]], rss)
        lib.equal("policy", vdso[0]["policy"], "default")


@lib.test
def nobody_is_told_why():
    with lib.zoo("touched") as zoo:
        document = lib.vmview_json("numa", zoo.pid, user=65534, status=1)
        process = document["processes"][0]
        lib.equal("mappings", process["mappings"], None)
        lib.equal("complete", document["complete"], False)
        lib.true(process["missing"]["mappings"].startswith("denied"), process["missing"])


@lib.test
def kernel_thread():
    document = lib.vmview_json("numa", 2)
    lib.equal("mappings", document["processes"][0]["mappings"], None)


lib.done()
