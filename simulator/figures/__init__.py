"""Figures and the report page: tables in, pictures out."""
