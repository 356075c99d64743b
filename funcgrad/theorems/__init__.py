"""Layer of funcgrad: theorems."""
