"""Layer of funcgrad: spaces."""
