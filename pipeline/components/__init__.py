"""The spaCy pipes, one a file. They meet in the ``Doc`` and never import each other."""
