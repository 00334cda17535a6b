"""The calls that an application makes; the suite checks what arrives."""

import os
import sys

from posthog import Posthog


def failed(error, _items):
    print(error, file=sys.stderr)
    os._exit(1)


client = Posthog(
    "phc_python",
    host=os.environ["WEIR_CAPTURE"],
    gzip=os.environ.get("WEIR_GZIP") == "1",
    capture_mode=os.environ.get("WEIR_CAPTURE_MODE"),
    on_error=failed,
)
client.capture("looked", distinct_id="anon-1", properties={"nested": {"list": [1, None, "x"]}})
client.alias(previous_id="anon-1", distinct_id="user-1")
client.set(distinct_id="user-1", properties={"email": "user-1@example.com"})
client.set_once(distinct_id="user-1", properties={"source": "first"})
client.capture(
    "bought",
    distinct_id="user-1",
    properties={"price": 12.5, "title": "Käse & 🧀", "$set": {"plan": "pro"}, "$set_once": {"source": "second"}},
    groups={"company": "acme"},
)
client.group_identify("company", "acme", {"seats": 3}, distinct_id="user-1")
if client.get_feature_flag("some-flag", "user-1", send_feature_flag_events=False):
    sys.exit("a flag that does not exist is on")
client.shutdown()
