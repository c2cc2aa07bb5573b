"""Maths on tables, Dagster-free: one folder or file a subject, and each says when it abstains."""
