"""Markdown and LaTeX in, judged formulas out."""
