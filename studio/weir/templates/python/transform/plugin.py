"""Writes e-mail addresses in one form and adds their hash and domain."""

import hashlib
import re

# Not every address there can be, but no text that is none.
ADDRESS = re.compile(r"[^\s@]{1,64}@([^\s@]{1,255})")


def process_event(event, meta):
    name = meta.config["property"]
    properties = event.get("properties") or {}
    given = properties.get(name)
    if not isinstance(given, str):
        return event
    address = given.strip().lower()
    found = ADDRESS.fullmatch(address)
    if found is None:
        # The text itself stays out of the log: it may be somebody's address all the same.
        meta.log.warn(f"{name} holds no address")
        return event
    salt = meta.config.get("salt") or ""
    properties[f"{name}_domain"] = found.group(1)
    properties[f"{name}_hash"] = hashlib.sha256((salt + address).encode()).hexdigest()
    if meta.config.get("keep") == "No":
        del properties[name]
    else:
        properties[name] = address
    return event
