"""The oversight body's witness: watches logs from another machine, cosigns what holds, raises alarms."""
