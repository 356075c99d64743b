"""Layer of funcgrad: plots."""
