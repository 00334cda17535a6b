"""Plays the host for unit tests: the module `weir` and `meta`, with storage in memory and answers from mocks/.

For quick tests of single functions. What the pipeline makes of an event (limits, order, retries, secrets) is what
`weir test` shows, on the engine itself.
"""

import json as _json
import re as _re
from pathlib import Path as _Path
from types import SimpleNamespace as _Namespace
from urllib.parse import parse_qs as _parse_qs
from urllib.parse import urlsplit as _urlsplit

_FOLDER = _Path(__file__).parent.parent


class RetryError(Exception):
    """Raise it to be called again later with the same arguments."""


class HttpError(Exception):
    """A request that got no answer. `kind` says why."""

    def __init__(self, message, kind="network"):
        super().__init__(message)
        self.kind = kind


captured = []


def capture(event, properties=None, *, distinct_id=None, timestamp=None):
    """Collects, for assertions."""
    made = {"event": event, "properties": dict(properties or {})}
    captured.append(made | {"distinct_id": distinct_id, "timestamp": timestamp})


def sleep(_seconds):
    """Waits for nothing."""


class Response:
    def __init__(self, status, headers, body, url):
        self.status, self.headers, self.body, self.url = status, headers, body, url

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return _json.loads(self.body)


class Http:
    """Answers from the files in mocks/, the first that fits."""

    def __init__(self):
        self.requests = []
        self._mocks = []
        for path in sorted((_FOLDER / "mocks").glob("*.json")):
            read = _json.loads(path.read_text())
            read = read.get("mocks", read) if isinstance(read, dict) else read
            self._mocks += read if isinstance(read, list) else [read]

    def request(self, method, url, *, headers=None, body=None, json=None, redirect="follow"):
        headers = {name.lower(): str(value) for name, value in (headers or {}).items()}
        if json is not None:
            body = _json.dumps(json, ensure_ascii=False, separators=(",", ":"))
            headers.setdefault("content-type", "application/json")
        self.requests.append(_Namespace(method=method, url=url, headers=headers, body=body))
        for mock in self._mocks:
            if _fits(mock["request"], method, url, headers, body):
                return _answer(mock, url)
        raise HttpError(f"no mock answers {method} {url}; add one to mocks/", "no_mock")

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)


def _answer(mock, url):
    turns = mock.get("responses") or [{"fail": mock["fail"]} if "fail" in mock else mock["response"]]
    turn = min(mock.get("turn", 0), len(turns) - 1)
    mock["turn"] = turn + 1
    response = turns[turn]
    if "fail" in response:
        raise HttpError(f"the mock plays a failure: {response['fail']}", response["fail"])
    body = _json.dumps(response["json"]) if "json" in response else response.get("body", "")
    return Response(response.get("status", 200), response.get("headers", {}), body.encode(), url)


def _fits(wanted, method, url, headers, body):
    parts = _urlsplit(url)
    query = {name: values[0] for name, values in _parse_qs(parts.query, keep_blank_values=True).items()}
    whole = url if "?" in wanted["url"] else url.partition("?")[0]
    wanted_body = wanted.get("body")
    return (
        wanted.get("method", method).upper() == method.upper()
        and _like(wanted["url"], whole)
        and all(_like(value, query.get(name)) for name, value in wanted.get("query", {}).items())
        and all(_like(value, headers.get(name.lower())) for name, value in wanted.get("headers", {}).items())
        and (wanted_body is None or _holds(wanted_body, body or ""))
    )


def _holds(wanted, body):
    if isinstance(wanted, str):
        return _like(wanted, body)
    try:
        return _contains(wanted, _json.loads(body))
    except ValueError:
        return False


def _contains(wanted, given):
    if isinstance(wanted, str):
        return isinstance(given, str) and _like(wanted, given)
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            key in given and _contains(value, given[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(given, list) and len(wanted) == len(given) and all(map(_contains, wanted, given))
    return wanted == given


def _like(pattern, given):
    """`*` stands for any run of characters."""
    if given is None:
        return False
    parts = pattern if isinstance(pattern, str) else _json.dumps(pattern)
    return _re.fullmatch(".*".join(map(_re.escape, parts.split("*"))), given, _re.DOTALL) is not None


class Storage:
    def __init__(self, values=None):
        self.values = dict(values or {})

    def get(self, key, default=None):
        return self.values.get(key, default)

    def set(self, key, value):
        self.values[key] = _json.loads(_json.dumps(value, allow_nan=False))

    def delete(self, key):
        self.values.pop(key, None)

    def add(self, key, by=1):
        self.values[key] = self.values.get(key, 0) + by
        return self.values[key]


class Cache(Storage):
    def set(self, key, value, ttl_seconds=None):
        super().set(key, value)

    def incr(self, key):
        return self.add(key)


class Metrics:
    def __init__(self):
        self.values = {}

    def increment(self, name, by=1):
        self.values[name] = self.values.get(name, 0) + by

    def max(self, name, value):
        self.values[name] = max(self.values.get(name, value), value)

    def min(self, name, value):
        self.values[name] = min(self.values.get(name, value), value)


class Log:
    def __init__(self):
        self.lines = []

    def __getattr__(self, level):
        return lambda *values: self.lines.append((level, " ".join(map(str, values))))


http = Http()


class Meta:
    """The last argument of every function. Defaults of plugin.json hold unless `config` says otherwise."""

    def __init__(self, config=None, storage=None, cache=None, attachments=None):
        fields = _json.loads((_FOLDER / "plugin.json").read_text()).get("config", [])
        defaults = {field["key"]: field["default"] for field in fields if field.get("default") is not None}
        self.config = defaults | dict(config or {})
        self.attachments = dict(attachments or {})
        self.globals = _Namespace()
        self.storage, self.cache = Storage(storage), Cache(cache)
        self.http = Http()
        self.metrics, self.log = Metrics(), Log()
        self.geoip = _Namespace(locate=lambda _ip: None)
