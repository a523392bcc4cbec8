#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is made from the program's tables is what this program's tables say."""
import glob
import os
import subprocess
import tempfile

import lib


@lib.test
def man_pages():
    sources = sorted(glob.glob(os.path.join(lib.SRC, "man", "*.in")))
    assert len(sources) >= 20, sources
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([os.path.join(lib.SRC, "tools/man-page"), lib.VMVIEW, directory, *sources],
                       check=True)
        for source in sources:
            name = os.path.basename(source).removesuffix(".in")
            beside = os.path.join(lib.BUILD, "man", name)
            path = beside if os.path.exists(beside) else os.path.join(lib.SRC, "man", name)
            with open(path, encoding="utf-8") as one, \
                    open(os.path.join(directory, name), encoding="utf-8") as other:
                lib.equal(name, one.read(), other.read())


lib.done()
