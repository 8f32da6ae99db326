"""What asv measures in every commit: the implementations that ship with gradlab, and gradlab itself."""
