import unittest

from durations import parse, render


class Parse(unittest.TestCase):
    def test_one_unit(self):
        self.assertEqual(parse("45s"), 45)

    def test_several_units(self):
        self.assertEqual(parse("1h30m"), 5_400)


class Render(unittest.TestCase):
    def test_several_units(self):
        self.assertEqual(render(5_400), "1h30m")


if __name__ == "__main__":
    unittest.main()
