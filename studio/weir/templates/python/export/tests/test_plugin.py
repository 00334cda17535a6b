import json
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "testing")]

from weir import Meta, RetryError  # noqa: E402

from plugin import export_events, setup_plugin  # noqa: E402


def events(*names):
    return [{"uuid": f"{index}", "event": name, "distinct_id": "ada", "properties": {}} for index, name in enumerate(names)]


class Batches(unittest.TestCase):
    def test_a_batch_is_one_request(self):
        meta = Meta({"api_key": "sesame"})
        export_events(events("purchase", "purchase"), meta)
        [request] = meta.http.requests
        self.assertEqual(request.headers["authorization"], "Bearer sesame")
        self.assertEqual(len(json.loads(request.body)["events"]), 2)

    def test_a_busy_service_is_tried_again(self):
        meta = Meta()
        with self.assertRaises(RetryError):
            export_events(events("rush"), meta)
        export_events(events("rush"), meta)

    def test_one_that_refuses_is_not(self):
        with self.assertRaisesRegex(RuntimeError, "refused 1 events: 400 unknown event"):
            export_events(events("unwanted"), Meta())

    def test_an_address_that_is_not_https_is_refused(self):
        with self.assertRaisesRegex(ValueError, "must begin with https"):
            setup_plugin(Meta({"url": "http://collector.example.com"}))


if __name__ == "__main__":
    unittest.main()
