"""The calls that an application makes; the suite checks what arrives."""

import os

from posthog import Posthog

client = Posthog("phc_python", host=os.environ["WEIR_CAPTURE"], gzip=True)
client.capture("looked", distinct_id="anon-1")
client.alias(previous_id="anon-1", distinct_id="user-1")
client.set(distinct_id="user-1", properties={"email": "user-1@example.com"})
client.capture("bought", distinct_id="user-1", properties={"price": 12.5, "title": "Käse & 🧀"})
client.shutdown()
