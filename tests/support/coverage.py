#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py BUILD: lines that were run since the counters were cleared, a line a folder, and every line that was
not run of the folders that the promises rest on. Needs gcovr."""
import collections
import json
import os
import subprocess
import sys

PROMISES = ('checkpoint', 'job/mask', 'job/pipeline', 'job/warehouse')


def measured(build):
    """file → {line: times run}"""
    report = subprocess.run(
        ['gcovr', '--root', '.', '--object-directory', build, '--filter', 'checkpoint/', '--filter', 'job/',
         '--exclude-throw-branches', '--json', '-j', str(os.cpu_count()), build],
        check=True, stdout=subprocess.PIPE).stdout
    return {file['file']: {line['line_number']: line['count'] for line in file['lines'] if not line.get('gcovr/noncode')}
            for file in json.loads(report)['files']}


def print_shares(files):
    lines = collections.Counter()
    run = collections.Counter()
    for name, counts in files.items():
        for place in (os.path.dirname(name), 'all'):
            lines[place] += len(counts)
            run[place] += sum(1 for count in counts.values() if count > 0)
    for place in sorted(lines, key=lambda each: (each == 'all', each)):
        print(f'{place:16} {run[place]:6} of {lines[place]:6} lines  {100 * run[place] / lines[place]:5.1f} %')


def print_missed(files):
    for name in sorted(files):
        missed = [line for line, count in files[name].items() if count == 0]
        if os.path.dirname(name) not in PROMISES or not missed:
            continue
        print(f'\n{name}: {len(missed)} lines not run')
        with open(name, encoding='utf-8') as source:
            text = source.read().splitlines()
        for line in sorted(missed):
            print(f'{line:5}  {text[line - 1]}')


files = measured(sys.argv[1])
print_shares(files)
print_missed(files)
