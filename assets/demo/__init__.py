"""An invented district whose every truth is known: people, homes, units, files and planted errors.

Every identity number carries the area code 990106, which no real card can have; every telephone
number starts with 154, a range chosen because no operator is known to give it to the public.
Nothing here describes anyone.
"""
