"""Write the HTML template of `dvc plots` with Vega embedded, so that its pages work offline.

`make` runs it once, after the installation; .dvc/config.local then names the template.
"""

import subprocess
from pathlib import Path

import vl_convert

from facealign.core.command import run
from facealign.core.files import write_text

VEGA_LITE = "v5.21"  # the templates of DVC are of version 5

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>facealign: plots</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; color: #1c2430; margin: 1rem; }
main { display: flex; flex-wrap: wrap; gap: 1.5rem 2.5rem; align-items: flex-start; }
main img { max-width: min(100%, 30rem); height: auto; }
main div { white-space: normal !important; }
main p { margin: 0 0 .3rem; font-weight: 600; }
</style>
<script>
LIBRARY
</script>
</head>
<body>
<h1>facealign</h1>
<main>
{plot_divs}
</main>
</body>
</html>
"""


def main(page: Path) -> None:
    export = "window.vegaEmbed = vegaEmbed;"  # what the charts call
    # no text of the library may close the element that contains it
    library = vl_convert.javascript_bundle(export, VEGA_LITE).replace("</script", "<\\/script")
    write_text(page, _PAGE.replace("LIBRARY", library))
    # DVC resolves it from its own folder
    place = str(page.resolve().relative_to(Path(".dvc").resolve()))
    subprocess.run(["dvc", "config", "--local", "plots.html_template", place], check=True)


if __name__ == "__main__":
    run(main)
