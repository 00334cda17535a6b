"""The standard library inside the engine.

A component has no files, so everything a plugin may import has to be in memory when the engine is made.
What plugins use most is imported then; of the rest the source is kept, and compiled when it is asked for.
"""

import importlib
import importlib.abc
import importlib.util
import os
import sys
import zlib

PRELOADED = """
abc argparse array ast base64 binascii bisect calendar cmath codecs collections collections.abc colorsys
configparser contextlib contextvars copy copyreg csv dataclasses datetime decimal difflib email.utils enum
fnmatch fractions functools gzip hashlib heapq hmac html html.entities html.parser inspect io ipaddress
itertools json keyword locale logging math numbers operator os.path pathlib pprint queue quopri random re
reprlib secrets shlex statistics string stringprep struct sys textwrap threading time timeit token tokenize
tomllib traceback types typing unicodedata urllib.error urllib.parse uuid warnings weakref xml.etree.ElementTree
xml.sax.saxutils zlib zoneinfo
""".split()

# What needs a screen, a process or a package index, and what only tests Python itself.
LEFT_OUT = {
    "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "pydoc_data", "venv", "site-packages",
    "__pycache__", "multiprocessing", "unittest", "distutils", "_pyrepl", "curses", "sqlite3", "dbm", "turtle.py",
    "antigravity.py", "this.py", "webbrowser.py", "pip",
}

_sources = {}


class Library(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what was kept as source."""

    def find_spec(self, name, path=None, target=None):
        if name not in _sources:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=_sources[name][0])

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__spec__.name
        code = compile(zlib.decompress(_sources[name][1]), f"<python {name}>", "exec")
        exec(code, module.__dict__)


def _collect(folder, prefix):
    try:
        entries = sorted(os.listdir(folder))
    except OSError:
        return
    for entry in entries:
        path = os.path.join(folder, entry)
        if entry in LEFT_OUT:
            continue
        if entry.endswith(".py"):
            stem = entry[:-3]
            is_package = stem == "__init__"
            name = prefix.rstrip(".") if is_package else prefix + stem
            if name and name not in sys.modules:
                with open(path, "rb") as source:
                    _sources[name] = (is_package, zlib.compress(source.read(), 9))
        elif os.path.isdir(path) and os.path.exists(os.path.join(path, "__init__.py")):
            _collect(path, f"{prefix}{entry}.")


def collect():
    """Takes in the library; only while the engine is made."""
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(f"{name} is not part of this Python: {error}")
    home = os.path.dirname(os.__file__)
    _collect(home, "")
    sys.meta_path.append(Library())
