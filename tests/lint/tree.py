# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the lints written in Python share: which files belong to the tree, and how a finding is told.

A lint takes the tree to look at as its only argument (default: the tree it is part of), prints one
`file:line: culprit` a finding, and exits with 1 if there was any. Files are found by walking, not
by asking git, so that a release tarball is judged like a checkout.
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = re.compile(r"^(build.*|__pycache__|\.git|\.cache|\.clangd)$")


def root():
    return os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", ".."))


def paths():
    """Every regular file, relative to the root, sorted."""
    top = root()
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not SKIPPED.match(name))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield os.path.relpath(path, top)


def text(path):
    """The content, or None where it is not text."""
    with open(os.path.join(root(), path), "rb") as file:
        data = file.read()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def is_script(content):
    return content.startswith("#!")


def blank_comments(source):
    """C source with comments as spaces; every line keeps its number, strings stay."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(
        lambda m: re.sub(r"[^\n]", " ", m.group()) if m.group().startswith("/") else m.group(), source)


class Findings:
    def __init__(self):
        self.count = 0

    def add(self, path, line, culprit):
        self.count += 1
        print(f"{path}:{line}: {culprit}")

    def finish(self):
        sys.exit(1 if self.count else 0)
