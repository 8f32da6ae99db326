"""Whole runs: targets loaded, checked here or in processes of their own, and summarised."""
