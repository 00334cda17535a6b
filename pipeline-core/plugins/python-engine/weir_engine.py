"""The Python engine of Weir: a component that takes a plugin as text and runs it.

Guarantees that each event of a batch is reported as soon as it is finished, whatever the plugin raises.
Events are worked on one after the other; a plugin that waits holds up those behind it. One instance serves
one plugin for its life.
"""

import io
import json
import random
import sys

import wit_world
from componentize_py_types import Err
from wit_world.imports import log, report, types
from wit_world.imports import random as host_random

import weir
import weir_library
import weir_program

weir_library.collect()

program = None
meta = None


class Lines(io.TextIOBase):
    """`print` becomes lines of the log."""

    def __init__(self, level):
        self.level = level
        self.begun = ""

    def writable(self):
        return True

    def write(self, text):
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            self._line(line)
        return len(text)

    def end(self):
        if self.begun:
            self._line(self.begun)
            self.begun = ""

    def _line(self, line):
        log.line(self.level, line.encode(errors="replace").decode())


def end_lines():
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Lines):
            stream.end()


def files():
    return program.files.texts if program is not None else {}


class WitWorld(wit_world.WitWorld):
    def load(self, source):
        global program, meta
        sys.stdout, sys.stderr = Lines(log.Level.INFO), Lines(log.Level.ERROR)
        # Seeded while the engine was made, the same for everybody; from here on by the host.
        random.seed(int.from_bytes(host_random.bytes(32)))
        sys.setrecursionlimit(500)
        try:
            meta = weir.Meta()
            program = weir_program.Program(source)
        except BaseException as error:
            texts = {file.path for file in source.files}
            raise Err(weir_program.failure(error, texts)) from None
        finally:
            end_lines()

    def describe(self):
        return program.description()

    def process_batch(self, events):
        process = program.functions.get("processEvent", lambda event, meta: event)
        for index, event in enumerate(events):
            weir._in_hand = index
            report.in_hand(index)
            report.finished(index, outcome(process, event.text))
        end_lines()

    def call(self, call):
        weir._in_hand = 0
        report.in_hand(0)
        try:
            result = run(call)
            return None if result is None else weir.to_json(result)
        except BaseException as error:
            raise Err(weir_program.failure(error, files())) from None
        finally:
            end_lines()


def outcome(process, text):
    event = json.loads(text)
    team = event.get("team_id")
    try:
        result = process(event, meta)
        if result is None:
            return report.Outcome_Dropped()
        if not isinstance(result, dict):
            raise TypeError("process_event must return an event, or None to drop it")
        if result.get("team_id") != team:
            result["team_id"] = team
            raise ValueError("the plugin tried to change event.team_id")
        return report.Outcome_Passed(weir.to_json(result))
    except BaseException as error:
        return report.Outcome_Failed((weir_program.failure(error, files()), changed(event, team)))


def changed(event, team):
    """The event with what was done to it in place before the error."""
    try:
        event["team_id"] = team
        return weir.to_json(event)
    except Exception:
        return None


# Calls with JSON as their argument.
WITH_JSON = {
    types.Call_Event: "onEvent",
    types.Call_Snapshot: "onSnapshot",
    types.Call_Events: "exportEvents",
    types.Call_Webhook: "composeWebhook",
}
WITHOUT = {types.Call_Setup: "setupPlugin", types.Call_Teardown: "teardownPlugin", types.Call_Settings: "getSettings"}


def run(call):
    if isinstance(call, types.Call_Wake):
        return None
    if isinstance(call, types.Call_Job):
        job = program.jobs.get(call.value.name)
        if job is None:
            raise LookupError(f"there is no job {call.value.name!r} in jobs")
        return job(json.loads(call.value.payload), meta)
    if isinstance(call, types.Call_Schedule):
        return program.functions.get(call.value, lambda meta: None)(meta)
    name = WITHOUT.get(type(call))
    if name is not None:
        return program.functions.get(name, lambda meta: None)(meta)
    name = WITH_JSON[type(call)]
    return program.functions.get(name, lambda value, meta: None)(json.loads(call.value), meta)
