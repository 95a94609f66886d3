/**
 * Where a picture lies on the stage. Zoom is relative to the size at which the picture fits, and
 * the centre is relative to the picture. So the same part stays in view if the size changes.
 */

export interface Viewport {
  /** 1: the picture fits. */
  zoom: number;
  /** The point of the picture in the middle of the stage, 0 to 1. */
  x: number;
  y: number;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export type Pair = readonly [number, number];

export const FIT: Viewport = { zoom: 1, x: 0.5, y: 0.5 };

const MARGIN = 16;
const MOST_PIXELS = 16;

/** Returns CSS px for each px of the picture at zoom 1. */
export function fitScale(stage: Pair, picture: Pair): number {
  const room = [Math.max(1, stage[0] - 2 * MARGIN), Math.max(1, stage[1] - 2 * MARGIN)] as const;
  return Math.min(room[0] / picture[0], room[1] / picture[1]);
}

/** Returns the zoom at which one px of the picture is one px of the screen. */
export function zoomOfPixels(stage: Pair, picture: Pair, ratio: number): number {
  return 1 / (fitScale(stage, picture) * ratio);
}

/** Returns the box of the picture on the stage, in CSS px. */
export function boxOf(view: Viewport, stage: Pair, picture: Pair): Box {
  const scale = fitScale(stage, picture) * view.zoom;
  const [width, height] = [picture[0] * scale, picture[1] * scale];
  return {
    left: stage[0] / 2 - view.x * width,
    top: stage[1] / 2 - view.y * height,
    width,
    height,
  };
}

/** Keeps the zoom in its range and the picture on the stage. */
export function clamped(view: Viewport, stage: Pair, picture: Pair, ratio: number): Viewport {
  const pixels = zoomOfPixels(stage, picture, ratio);
  const zoom = Math.min(
    Math.max(view.zoom, Math.min(1, pixels)),
    Math.max(1, pixels * MOST_PIXELS),
  );
  const box = boxOf({ ...view, zoom }, stage, picture);
  return {
    zoom,
    x: clampAxis(view.x, box.width, stage[0]),
    y: clampAxis(view.y, box.height, stage[1]),
  };
}

function clampAxis(centre: number, side: number, room: number): number {
  if (side <= room) return 0.5;
  const half = (room / 2 - MARGIN) / side;
  return Math.min(Math.max(centre, half), 1 - half);
}

/** Zooms by a factor. The point of the picture under `at` (CSS px on the stage) stays there. */
export function zoomedAbout(
  view: Viewport,
  stage: Pair,
  picture: Pair,
  at: Pair,
  factor: number,
  ratio: number,
): Viewport {
  const wanted = clamped({ ...view, zoom: view.zoom * factor }, stage, picture, ratio);
  const before = boxOf(view, stage, picture);
  const after = boxOf(wanted, stage, picture);
  const x = (at[0] - before.left) / before.width + (stage[0] / 2 - at[0]) / after.width;
  const y = (at[1] - before.top) / before.height + (stage[1] / 2 - at[1]) / after.height;
  return clamped({ zoom: wanted.zoom, x, y }, stage, picture, ratio);
}

/** Moves the picture by CSS px. */
export function moved(
  view: Viewport,
  stage: Pair,
  picture: Pair,
  by: Pair,
  ratio: number,
): Viewport {
  const box = boxOf(view, stage, picture);
  const next = { ...view, x: view.x - by[0] / box.width, y: view.y - by[1] / box.height };
  return clamped(next, stage, picture, ratio);
}

/** Returns the seen part of a picture as x, y, width, height in its px, rounded outwards. */
export function seenPart(box: Box, stage: Pair, picture: Pair): [number, number, number, number] {
  const scale = picture[0] / box.width;
  const left = Math.max(0, Math.floor(-box.left * scale));
  const top = Math.max(0, Math.floor(-box.top * scale));
  const right = Math.min(picture[0], Math.ceil((stage[0] - box.left) * scale));
  const bottom = Math.min(picture[1], Math.ceil((stage[1] - box.top) * scale));
  return [left, top, Math.max(1, right - left), Math.max(1, bottom - top)];
}
