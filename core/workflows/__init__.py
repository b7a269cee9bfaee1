"""Workflows: what joins the rooms. They see ports, never adapters."""
