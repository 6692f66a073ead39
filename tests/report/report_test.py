#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `sluice report`, opened in Chromium without network: of no run, of one, of ten thousand."""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))
import chromium

DESK, PHONE = 1100, 360
TIME_PLOTS = ["states", "rows", "rate", "age", "duration", "duplicates", "rejected", "stages"]
HOSTILE = "</script><img src=x onerror='document.title=1'><!--" + "ha" * 40
DAY_MS = 86_400_000
SMALLEST_CONTRAST = 4.5  # WCAG 2.1, level AA, of text


class Database:
    """One of our own in the cluster of the tests, migrated. A history is of a pipeline named after it."""

    def __init__(self) -> None:
        cluster = dict(line.split("=", 1) for line in Path(os.environ["SLUICE_TEST_POSTGRES"]).read_text().splitlines())
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "SLUICE_"))}
        self._variables = ours | {name: value for name, value in cluster.items() if name.startswith("PG")}
        self._temporary = tempfile.TemporaryDirectory(prefix="sluice-report-")
        self.folder = Path(self._temporary.name)
        self._name = f"report_{secrets.token_hex(6)}"
        self._psql(f"CREATE DATABASE {self._name}")
        self._variables["PGDATABASE"] = self._name
        self._run(os.environ["SLUICE_BINARY"], "migrate")

    def close(self) -> None:
        self._variables["PGDATABASE"] = "postgres"
        self._psql(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._temporary.cleanup()

    def page(self, pipeline: str, runs: int, words: str = "words") -> Path:
        """The report of so many hourly runs; `words` is what its worker, a field and an error are called."""
        if runs:
            history = (Path(__file__).parent / "history.sql").read_text()
            values = {"pipeline": pipeline, "runs": runs, "worker": words, "field": words, "error": words}
            self._psql(history, *(f"--set={name}={value}" for name, value in values.items()))
        file = self.folder / f"{pipeline}.json"
        shipped = (REPOSITORY / "pipelines/user_logins/pipeline.json").read_text()
        file.write_text(shipped.replace('"name": "user_logins"', f'"name": "{pipeline}"'))
        page = self.folder / f"{pipeline}.html"
        self._run(os.environ["SLUICE_BINARY"], "report", "--pipeline", str(file), "--output", str(page))
        return page

    def _psql(self, script: str, *options: str) -> None:
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, script=script)

    def _run(self, *words: str, script: str = "") -> None:
        done = subprocess.run(words, env=self._variables, input=script, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{words[:2]} ended with {done.returncode}: {done.stderr}")


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        database = Database()
        cls.addClassCleanup(database.close)
        cls.none = database.page("none", 0)
        cls.one = database.page("one", 1)
        cls.many = database.page("many", 10_000)
        cls.hostile = database.page("hostile", 300, HOSTILE)
        cls.browser = chromium.Chromium()
        cls.addClassCleanup(cls.browser.close)

    def open(self, page: Path, width: int = DESK, **wishes: str | bool) -> None:
        """Nothing but the page itself is asked for, and nothing is complained of."""
        self.browser.open(page, width, 800, **wishes)
        self.assertEqual(self.browser.requests, [page.as_uri()])
        self.assertEqual(self.browser.trouble, [])
        self.assertIsNone(self.browser.value("document.documentElement.dataset.error"))

    def drawn(self) -> list[str]:
        return self.browser.value("document.documentElement.dataset.drawn").split()

    def marks(self) -> dict[str, int]:
        """Of each plot."""
        return self.browser.value(
            """Object.fromEntries([...document.querySelectorAll("#plots section > svg")].map((svg) => [svg.id,
            [...svg.querySelectorAll("[data-series]")].map((path) => path.getAttribute("d").split("M").length - 1)
            .reduce((sum, each) => sum + each, 0)]))"""
        )

    def text(self, selector: str) -> str:
        return self.browser.value(f"document.querySelector({json.dumps(selector)}).innerText")

    def points(self, page: Path) -> list[dict[str, int]]:
        [embedded] = re.findall(r'id="history">(.*?)</script>', page.read_text(), re.DOTALL)
        return json.loads(embedded)["points"]

    def assert_not_wider_than(self, width: int) -> None:
        self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), width)

    def test_of_no_run_it_says_what_to_do(self) -> None:
        self.open(self.none)
        self.assertEqual(self.drawn(), [])
        self.assertIn("No run has been recorded yet", self.text(".empty"))
        self.assertEqual(self.browser.value("document.querySelectorAll('.figures > div').length"), 6)

    def test_of_one_run_each_plot_has_its_one_mark(self) -> None:
        self.open(self.one)
        expected = dict.fromkeys(TIME_PLOTS, 1) | {"stages": 7, "reasons": 4, "days": 2}
        self.assertEqual(self.marks(), expected)
        self.assertEqual(self.drawn(), list(expected))
        self.assertEqual(self.text("#thinned"), "")

    def test_of_ten_thousand_runs_each_mark_is_those_of_some_days_and_the_page_says_so(self) -> None:
        self.assertLess(self.many.stat().st_size, 1_000_000)
        points = self.points(self.many)
        self.assertEqual(sum(point["runs"] for point in points), 10_000)
        for width, days in ((DESK, 2), (PHONE, 7)):
            with self.subTest(width):
                self.open(self.many, width)
                slots = len({point["at"] // (days * DAY_MS) for point in points})
                rejections = len({point["at"] // DAY_MS // days for point in points})
                self.assertEqual(
                    self.marks(),
                    dict.fromkeys(TIME_PLOTS, slots) | {"stages": 7 * slots, "reasons": 4, "days": 2 * rejections},
                )
                self.assertIn("10,000 runs are 834 points", self.text("#thinned"))
                self.assertIn(f"the same {days} days", self.text("#thinned"))

    def test_on_a_phone_nothing_is_wider_than_it_also_with_all_tables_open(self) -> None:
        for page in (self.none, self.one, self.many, self.hostile):
            with self.subTest(page.name):
                self.open(page, PHONE)
                self.assert_not_wider_than(PHONE)
                self.browser.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
                self.browser.value("new Promise((done) => setTimeout(done))")  # their toggle events
                tables = self.browser.value("document.querySelectorAll('table').length")
                self.assertEqual(tables, len(self.drawn()))
                self.assert_not_wider_than(PHONE)

    def test_a_page_that_becomes_narrower_is_drawn_again(self) -> None:
        self.open(self.many)
        wide = self.marks()
        self.browser.resize(PHONE, 800)
        self.browser.value(
            """new Promise((done) => { const look = () => document.querySelector("#rows").viewBox.baseVal.width < 400
            ? done(0) : requestAnimationFrame(look); look(); })"""
        )
        self.assertLess(self.marks()["rows"], wide["rows"])
        self.assert_not_wider_than(PHONE)

    def test_each_plot_has_its_numbers_as_a_table(self) -> None:
        self.open(self.many)
        rows = self.browser.value(
            """Promise.all([...document.querySelectorAll("#plots section")].map((section) => new Promise((done) => {
            const details = section.querySelector("details");
            details.addEventListener("toggle", () => done([section.querySelector("svg[role]").id,
              details.querySelectorAll("tbody tr").length]));
            details.open = true; }))).then(Object.fromEntries)"""
        )
        points = self.points(self.many)
        days = len({point["at"] // DAY_MS // 2 for point in points})  # four hundred rows are enough
        self.assertEqual(rows, dict.fromkeys(TIME_PLOTS, len(points)) | {"reasons": 3, "days": days})

    def test_each_plot_has_a_name_and_a_description(self) -> None:
        self.open(self.one)
        named = self.browser.value(
            """[...document.querySelectorAll("svg[role=img]")].map((svg) => svg.getAttribute("aria-labelledby")
            .split(" ").map((id) => svg.querySelector(":scope > #" + id).textContent))"""
        )
        self.assertEqual(len(named), len(self.drawn()))
        for name, description in named:
            self.assertTrue(name and description, named)

    def test_the_mark_under_the_pointer_or_the_arrow_keys_is_told(self) -> None:
        self.open(self.many)
        x, y = self.browser.value(
            """(() => { const svg = document.getElementById("rows"); svg.scrollIntoView({ block: "center" });
            const box = svg.getBoundingClientRect(); return [box.right - 30, box.top + 40]; })()"""
        )
        self.browser.tell("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.assertRegex(self.text("#tip"), r"2026, .* UTC to .* UTC: \d+ runs, worker words\s+Rows loaded\s+[\d,]+")
        lines = "document.querySelectorAll('.cursor[visibility=visible]').length"
        self.assertEqual(self.browser.value(lines), len(TIME_PLOTS))
        self.browser.value("document.getElementById('states').focus({ focusVisible: true })")
        seen = set()
        for key in ("Home", "ArrowRight", "ArrowRight", "End", "ArrowLeft"):
            self.browser.tell("Input.dispatchKeyEvent", type="keyDown", key=key)
            self.assertIn("as planned", self.text("#tip"))
            seen.add(self.text("#tip"))
        self.assertEqual(len(seen), 5)
        self.browser.tell("Input.dispatchKeyEvent", type="keyDown", key="Escape")
        self.assertTrue(self.browser.value("document.getElementById('tip').hidden"))
        self.assertEqual(self.browser.value(lines), 0)

    def test_a_tap_tells_and_the_next_one_elsewhere_ends_it(self) -> None:
        self.open(self.one, PHONE)
        self.browser.tell("Emulation.setTouchEmulationEnabled", enabled=True)
        self.addCleanup(self.browser.tell, "Emulation.setTouchEmulationEnabled", enabled=False)
        for selector, is_hidden in (("#rows", False), ("#rate", False), ("h2", True)):
            x, y = self.browser.value(
                """((element) => { element.scrollIntoView({ block: "center" });
                const box = element.getBoundingClientRect(); return [box.left + 20, box.top + box.height / 2];
                })(document.querySelector(%s))"""
                % json.dumps(selector)
            )
            self.browser.tell("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
            self.browser.tell("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            self.assertEqual(self.browser.value("document.getElementById('tip').hidden"), is_hidden, selector)
            if not is_hidden:
                self.assertIn(self.text(f"section:has({selector}) h2"), self.text("#tip"))

    def test_what_names_hold_is_shown_and_does_nothing(self) -> None:
        self.open(self.hostile)
        self.browser.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        self.browser.value("new Promise((done) => setTimeout(done))")
        self.assertEqual(self.browser.value("document.querySelectorAll('img').length"), 0)
        self.assertEqual(self.browser.value("document.title"), "hostile · sluice report")
        # Its worker, its error, its field.
        self.assertIn(HOSTILE[:100], self.text("section:has(#states) tbody tr:nth-child(300)"))
        self.assertIn(HOSTILE, self.text("section:has(#states) tbody tr:nth-child(300)"))
        self.assertIn(HOSTILE, self.text("section:has(#reasons) tbody"))
        self.assertEqual(self.browser.trouble, [])

    def test_it_is_seen_in_light_and_in_dark(self) -> None:
        for page in (self.none, self.one, self.many):
            for scheme, is_light in (("light", True), ("dark", False)):
                with self.subTest(f"{page.name} {scheme}"):
                    self.open(page, PHONE, scheme=scheme)
                    small = {"x": 0, "y": 0, "width": PHONE, "height": 800, "scale": 0.5}
                    counted = chromium.colours(self.browser.screenshot(clip=small))
                    [(ground, pixels)] = counted.most_common(1)
                    self.assertEqual(min(ground) > 200, is_light, ground)
                    self.assertLess(pixels, sum(counted.values()) * 0.99)
                    self.assertGreater(len(counted), 20)

    def test_text_stands_out_from_its_ground_in_both_schemes(self) -> None:
        for scheme in ("light", "dark"):
            self.open(self.many, scheme=scheme)
            for selector in ("h1", "header p", ".figures b", ".figures small", ".note", "h2", ".about", ".legend li",
                             ".legend i", "summary", "#rows text.end", "#reasons text.name", "#states text.glyph"):
                with self.subTest(f"{selector} {scheme}"):
                    contrast = self.browser.value(
                        """((element) => {
                          const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
                          const style = getComputedStyle(element);
                          const luminance = (colour) => numbers(colour).slice(0, 3).map((each) => each / 255)
                            .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
                            .reduce((sum, each, i) => sum + each * [0.2126, 0.7152, 0.0722][i], 0);
                          const ink = luminance(element instanceof SVGElement ? style.fill : style.color);
                          const ground = luminance(getComputedStyle(document.body).backgroundColor);
                          return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
                        })(document.querySelector(%s))"""
                        % json.dumps(selector)
                    )
                    self.assertGreaterEqual(contrast, SMALLEST_CONTRAST)

    def test_times_are_in_the_zone_of_whoever_reads_and_in_utc(self) -> None:
        self.open(self.one, zone="America/St_Johns")
        self.assertIn("America/St_Johns; UTC stands beside them", self.text("#zone"))
        self.browser.value("document.querySelector('details').open = true")
        self.browser.value("new Promise((done) => setTimeout(done))")
        self.assertIn("27 Sep 2025, 22:37:00 (01:07:00 UTC)", self.text("tbody"))

    def test_without_javascript_the_figures_are_there(self) -> None:
        self.open(self.many, scripts=False)
        self.assertIn("10,000 runs", self.text(".figures"))
        self.assertIn("JavaScript, which is off", self.text("main"))


if __name__ == "__main__":
    if not chromium.program():
        print("skipped: no Chromium here; make setup installs it")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    unittest.main()
