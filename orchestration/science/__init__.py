"""Maths on tables, Dagster-free: each file is one method, and says when it abstains."""
