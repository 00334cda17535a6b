"""What a plugin can ask of Weir: `from weir import http, capture, RetryError`.

Everything here is also on `meta`. Calls that take time return when the answer is there; other events of
the batch wait meanwhile.
"""

import json as _json
from types import SimpleNamespace as _Namespace

from wit_world.imports import cache as _cache
from wit_world.imports import clock as _clock
from wit_world.imports import config as _config
from wit_world.imports import geoip as _geoip
from wit_world.imports import http as _http
from wit_world.imports import jobs as _jobs
from wit_world.imports import log as _log
from wit_world.imports import metrics as _metrics
from wit_world.imports import report as _report
from wit_world.imports import storage as _storage
from wit_world.imports import waiting as _waiting

# The event that is being worked on, by its place in the batch.
_in_hand = 0


class RetryError(Exception):
    """Raise it to be called again later with the same arguments."""


class HttpError(Exception):
    """A request that got no answer. `kind` says why: refused, no_mock, network, timeout or too_large."""

    def __init__(self, message, kind):
        super().__init__(message)
        self.kind = kind


class Overdue(BaseException):
    """The event has waited longer than it may. Not to be caught: it is reported in any case."""


def to_json(value):
    """JSON as the pipeline writes it; numbers that JSON does not know are an error."""
    text = _json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair can only be written as an escape.
        return _json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text


def _answer(call):
    while True:
        wakes = _waiting.wait()
        _report.in_hand(_in_hand)
        if not wakes:
            raise RuntimeError("waiting for an answer that nobody will give")
        for wake in wakes:
            if isinstance(wake, _waiting.Wake_Overdue):
                _waiting.cancel(call)
                raise Overdue
            if wake.value.call == call:
                return wake.value.answer


def sleep(seconds):
    """Waits. Counts as waiting, not as computing."""
    _answer(_waiting.sleep(seconds * 1000.0))


class Response:
    """The answer to a request."""

    def __init__(self, answer):
        self.status = answer.status
        self.status_text = answer.status_text
        self.url = answer.url
        self.redirected = answer.redirected
        self.headers = {}
        for name, value in answer.headers:
            name = name.lower()
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self.body = bytes(answer.body)

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return _json.loads(self.body)


class _Http:
    def request(self, method, url, *, headers=None, body=None, json=None, redirect="follow"):
        """Sends a request and returns its answer; raises HttpError when there is none."""
        headers = dict(headers or {})
        if json is not None:
            body = to_json(json)
            headers.setdefault("content-type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        rule = {
            "follow": _http.Redirect.FOLLOW,
            "manual": _http.Redirect.MANUAL,
            "error": _http.Redirect.ERROR,
        }[redirect]
        pairs = [(str(name), str(value)) for name, value in headers.items()]
        answer = _answer(_http.start(_http.Request(method.upper(), url, pairs, body, rule)))
        if isinstance(answer, _waiting.Answer_Trouble):
            raise HttpError(answer.value.message, answer.value.kind.name.lower())
        return Response(answer.value)

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)


class _Storage:
    """Durable values of this plugin: anything JSON can hold."""

    def get(self, key, default=None):
        text = _storage.get(key)
        return default if text is None else _json.loads(text)

    def set(self, key, value):
        _storage.set(key, to_json(value))

    def delete(self, key):
        _storage.delete(key)

    def add(self, key, by=1):
        """Adds to a number and returns the sum; lanes that count at once lose nothing."""
        return _storage.add(key, float(by))


class _Cache:
    """Short-lived values, shared by all instances of the plugin and gone with the process."""

    def get(self, key, default=None):
        text = _cache.get(key)
        return default if text is None else _json.loads(text)

    def set(self, key, value, ttl_seconds=None):
        _cache.set(key, to_json(value), None if ttl_seconds is None else float(ttl_seconds))

    def incr(self, key):
        return int(_cache.incr(key))

    def expire(self, key, ttl_seconds):
        return _cache.expire(key, float(ttl_seconds))

    def lpush(self, key, *elements):
        return _cache.lpush(key, [to_json(element) for element in elements])

    def lrange(self, key, first, last):
        return [_json.loads(element) for element in _cache.lrange(key, first, last)]

    def llen(self, key):
        return _cache.llen(key)

    def lpop(self, key, count=1):
        return [_json.loads(element) for element in _cache.lpop(key, count)]

    def lrem(self, key, count, element):
        return _cache.lrem(key, count, to_json(element))


class _GeoIp:
    def locate(self, ip):
        """The record of an address as the reader of a MaxMind City database gives it, or None."""
        text = _geoip.locate(ip)
        return None if text is None else _json.loads(text)


_UNITS_MS = {
    "milliseconds": 1, "seconds": 1000, "minutes": 60_000, "hours": 3_600_000, "days": 86_400_000,
    "weeks": 604_800_000,
}


class _Job:
    def __init__(self, name, payload):
        self._name = name
        self._payload = to_json(payload)

    def run_at(self, when):
        """`when` is a datetime or milliseconds since 1970."""
        at_ms = when.timestamp() * 1000.0 if hasattr(when, "timestamp") else float(when)
        _jobs.enqueue(self._name, self._payload, at_ms)

    def run_now(self):
        self.run_at(_clock.now_micros() / 1000.0)

    def run_in(self, duration, unit="seconds"):
        unit = unit if unit.endswith("s") else unit + "s"
        if unit not in _UNITS_MS:
            raise ValueError(f"unknown unit {unit!r}; use one of {', '.join(_UNITS_MS)}")
        self.run_at(_clock.now_micros() / 1000.0 + duration * _UNITS_MS[unit])


class _Jobs:
    """`meta.jobs.NAME(payload).run_in(5, "minutes")`."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda payload=None: _Job(name, payload)


class _Metrics:
    def increment(self, name, by=1):
        _metrics.observe(name, _metrics.Operation.SUM, float(by))

    def max(self, name, value):
        _metrics.observe(name, _metrics.Operation.MAXIMUM, float(value))

    def min(self, name, value):
        _metrics.observe(name, _metrics.Operation.MINIMUM, float(value))


class _Log:
    """Lines in the plugin's log. `print` writes there too."""

    def debug(self, *values):
        self._line(_log.Level.DEBUG, values)

    def info(self, *values):
        self._line(_log.Level.INFO, values)

    def warn(self, *values):
        self._line(_log.Level.WARN, values)

    def error(self, *values):
        self._line(_log.Level.ERROR, values)

    def _line(self, level, values):
        _log.line(level, " ".join(str(value) for value in values).encode(errors="replace").decode())


def capture(event, properties=None, *, distinct_id=None, timestamp=None):
    """Makes a new event, which goes through the pipeline like one that was sent."""
    made = {"event": event, "properties": dict(properties or {})}
    if distinct_id is not None:
        made["distinct_id"] = distinct_id
    if timestamp is not None:
        made["timestamp"] = timestamp.isoformat() if hasattr(timestamp, "isoformat") else timestamp
    _report.emit(to_json(made))


http = _Http()
storage = _Storage()
cache = _Cache()
geoip = _GeoIp()
jobs = _Jobs()
metrics = _Metrics()
log = _Log()


class Meta:
    """What every function of a plugin gets as its last argument."""

    def __init__(self):
        self.config = _json.loads(_config.values())
        self.name = _config.name()
        self.id = _config.id()
        self.attachments = {given.key: given for given in _config.attachments()}
        # Kept from call to call, and lost with the instance.
        self.globals = _Namespace()
        self.http, self.storage, self.cache, self.geoip = http, storage, cache, geoip
        self.jobs, self.metrics, self.log = jobs, metrics, log
