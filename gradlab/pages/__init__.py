"""Reports as pages: one file each, that opens from disk, asks for nothing, and can be read without a script."""
