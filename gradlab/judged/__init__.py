"""The process in which code under test runs, and nothing else; the one that judges it gets arrays from there."""
