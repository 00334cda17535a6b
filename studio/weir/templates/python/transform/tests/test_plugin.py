import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "testing")]

from weir import Meta  # noqa: E402

from plugin import process_event  # noqa: E402


def processed(email, **config):
    return process_event({"event": "signed up", "properties": {"email": email}}, Meta(config))["properties"]


class Addresses(unittest.TestCase):
    def test_every_spelling_of_an_address_has_one_hash(self):
        spellings = ["ada@example.com", " ADA@example.com", "Ada@Example.Com "]
        found = [processed(email) for email in spellings]
        self.assertEqual({properties["email"] for properties in found}, {"ada@example.com"})
        self.assertEqual(len({properties["email_hash"] for properties in found}), 1)

    def test_a_salt_makes_it_another_hash(self):
        plain, salted = processed("ada@example.com"), processed("ada@example.com", salt="pepper")
        self.assertNotEqual(plain["email_hash"], salted["email_hash"])

    def test_an_address_that_is_not_to_be_kept_goes(self):
        self.assertEqual(set(processed("ada@example.com", keep="No")), {"email_domain", "email_hash"})

    def test_what_is_no_address_stays(self):
        self.assertEqual(processed("nobody"), {"email": "nobody"})


if __name__ == "__main__":
    unittest.main()
