"""A plugin as text: its modules, its functions, and where in it something went wrong."""

import importlib.abc
import importlib.util
import inspect
import sys

from wit_world.imports import types

import weir

METHODS = {
    "setup_plugin": "setupPlugin",
    "teardown_plugin": "teardownPlugin",
    "process_event": "processEvent",
    "on_event": "onEvent",
    "on_snapshot": "onSnapshot",
    "export_events": "exportEvents",
    "compose_webhook": "composeWebhook",
    "get_settings": "getSettings",
}
SCHEDULES = {"run_every_minute": "runEveryMinute", "run_every_hour": "runEveryHour", "run_every_day": "runEveryDay"}

# Where packages lie that came with the plugin.
LIBRARY = "lib/"


class Files(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules among the plugin's own files."""

    def __init__(self, files):
        self.texts = {file.path: file.code for file in files}

    def path(self, name):
        base = name.replace(".", "/")
        for folder in ("", LIBRARY):
            for path, is_package in ((f"{folder}{base}.py", False), (f"{folder}{base}/__init__.py", True)):
                if path in self.texts:
                    return path, is_package
        # A folder without __init__.py is a package all the same.
        for folder in ("", LIBRARY):
            if any(path.startswith(f"{folder}{base}/") for path in self.texts):
                return None, True
        return None, False

    def find_spec(self, name, path=None, target=None):
        found, is_package = self.path(name)
        if found is None and not is_package:
            return None
        spec = importlib.util.spec_from_loader(name, self, origin=found, is_package=is_package)
        spec.has_location = found is not None
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        path, _ = self.path(module.__spec__.name)
        if path is not None:
            exec(compile(self.texts[path], path, "exec"), module.__dict__)


class Program:
    """A loaded plugin."""

    def __init__(self, program):
        self.files = Files(program.files)
        sys.meta_path.insert(0, self.files)
        name = program.entry.removesuffix(".py").replace("/", ".")
        spec = importlib.util.spec_from_loader(name, self.files, origin=program.entry)
        module = importlib.util.module_from_spec(spec)
        module.__file__ = program.entry
        sys.modules[name] = module
        exec(compile(self.files.texts[program.entry], program.entry, "exec"), module.__dict__)
        self.functions = {}
        for known in (METHODS, SCHEDULES):
            for python_name, wire_name in known.items():
                function = getattr(module, python_name, None)
                if callable(function):
                    self.functions[wire_name] = _fitting(function)
        jobs = getattr(module, "jobs", None)
        self.jobs = {name: _fitting(job) for name, job in jobs.items()} if isinstance(jobs, dict) else {}

    def description(self):
        schedules = [name for name in self.functions if name in SCHEDULES.values()]
        methods = [name for name in self.functions if name not in schedules]
        return types.Description(methods, schedules, list(self.jobs))


def _fitting(function):
    """Lets a function leave out `meta`, or all of its arguments."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return function
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    count = sum(parameter.kind in positional for parameter in parameters)
    return lambda *values: function(*values[:count])


def failure(error, files):
    """An exception as the host wants it; positions are those in the plugin's own files."""
    if isinstance(error, weir.Overdue):
        return types.Failure(types.FailureKind.OVERDUE, "", "", True)
    kind = types.FailureKind.MEMORY if isinstance(error, MemoryError) else types.FailureKind.EXCEPTION
    message = f"{type(error).__name__}: {_text(error)}"
    return types.Failure(kind, message, "\n".join(_frames(error, files)), isinstance(error, weir.RetryError))


def _text(error):
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        return text.encode(errors="replace").decode()
    except Exception:
        return "an error that cannot be shown"


def _frames(error, files):
    """Innermost first, as in the other languages."""
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename in files:
            column = 0
            for at, place in enumerate(code.co_positions()):
                if at == traceback.tb_lasti // 2:
                    column = place[2] or 0
                    break
            frames.append(f"    at {code.co_qualname} ({code.co_filename}:{traceback.tb_lineno}:{column + 1})")
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError) and error.filename in files:
        frames.append(f"    at <module> ({error.filename}:{error.lineno or 1}:{error.offset or 1})")
    # A recursion without end has a thousand frames that say the same.
    return list(reversed(frames))[:30]
