"""Pictures in HTML: scaled to the cell or page, in its theme, still shown where scripts and styles are removed."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from microgradlib.viz.markup import NO_MATHJAX, coordinate, element, escape, script_json
from microgradlib.viz.theme import SANS, page_style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST_DESCRIPTION: Final = 4000


@dataclass(frozen=True)
class State:
    """One state of a picture whose groups open and close.

    Args:
        width, height: its natural size, in pixels.
        markup: the content of its `<svg>`.
        title: one sentence for screen readers.
        description: the picture in words.
        moves: the number of the state that a click on each group leads to.

    """

    width: float
    height: float
    markup: str
    title: str
    description: str = ""
    moves: Mapping[str, int] = field(default_factory=dict)


def svg_document(state: State, *, name: str, fluid: bool = False) -> str:
    """Return a complete SVG document.

    Args:
        state: what it shows.
        name: the id of the root element, and the start of the ids of its title and description.
        fluid: as wide as what is around it, for HTML; otherwise of its natural size, for files.

    >>> svg_document(State(10, 20, "", "Two boxes"), name="g").partition(" font")[0]
    '<svg xmlns="http://www.w3.org/2000/svg" id="g" width="10" height="20" viewBox="0 0 10 20"'
    """
    description = state.description[:_LONGEST_DESCRIPTION]
    size: dict[str, str | float] = {"width": state.width, "height": state.height}
    if fluid:
        size = {"width": "100%", "style": "display:block;height:auto"}
    words = element("title", escape(state.title), id=f"{name}-title")
    words += element("desc", escape(description), id=f"{name}-desc") if description else ""
    return element(
        "svg",
        f"{words}\n{state.markup}",
        xmlns="http://www.w3.org/2000/svg",
        id=name,
        **size,
        viewBox=f"0 0 {coordinate(state.width)} {coordinate(state.height)}",
        font_family=SANS,
        # What has buttons inside is no image: screen readers do not look into images.
        role="group" if state.moves else "img",
        aria_labelledby=f"{name}-title",
        **({"aria_describedby": f"{name}-desc"} if description else {}),
    )


def page_part(states: Sequence[State], image: str, *, name: str) -> str:
    """Return HTML for a notebook cell or a page: never wider than the page, never enlarged, in the page's theme.

    JupyterLab removes the elements `<svg>`, `<style>` and `<script>`, though not the text in an `<svg>`, from the
    outputs of notebooks that it does not trust, such as downloaded ones. So the style shows the `<svg>` and hides an
    `<img>` that holds the picture once more; without the style, the image is what is seen.

    Args:
        states: the picture; several if groups open and close by click, the first is shown at first.
        image: an SVG file of the first state, with colours of its own.
        name: an id for the element; equal drawings may share it.

    >>> part = page_part([State(10, 20, "", "Two boxes")], "<svg/>", name="g")
    >>> part[:65], "script" in part
    ('<div id="g" class="mg-picture mathjax_ignore tex2jax_ignore"><sty', False)
    """
    parts = []
    for number, state in enumerate(states):
        svg = svg_document(state, name=f"{name}-s{number}", fluid=True)
        look = f"display:none;max-width:{coordinate(state.width)}px"
        parts.append(element("div", svg, class_="mg-state", style=look))
    style = page_style(name, "".join(parts))
    style += f"#{name} .mg-state:not([hidden]){{display:block!important}}#{name}>img{{display:none!important}}"
    if len(states) > 1:
        parts[1:] = [_script(states, parts[1:], name)]
        style += (
            f"#{name} .mg-button{{cursor:pointer;outline:none}}"
            f"#{name} .mg-button:focus-visible{{outline:2px solid var(--mg-ink);outline-offset:2px}}"
        )
    data = base64.b64encode(image.encode()).decode()
    first = states[0]
    picture = element(
        "img",
        src=f"data:image/svg+xml;base64,{data}",
        alt=first.title,
        style=f"width:100%;max-width:{coordinate(first.width)}px",
    )
    return f'<div id="{name}" class="mg-picture {NO_MATHJAX}"><style>{style}</style>{"".join(parts)}{picture}</div>'


def whole_page(part: str, *, title: str) -> str:
    """Return a page of its own, to save as a file.

    >>> whole_page("<p>", title="a < b").splitlines()[2]
    '<title>a &lt; b</title>'
    """
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>{escape(title)}</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{{margin:16px;background:#fff}}@media(prefers-color-scheme:dark){{body{{background:#14181f}}}}</style>
</head><body>
{part}
</body></html>
"""


def _script(states: Sequence[State], others: Sequence[str], name: str) -> str:
    """Return the few lines that change the state by click, Enter and Space, for all copies of the picture on a page.

    Args:
        states: all states.
        others: the elements of all but the first; compressed, as they have much in common.
        name: the id of the picture.

    """
    moves = script_json([dict(state.moves) for state in states])
    titles = script_json([state.title for state in states])
    packed = base64.b64encode(zlib.compress("\x00".join(others).encode(), 9)).decode()
    return f"""<span role="status" style="position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)">\
</span><script>(function(){{
var moves={moves},titles={titles},packed="{packed}",others;
function unpack(){{if(!others)others=new Response(new Blob([Uint8Array.from(atob(packed),function(c){{
return c.charCodeAt(0)}})]).stream().pipeThrough(new DecompressionStream("deflate"))).text()
.then(function(text){{return text.split("\\0")}});return others}}
document.querySelectorAll('[id="{name}"]').forEach(function(root){{
if(root.mgReady)return;root.mgReady=true;
var states=[root.querySelector(".mg-state")],now=0;
function find(e){{var b=e.target.closest&&e.target.closest("[data-mg-group]");return b&&root.contains(b)?b:null}}
function show(next,group){{
states[now].hidden=true;states[next].hidden=false;now=next;
root.querySelector("[role=status]").textContent=titles[next];
var again=states[next].querySelector('[data-mg-group="'+group+'"]');if(again)again.focus({{preventScroll:true}})}}
function go(b){{var group=b.getAttribute("data-mg-group"),next=moves[now][group];if(next===undefined)return;
if(states[next]){{show(next,group);return}}
unpack().then(function(all){{if(!states[next]){{var t=document.createElement("template");t.innerHTML=all[next-1];
states[next]=t.content.firstChild;root.insertBefore(states[next],root.querySelector("[role=status]"))}}
show(next,group)}})}}
root.addEventListener("click",function(e){{var b=find(e);if(b)go(b)}});
root.addEventListener("keydown",function(e){{if(e.key!=="Enter"&&e.key!==" ")return;
var b=find(e);if(b){{e.preventDefault();e.stopPropagation();go(b)}}}})}})}})()</script>"""
