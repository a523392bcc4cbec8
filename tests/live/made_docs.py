#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is made from the program's tables is what this program's tables say."""
import glob
import os
import subprocess
import tempfile

import lib


def made(name):
    """A file as the build made it, or as it came in the tarball."""
    beside = os.path.join(lib.BUILD, name)
    with open(beside if os.path.exists(beside) else os.path.join(lib.SRC, name),
              encoding="utf-8") as file:
        return file.read()


def tool(name, *args):
    subprocess.run([os.path.join(lib.SRC, "tools", name), lib.VMVIEW, *args], check=True)


@lib.test
def schema():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "schema.json")
        tool("json-schema", os.path.join(lib.SRC, "share/vmview.schema.json.in"), path)
        with open(path, encoding="utf-8") as file:
            fresh = file.read()
    lib.true(made("share/vmview.schema.json") == fresh, "the schema is not what its tables say")
    lib.true(lib.vmview("--json-schema").out == fresh, "--json-schema is another one")


@lib.test
def man_pages():
    sources = sorted(glob.glob(os.path.join(lib.SRC, "man", "*.in")))
    assert len(sources) >= 20, sources
    with tempfile.TemporaryDirectory() as directory:
        tool("man-page", directory, *sources)
        for source in sources:
            name = os.path.basename(source).removesuffix(".in")
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                lib.true(made(f"man/{name}") == file.read(), f"{name} is not what its tables say")


lib.done()
