"""How fast Trackrecord is, and how near that is to what the machine allows. `python -m bench --help`; docs/performance.md explains.

Each measure is one file with a function `measure(bench)` that returns a Result, and one row in MEASURES of __main__.py.
Whatever is measured is measured beside a yardstick in the same run, because absolute figures drift from machine to machine
and from minute to minute; the ratios stay. A figure may have a bar, what it is held to; the table says whether it is met.
"""
