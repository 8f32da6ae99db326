"""Implementations under test in processes of their own: what ends, hangs or fills one of them becomes a finding."""
