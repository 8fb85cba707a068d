"""How Sphinx builds the site, the same for both languages; ``docs/site/build.py`` says which."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from sphinx.locale import get_translation  # noqa: E402

import lucidgrad as lg  # noqa: E402
from docs.site.sources import pages, translated  # noqa: E402
from docs.site.words import LANGUAGES, THEME, WORDS  # noqa: E402

project = "lucidgrad"
author = "lucidgrad"
version = release = lg.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "docs.site.mathml",
    "docs.site.korean_search",
    "docs.site.autolink",
]
nitpicky = False
default_role = "code"
show_warning_types = True
suppress_warnings = ["ref.python"]  # a word in a type, such as "columns", that several classes have

myst_enable_extensions = ["dollarmath", "attrs_block", "attrs_inline", "html_image", "colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False
toc_object_entries_show_parents = "hide"

HANGUL = "'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', 'Lucid Hangul'"
html_theme = "furo"
html_title = "lucidgrad"
html_math_renderer = "mathml"
html_static_path = ["static", "../../src/lucidgrad/plot/fonts/LucidHangul-Regular.ttf"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sourcelink = True
html_show_copyright = False
templates_path = ["templates"]
html_theme_options = {
    "top_of_page_buttons": ["view"],  # templates/components/view-this-page.html: the switch of languages
    "navigation_with_keys": True,
    "light_css_variables": {
        "color-brand-primary": "#0b62a8",
        "color-brand-content": "#0b62a8",
        "font-stack": f"Inter, 'Segoe UI', system-ui, -apple-system, {HANGUL}, sans-serif",
        "font-stack--monospace": f"ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', {HANGUL}, monospace",
    },
    "dark_css_variables": {"color-brand-primary": "#6cb6f5", "color-brand-content": "#6cb6f5"},
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def tell_page(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the templates the same page in the other language, and say where there is none."""
    here = app.config.language
    there = "ko" if here == "en" else "en"
    path = f"{page}.html"
    english_only = {p.with_suffix("").as_posix() for p in pages()} - {
        p.with_suffix("").as_posix() for p in translated()
    }
    context["other_language"] = LANGUAGES[there]
    context["other_code"] = there
    context["other_page"] = context["pathto"](f"ko/{path}" if there == "ko" else f"../{path}", 1)
    context["only_english"] = page in english_only or (page.startswith("api/") and page != "api/index")
    context["untranslated"] = WORDS["ko"]["untranslated"]
    if here == "ko":
        context["_"] = context["gettext"] = lambda text: THEME.get(text.strip()) or get_translation("sphinx")(text)


TEXTS: dict[str, str] = {}


def keep_text(app: Any, doctree: Any, page: str) -> None:
    """For search: a site that is opened as files cannot fetch its own pages to show what stands around a word."""
    TEXTS[f"{page}.html"] = " ".join(doctree.astext().split())


def write_texts(app: Any, error: Exception | None) -> None:
    """Write the texts of all pages into a script."""
    script = f"window.SITE_TEXTS = {json.dumps(TEXTS, ensure_ascii=False)};\n"
    (Path(app.outdir) / "_static" / "texts.js").write_text(script, encoding="utf-8")


def plain_bars(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """|d| in a docstring is the size of d; reStructuredText would look for something to put in its place."""
    example = False
    for i, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if "|" in line and not example:
            parts = line.split("``")  # every second one is code
            lines[i] = "``".join(part.replace("|", "\\|") if i % 2 == 0 else part for i, part in enumerate(parts))


def only_ours(app: Any, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn adds to its estimators by itself (``set_fit_request``, ...)."""
    return True if str(getattr(value, "__module__", "")).startswith("sklearn") else None


def setup(app: Any) -> None:
    """Connect."""
    app.connect("autodoc-skip-member", only_ours)
    app.connect("autodoc-process-docstring", plain_bars)
    app.connect("html-page-context", tell_page)
    app.connect("doctree-resolved", keep_text)
    app.connect("build-finished", write_texts)
