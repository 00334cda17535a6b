"""Takes personal data out of the properties of events."""

from collections import Counter

from patterns import CARD, EMAIL, PHONE, is_card

KINDS = ("email", "phone", "card")


def listed(text):
    return {part.strip() for part in (text or "").split(",") if part.strip()}


def setup_plugin(meta):
    kinds = listed(meta.config["kinds"])
    unknown = kinds.difference(KINDS)
    if unknown:
        raise ValueError(f"kinds has {', '.join(sorted(unknown))}; possible are {', '.join(KINDS)}")
    meta.globals.kinds = kinds
    meta.globals.leave_alone = listed(meta.config.get("leave_alone"))


def process_event(event, meta):
    found = Counter()
    properties = event.get("properties") or {}
    for name, value in properties.items():
        if name not in meta.globals.leave_alone:
            properties[name] = scrub(value, meta.globals.kinds, found)
    if found:
        properties["$pii_scrubbed"] = dict(found)
        for kind, count in found.items():
            meta.metrics.increment(f"{kind}s", count)
    return event


def scrub(value, kinds, found):
    if isinstance(value, str):
        return scrub_text(value, kinds, found)
    if isinstance(value, list):
        return [scrub(element, kinds, found) for element in value]
    if isinstance(value, dict):
        return {name: scrub(element, kinds, found) for name, element in value.items()}
    return value


def scrub_text(text, kinds, found):
    def replaced(kind):
        found[kind] += 1
        return f"[{kind}]"

    def card(match):
        digits = [character for character in match.group() if character.isdigit()]
        return replaced("card") if is_card(digits) else match.group()

    if "email" in kinds and "@" in text:
        text = EMAIL.sub(lambda _: replaced("email"), text)
    # Cards before phones: a card in groups looks like a phone number.
    if "card" in kinds:
        text = CARD.sub(card, text)
    if "phone" in kinds:
        text = PHONE.sub(lambda _: replaced("phone"), text)
    return text
