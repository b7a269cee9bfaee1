"""Workbooks as Excel files (Office Open XML), written row by row."""

from core.adapters.excel.book import write

__all__ = ["write"]
