"""Layer of funcgrad: operators."""
