"""Layer of funcgrad: functionals."""
