"""Sphinx configuration: `make docs`. Nothing is downloaded."""

from importlib.metadata import version as installed_version

project = "archgym"
author = "The archgym developers"
release = version = installed_version("archgym")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "archgym"

default_role = "code"
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
