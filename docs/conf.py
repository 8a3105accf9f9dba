"""Settings of sphinx. ``tox -e docs`` builds the pages into docs/_build/html."""

import os

import glassclf

project = "glassclf"
author = copyright = "the glassclf developers"
version = release = glassclf.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "scikit-learn estimators for particle configurations"}

# Lists of members come from the template of autosummary, not a second time from numpydoc.
numpydoc_show_class_members = False
autosummary_generate = True
# Methods that a search inherits from scikit-learn refer to pages and a glossary of its own. No page
# of ours uses these roles.
suppress_warnings = ["ref.ref", "ref.term"]
# The types stand in the docstrings, with shapes and units.
autodoc_typehints = "none"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    # The examples train networks for minutes, and CI has run them from the README before it builds
    # the pages, so by default the gallery only shows them.
    "plot_gallery": os.environ.get("GLASSCLF_RUN_GALLERY") == "1",
    "download_all_examples": False,
    "show_memory": False,
}
