"""Scorers, cross-validation and reports; run as ``python -m evaluation --help``.

The pipeline never imports this package. What is compared here is compared as
:class:`evaluation.deals.Deal`, whether it comes from a gold file, the development set's JSON,
the pipeline or a baseline, so that every system is judged by the same code.
"""
