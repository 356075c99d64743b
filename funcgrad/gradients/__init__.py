"""Layer of funcgrad: gradients."""
