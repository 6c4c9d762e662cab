"""What is measured, one file a group, found by being there.

A group's file has ``figures(session) -> list[Figure]``, and ``ON_REQUEST = True`` if it is measured only when it is
named. ``case(...)`` of a file makes one of its cases; asv times the same.
"""
