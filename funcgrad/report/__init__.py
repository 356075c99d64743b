"""Layer of funcgrad: report."""
