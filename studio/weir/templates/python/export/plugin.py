"""Sends stored events to a URL, a batch in each request."""

from weir import HttpError, RetryError


def setup_plugin(meta):
    url = meta.config["url"]
    if not url.startswith("https://"):
        raise ValueError(f'"URL" must begin with https://; got "{url}"')


# The host gathers stored events and calls this when there are enough, or when the oldest has waited long enough.
def export_events(events, meta):
    url, key = meta.config["url"], meta.config.get("api_key")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        answer = meta.http.post(url, headers=headers, json={"events": [row(event) for event in events]})
    except HttpError as error:
        # No answer at all: the network, or a timeout. The host calls again with the same events.
        raise RetryError(f"Could not reach {url}: {error}") from error
    if answer.status == 429 or answer.status >= 500:
        raise RetryError(f"The service is busy ({answer.status})")
    if not answer.ok:
        raise RuntimeError(f"The service refused {len(events)} events: {answer.status} {answer.text}")
    meta.log.info(f"{len(events)} events sent")


def row(event):
    fields = ("event", "distinct_id", "timestamp", "properties")
    return {"id": event.get("uuid")} | {field: event.get(field) for field in fields}
