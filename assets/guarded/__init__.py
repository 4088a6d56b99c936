"""Workbooks that go out to be filled in and come back: written guarded, read with distrust."""
