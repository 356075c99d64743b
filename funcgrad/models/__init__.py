"""Layer of funcgrad: models."""
