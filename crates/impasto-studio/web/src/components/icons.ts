/** The icons: 20 px, drawn with strokes in the colour of the text, hidden from screen readers. */

import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

function icon(shapes: SVGTemplateResult): TemplateResult {
  return html`<svg
    width="20"
    height="20"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    stroke-width="1.5"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${shapes}
  </svg>`;
}

export const icons = {
  add: icon(svg`<path d="M10 4v12M4 10h12" />`),
  auto: icon(
    svg`<circle cx="10" cy="10" r="6.5" /><path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" fill="currentColor" />`,
  ),
  brush: icon(
    svg`<path d="M16.5 3.5 9 11M6.5 11.2c1.7 0 3 1.3 3 2.8 0 2-1.7 3-4 3H3c1-1 1-2 1-3s1-2.8 2.5-2.8z" />`,
  ),
  chart: icon(svg`<path d="M3.5 3.5v13h13" /><path d="M6.5 6.5c1 5 3 6.5 9 7" />`),
  check: icon(svg`<path d="m4 10.5 4 4 8-9" />`),
  clock: icon(svg`<circle cx="10" cy="10" r="6.5" /><path d="M10 6v4l2.5 2" />`),
  close: icon(svg`<path d="m5 5 10 10M15 5 5 15" />`),
  compare: icon(
    svg`<rect x="3" y="4.5" width="6" height="11" /><rect x="11" y="4.5" width="6" height="11" />`,
  ),
  copy: icon(
    svg`<rect x="7" y="7" width="9.5" height="9.5" rx="1" /><path d="M13 7V4.5a1 1 0 0 0-1-1H4.5a1 1 0 0 0-1 1V12a1 1 0 0 0 1 1H7" />`,
  ),
  crop: icon(svg`<path d="M6 2.5V14h11.5M2.5 6H14v11.5" />`),
  device: icon(
    svg`<rect x="5.5" y="5.5" width="9" height="9" rx="1" /><path d="M8 5.5v-3M12 5.5v-3M8 17.5v-3M12 17.5v-3M5.5 8h-3M5.5 12h-3M17.5 8h-3M17.5 12h-3" />`,
  ),
  dots: icon(svg`<path d="M4.5 10h.01M10 10h.01M15.5 10h.01" stroke-width="2.5" />`),
  down: icon(svg`<path d="M10 3.5v9.5M6 9.5l4 4 4-4M3.5 16.5h13" />`),
  eraser: icon(
    svg`<path d="m8 16-4.5-4.5a1 1 0 0 1 0-1.4L10.6 3a1 1 0 0 1 1.4 0l4.5 4.5a1 1 0 0 1 0 1.4L9.5 16H8zM7 6.5l6 6M8 16.5h8.5" />`,
  ),
  eye: icon(
    svg`<path d="M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5z" /><circle cx="10" cy="10" r="2.2" />`,
  ),
  fit: icon(svg`<path d="M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4" />`),
  grid: icon(
    svg`<path d="M3.5 3.5h3v3h-3zM8.5 3.5h3v3h-3zM13.5 3.5h3v3h-3zM3.5 8.5h3v3h-3zM8.5 8.5h3v3h-3zM13.5 8.5h3v3h-3zM3.5 13.5h3v3h-3zM8.5 13.5h3v3h-3zM13.5 13.5h3v3h-3z" stroke-width="1.2" />`,
  ),
  help: icon(
    svg`<circle cx="10" cy="10" r="6.5" /><path d="M8 8.2c0-2.7 4.2-2.5 4.2 0 0 1.6-2.2 1.7-2.2 3.3M10 14h.01" />`,
  ),
  invert: icon(
    svg`<circle cx="10" cy="10" r="6.5" /><path d="M10 3.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />`,
  ),
  keep: icon(
    svg`<rect x="4.5" y="9" width="11" height="7.5" rx="1" /><path d="M6.5 9V7a3.5 3.5 0 0 1 7 0v2" />`,
  ),
  larger: icon(svg`<path d="M11.5 3.5h5v5M16.5 3.5l-6 6M8.5 16.5h-5v-5M3.5 16.5l6-6" />`),
  less: icon(svg`<path d="M4 10h12" />`),
  moon: icon(svg`<path d="M16 11.8A6.5 6.5 0 0 1 8.2 4 6.5 6.5 0 1 0 16 11.8z" />`),
  pause: icon(svg`<path d="M7 4.5v11M13 4.5v11" stroke-width="2" />`),
  play: icon(svg`<path d="M6.5 4v12l9-6z" />`),
  redo: icon(svg`<path d="M16.5 7.5H8a4 4 0 0 0 0 8h4M13.5 4.5l3 3-3 3" />`),
  search: icon(svg`<circle cx="8.5" cy="8.5" r="5" /><path d="m12.5 12.5 4 4" />`),
  sliders: icon(
    svg`<path d="M3.5 6h7M14.5 6h2M3.5 14h2M9.5 14h7" /><circle cx="12.5" cy="6" r="2" /><circle cx="7.5" cy="14" r="2" />`,
  ),
  split: icon(
    svg`<rect x="3.5" y="4.5" width="13" height="11" /><path d="M10 2.5v15" /><path d="M3.5 4.5H10v11H3.5z" fill="currentColor" />`,
  ),
  star: icon(
    svg`<path d="m10 3 2.1 4.6 5 .5-3.8 3.3 1.1 4.9L10 13.7l-4.4 2.6 1.1-4.9L2.9 8.1l5-.5z" />`,
  ),
  starred: icon(
    svg`<path d="m10 3 2.1 4.6 5 .5-3.8 3.3 1.1 4.9L10 13.7l-4.4 2.6 1.1-4.9L2.9 8.1l5-.5z" fill="currentColor" />`,
  ),
  sun: icon(
    svg`<circle cx="10" cy="10" r="3.2" /><path d="M10 2.5v2M10 15.5v2M2.5 10h2M15.5 10h2M4.7 4.7l1.4 1.4M13.9 13.9l1.4 1.4M4.7 15.3l1.4-1.4M13.9 6.1l1.4-1.4" />`,
  ),
  terminal: icon(
    svg`<rect x="2.5" y="3.5" width="15" height="13" rx="1" /><path d="m5.5 8 2.5 2-2.5 2M10 12.5h4" />`,
  ),
  trash: icon(
    svg`<path d="M3.5 5.5h13M8 5.5v-2h4v2M5 5.5l.8 11h8.4l.8-11M8.5 8.5v5M11.5 8.5v5" />`,
  ),
  undo: icon(svg`<path d="M3.5 7.5H12a4 4 0 0 1 0 8H8M6.5 4.5l-3 3 3 3" />`),
  upload: icon(svg`<path d="M10 13.5V4M6 7.5l4-4 4 4M3.5 16.5h13" />`),
  warning: icon(svg`<path d="M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.3h.01" />`),
};
