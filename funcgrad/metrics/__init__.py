"""Layer of funcgrad: metrics."""
