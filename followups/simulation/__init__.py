"""A clinic without patients: its people, places and cases, told through the services that people use.

Nobody here is real. History is made by a clock that is moved, so every promise, reminder and audit line is what the
product itself would have made of it. The demonstration is a few weeks of it up to the present; the proof is a year of
it, with everything that goes wrong in one.
"""
