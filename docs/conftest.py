"""What Sphinx makes, and what it runs, is not for pytest."""

collect_ignore = ["_build", "conf.py", "extensions", "gallery", "generated"]
