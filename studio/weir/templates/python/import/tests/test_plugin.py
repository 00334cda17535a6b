import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "testing")]

import weir  # noqa: E402

from plugin import run_every_hour  # noqa: E402


class Orders(unittest.TestCase):
    def setUp(self):
        weir.captured.clear()

    def test_each_order_is_imported_once(self):
        meta = weir.Meta()
        run_every_hour(meta)
        self.assertEqual([made["properties"]["order_id"] for made in weir.captured], [1001, 1002])
        self.assertEqual(meta.storage.get("last_order"), 1002)
        run_every_hour(meta)
        self.assertEqual(len(weir.captured), 2)

    def test_a_shop_that_is_closed_is_an_error_and_the_cursor_stays(self):
        meta = weir.Meta({"url": "https://closed.example.com/orders"}, storage={"last_order": 7})
        with self.assertRaisesRegex(RuntimeError, "answered 503"):
            run_every_hour(meta)
        self.assertEqual(meta.storage.get("last_order"), 7)


if __name__ == "__main__":
    unittest.main()
