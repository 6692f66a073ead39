# SPDX-License-Identifier: Apache-2.0
"""The tests of the tests: one thing wrong in cron/kubernetes/, and the test that must go red over it."""

import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import manifests


def assert_noticed(
    test: unittest.TestCase, suite: type[unittest.TestCase], beginning: str, file: str, text: str, replacement: str
) -> None:
    """By the test of `suite` whose name begins so. One that is skipped here is skipped for its faults too."""
    with test.subTest(f"{file}: {text} → {replacement}"), tempfile.TemporaryDirectory() as folder:
        shutil.copytree(manifests.FOLDER, folder, dirs_exist_ok=True)
        broken = Path(folder, file)
        test.assertIn(text, broken.read_text())
        broken.write_text(broken.read_text().replace(text, replacement, 1))
        [name] = [each for each in dir(suite) if each.startswith(f"test_{beginning}")]
        result = unittest.TestResult()
        with mock.patch.object(manifests, "FOLDER", Path(folder)):
            suite(name).run(result)
        test.assertEqual(result.errors, [])
        test.assertTrue(result.failures or result.skipped, f"{name} stayed green")
