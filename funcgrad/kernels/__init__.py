"""Layer of funcgrad: kernels."""
