#!/usr/bin/env python3
"""Make impasto's own style pictures.

    python3 make.py OUT                      all seven pictures, into the folder OUT
    python3 make.py OUT --only mosaic        just one of them
    python3 make.py OUT --starry PICTURE     also reduce van Gogh's picture to gallery size

Every picture is computed from nothing but the numbers below: no photograph, no font, no brush
file. Each has its own seed, so the same versions of the tools give the same picture again.

Needs Python 3.11, numpy 2.4 and pillow 13.0 (the versions that made the stored pictures).
"""

import argparse
import math
from pathlib import Path

import numpy as np
from PIL import Image

# Pictures are painted at twice their final size and reduced at the end, so every edge is smooth.
WIDTH, HEIGHT = 1024, 768
SHAPE = (HEIGHT, WIDTH)
YY, XX = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)

QUALITY = 85  # JPEG quality to begin with; lowered only as far as a size limit asks


# ---------------------------------------------------------------------------------------------
# Numbers, colours, noise
# ---------------------------------------------------------------------------------------------


def smoothstep(low, high, value):
    """0 below `low`, 1 above `high`, a smooth ramp in between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def mix(a, b, t):
    """From `a` (t = 0) to `b` (t = 1), numbers or colours; one weight, or one for each place."""
    t = np.asarray(t)
    if t.ndim and np.shape(b)[-1:] == (3,):
        t = t[..., None]
    return a + (b - a) * t


def colour(code):
    """'#rrggbb' as three numbers from 0 to 1."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0


def colours(codes):
    """Several colours, written in one string."""
    return np.array([colour(code) for code in codes.split()])


def ramp(stops, t):
    """Colour at `t` on a ramp through evenly spaced `stops`."""
    stops = np.asarray(stops)
    place = np.clip(t, 0.0, 1.0) * (len(stops) - 1)
    left = np.minimum(place.astype(int), len(stops) - 2)
    return mix(stops[left], stops[left + 1], place - left)


TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
FROM_YIQ = np.linalg.inv(TO_YIQ)


def shift(rgb, hue=0.0, chroma=1.0, light=0.0):
    """Turn the hue (in degrees), scale the chroma, and add to the lightness of colours."""
    y, i, q = np.moveaxis(np.asarray(rgb) @ TO_YIQ.T, -1, 0)
    c, s = np.cos(np.radians(hue)) * chroma, np.sin(np.radians(hue)) * chroma
    turned = np.stack([y + light, i * c - q * s, i * s + q * c], axis=-1)
    return np.clip(turned @ FROM_YIQ.T, 0.0, 1.0)


def noise(rng, smallest, largest, slope=1.0, stretch=1.0, shape=SHAPE):
    """Random map with mean 0 and deviation 1, made of waves between two wavelengths (pixels).

    A greater `slope` gives the long waves more weight; `stretch` > 1 draws it out along x.
    """
    fy = np.fft.fftfreq(shape[0])[:, None]
    fx = np.fft.rfftfreq(shape[1])[None, :] * stretch
    f = np.hypot(fx, fy)
    f[0, 0] = 1.0
    band = smoothstep(0.5 / largest, 1.0 / largest, f)
    band *= 1.0 - smoothstep(1.0 / smallest, 1.5 / smallest, f)
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * band / f**slope
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, s=shape)
    return field / field.std()


def noise_line(rng, length, smallest, largest, slope=1.0):
    """The same in one dimension."""
    f = np.fft.rfftfreq(length)
    f[0] = 1.0
    band = smoothstep(0.5 / largest, 1.0 / largest, f)
    band *= 1.0 - smoothstep(1.0 / smallest, 1.5 / smallest, f)
    line = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * band / f**slope, n=length)
    line -= line.mean()
    return line / line.std()


def blur(field, sigma):
    """Gaussian blur with mirrored borders."""
    pad = int(3 * sigma) + 1
    extra = ((pad, pad), (pad, pad)) + ((0, 0),) * (field.ndim - 2)
    big = np.pad(field, extra, mode="reflect")
    for axis in (0, 1):
        f = np.fft.rfftfreq(big.shape[axis])
        kernel = np.exp(-2.0 * (math.pi * sigma * f) ** 2)
        kernel = kernel.reshape([-1 if a == axis else 1 for a in range(big.ndim)])
        n = big.shape[axis]
        big = np.fft.irfft(np.fft.rfft(big, axis=axis) * kernel, n=n, axis=axis)
    return big[pad:-pad, pad:-pad]


def at(field, x, y):
    """Read a map at places that may lie outside (it wraps round), to the nearest pixel."""
    rows = np.rint(y).astype(int) % field.shape[0]
    columns = np.rint(x).astype(int) % field.shape[1]
    return field[rows, columns]


def relief(height, strength, light=(-0.6, -0.75)):
    """How much brighter (> 0) or darker a surface of this height is, lit from the upper left."""
    slope_y, slope_x = np.gradient(height * strength)
    facing = 1.0 - slope_x * light[0] - slope_y * light[1]
    return facing / np.sqrt(1.0 + slope_x**2 + slope_y**2) - 1.0


def border_distance(labels, reach):
    """Distance in pixels to the nearest border between labels, right up to `reach`."""
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:, :] |= labels[1:, :] != labels[:-1, :]
    distance = np.where(edge, 0.0, 1e6)
    steps = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
    for _ in range(reach):
        padded = np.pad(distance, 1, constant_values=1e6)
        for dy, dx in steps:
            moved = padded[1 + dy : 1 + dy + labels.shape[0], 1 + dx : 1 + dx + labels.shape[1]]
            distance = np.minimum(distance, moved + math.hypot(dy, dx))
    return np.minimum(distance, reach)


def box_around(x, y, reach):
    """The part of the canvas within `reach` of a place: slices and coordinates from there."""
    top, bottom = max(0, int(y - reach)), min(HEIGHT, int(y + reach) + 2)
    left, right = max(0, int(x - reach)), min(WIDTH, int(x + reach) + 2)
    part = (slice(top, max(bottom, top)), slice(left, max(right, left)))
    return part, XX[part] - x, YY[part] - y


def scatter(rng, distance, tries=30):
    """Places at least `distance` apart (Bridson's method), in random order."""
    cell = distance / math.sqrt(2.0)
    columns, rows = int(WIDTH / cell) + 1, int(HEIGHT / cell) + 1
    grid = -np.ones((rows + 4, columns + 4), dtype=int)
    points = [(rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT))]
    grid[int(points[0][1] / cell) + 2, int(points[0][0] / cell) + 2] = 0
    active = [0]
    while active:
        slot = rng.integers(len(active))
        px, py = points[active[slot]]
        angles = rng.uniform(0, 2 * math.pi, tries)
        radii = distance * rng.uniform(1.0, 1.6, tries)
        for x, y in zip(px + np.cos(angles) * radii, py + np.sin(angles) * radii):
            if not (0 <= x < WIDTH and 0 <= y < HEIGHT):
                continue
            gx, gy = int(x / cell) + 2, int(y / cell) + 2
            near = grid[gy - 2 : gy + 3, gx - 2 : gx + 3].ravel()
            if all(math.dist(points[i], (x, y)) >= distance for i in near if i >= 0):
                grid[gy, gx] = len(points)
                active.append(len(points))
                points.append((x, y))
                break
        else:
            active.pop(slot)
    points = np.array(points)
    return points[rng.permutation(len(points))]


def stream(angle, x, y, length, step):
    """A path of about `length` pixels that follows a map of angles, both ways from a place."""
    halves = []
    for sign in (-1.0, 1.0):
        px, py, half = x, y, []
        heading = at(angle, np.array(px), np.array(py))
        for _ in range(max(1, int(length / 2 / step))):
            turn = at(angle, np.array(px), np.array(py))
            # The angle stands for a line, not an arrow: go on in the direction we came.
            if math.cos(turn - heading) < 0:
                turn = turn + math.pi
            heading = turn
            px, py = px + sign * step * math.cos(turn), py + sign * step * math.sin(turn)
            if not (-40 < px < WIDTH + 40 and -40 < py < HEIGHT + 40):
                break
            half.append((px, py))
        halves.append(half)
    return np.array(halves[0][::-1] + [(x, y)] + halves[1])


def along_path(path, reach):
    """Coordinates round a path: slices, u (0 to 1 along it), v (pixels across), its length."""
    low, high = path.min(axis=0) - reach, path.max(axis=0) + reach
    top, bottom = max(0, int(low[1])), min(HEIGHT, int(high[1]) + 2)
    left, right = max(0, int(low[0])), min(WIDTH, int(high[0]) + 2)
    if top >= bottom or left >= right or len(path) < 2:
        return None
    part = (slice(top, bottom), slice(left, right))
    x, y = XX[part][None], YY[part][None]
    start, run = path[:-1], np.diff(path, axis=0)
    lengths = np.hypot(run[:, 0], run[:, 1])
    before = np.concatenate([[0.0], np.cumsum(lengths)])
    ax, ay = start[:, 0, None, None], start[:, 1, None, None]
    rx, ry = (run / lengths[:, None]).T[:, :, None, None]
    forward = (x - ax) * rx + (y - ay) * ry
    inside = np.clip(forward, 0.0, lengths[:, None, None])
    across = (y - ay) * rx - (x - ax) * ry
    gap = np.hypot(across, forward - inside)
    best = gap.argmin(axis=0)[None]

    def pick(field):
        return np.take_along_axis(field, best, axis=0)[0]

    u = (pick(inside) + before[best[0]]) / before[-1]
    v = pick(gap) * np.where(pick(across) < 0, -1.0, 1.0)
    return part, u, v, before[-1]


def ridge(rng, base, size, smallest, largest, slope=1.2):
    """A hill line: its y for every column."""
    line = noise_line(rng, WIDTH * 2, smallest, largest, slope)[:WIDTH]
    return base + size * line


# ---------------------------------------------------------------------------------------------
# Stained glass
# ---------------------------------------------------------------------------------------------


def window_regions(rng):
    """The drawing of the window: 0 sky, 1 rings round the sun, 2 sun, 3 and 4 hills, 5 river."""
    wobble = noise(rng, 60, 500, 1.5) * 7
    sun_x, sun_y = 640.0, 250.0
    r = np.hypot(XX - sun_x, YY - sun_y) + wobble
    region = np.zeros(SHAPE, dtype=int)
    region[r < 205] = 1
    region[r < 92] = 2
    far = 455 + 55 * np.sin(XX / 150.0 + 0.6) + 20 * np.sin(XX / 61.0)
    near = 585 - 95 * np.sin(XX / 230.0 + 0.4) + wobble
    region[YY > far] = 3
    river = 560 + (YY - 440) * -0.35 + 75 * np.sin((YY - 430) / 85.0)
    region[(np.abs(XX - river) < 22 + (YY - 430) * 0.28) & (YY > far)] = 5
    region[(YY > near) & (np.abs(XX - river) > 22 + (YY - 430) * 0.28)] = 4
    return region, (sun_x, sun_y)


def window_seeds(rng, region, sun):
    """Where the pieces of glass have their middle, and which region each belongs to."""
    seeds = []
    for ring, (radius, count) in enumerate([(0, 1), (58, 7), (148, 16), (255, 17), (335, 20)]):
        for k in range(count):
            angle = 2 * math.pi * (k + 0.5 * (ring % 2) + rng.uniform(-0.16, 0.16)) / count
            reach = radius * rng.uniform(0.93, 1.07)
            seeds.append((sun[0] + reach * math.cos(angle), sun[1] + reach * math.sin(angle)))
    for radius, count in [(430, 22), (530, 26), (640, 28)]:
        for k in range(count):
            angle = 2 * math.pi * (k + rng.uniform(-0.3, 0.3)) / count
            reach = radius + rng.uniform(-38, 38)
            seeds.append((sun[0] + reach * math.cos(angle), sun[1] + reach * math.sin(angle)))
    seeds = [s for s in seeds if 0 <= s[0] < WIDTH and 0 <= s[1] < HEIGHT]
    seeds = [s for s in seeds if region[int(s[1]), int(s[0])] <= 2]
    seeds += [s for s in scatter(rng, 62) if region[int(s[1]), int(s[0])] > 2]
    seeds = np.array(seeds)
    return seeds, region[seeds[:, 1].astype(int), seeds[:, 0].astype(int)]


def glass_pieces(region, seeds, home, bend_x, bend_y):
    """Number of the piece at every pixel: the nearest seed of the pixel's own region."""
    best = np.full(SHAPE, 1e12)
    piece = np.zeros(SHAPE, dtype=int)
    x, y = XX + bend_x, YY + bend_y
    for number, ((sx, sy), where) in enumerate(zip(seeds, home)):
        squash = 1.9 if where >= 3 else 1.0  # longer pieces on the land and in the water
        far = (x - sx) ** 2 + ((y - sy) * squash) ** 2
        closer = (far < best) & (region == where)
        best[closer] = far[closer]
        piece[closer] = number
    return piece


def glass_colours(rng, seeds, home, sun):
    """One colour for every piece."""
    palettes = {
        0: colours("#123c8c #1d5fb4 #2a86c8 #3a2f8f #5b3fa0 #1a4aa8 #57a7d6"),
        1: colours("#f08a1d #e2571e #f4a623 #d43a2a #f6bf3c"),
        2: colours("#ffd84a #ffe680 #ffc52e"),
        3: colours("#2f8f6a #1f7a72 #58a94e #2b6f8f #79b84a"),
        4: colours("#8b1e3f #b32d3a #6a1f5a #c4582b #3f7f3a #d98a2b"),
        5: colours("#5cc6d8 #2f9fc4 #a6e3e2 #2277a8 #7fd0e0"),
    }
    result = np.zeros((len(seeds), 3))
    for number, ((sx, sy), where) in enumerate(zip(seeds, home)):
        pick = palettes[where][rng.integers(len(palettes[where]))]
        far = math.hypot(sx - sun[0], sy - sun[1])
        warm = 0.10 * math.exp(-far / 260) if where == 0 else 0.0
        light = rng.uniform(-0.07, 0.09) + warm
        result[number] = shift(pick, rng.uniform(-10, 10), rng.uniform(0.9, 1.15), light)
    return result


def stained_glass():
    """Sun over hills and a river, in leaded glass."""
    rng = np.random.default_rng(1201)
    region, sun = window_regions(rng)
    seeds, home = window_seeds(rng, region, sun)
    bend_x, bend_y = noise(rng, 50, 220, 1.5) * 6, noise(rng, 50, 220, 1.5) * 6
    piece = glass_pieces(region, seeds, home, bend_x, bend_y)
    edge = blur(border_distance(piece, 40), 1.4)

    # The glass: streaks that run another way in each piece, ripples, bubbles, uneven thickness.
    turn = rng.uniform(0, math.pi, len(seeds))[piece]
    offset = rng.uniform(0, 1000, len(seeds))[piece]
    along = XX * np.cos(turn) + YY * np.sin(turn) + offset
    across = -XX * np.sin(turn) + YY * np.cos(turn) + offset * 0.7
    streaks = blur(at(noise(rng, 9, 140, 1.1, stretch=6), along, across), 1.2)
    ripples = noise(rng, 14, 70, 1.4)
    cloud = noise(rng, 60, 400, 1.6)
    tilt = (along - blur(along, 30)) / 40.0
    light = 0.075 * streaks + 0.035 * cloud + 0.05 * np.clip(tilt, -1, 1)
    light += 0.55 * np.clip(relief(ripples, 0.55), -0.12, 0.25)
    light -= 0.17 * np.exp(-edge / 9.0)
    picture = shift(glass_colours(rng, seeds, home, sun)[piece], 5 * streaks, 1.08, light)
    picture = add_bubbles(rng, picture)

    # The leads: a dark, rounded strip with a thin shine, and a little solder where they meet.
    width = 5.2 + 0.7 * cloud + 1.2 * (blur((edge < 4).astype(float), 9) > 0.62)
    lead = 1.0 - smoothstep(width - 1.2, width + 1.2, edge)
    round_top = np.sqrt(np.clip(1.0 - (edge / (width + 1)) ** 2, 0.0, 1.0))
    shine = np.clip(relief(blur(round_top * 6, 1.0), 0.8), -0.4, 0.6)
    metal = colour("#17161c") + (0.13 * shine + 0.018 * noise(rng, 3, 20, 0.8))[..., None]
    glow = blur(picture * (1 - lead)[..., None], 14) * 0.16
    return mix(picture, metal + glow, lead)


def add_bubbles(rng, picture):
    """Small bubbles in the glass, bright on one side and dark on the other."""
    for x, y in zip(rng.uniform(0, WIDTH, 420), rng.uniform(0, HEIGHT, 420)):
        size = rng.uniform(1.5, 3.6)
        part, dx, dy = box_around(x, y, size * 2)
        disc = 1.0 - smoothstep(size - 1, size + 1, np.hypot(dx, dy))
        side = (-dx - dy) / (size * 1.4)
        picture[part] = np.clip(picture[part] + (0.13 * disc * side)[..., None], 0, 1)
    return picture


# ---------------------------------------------------------------------------------------------
# Pointillism
# ---------------------------------------------------------------------------------------------


def river_scene(rng):
    """Colours and directions of a river in the evening sun."""
    warp = noise(rng, 60, 400, 1.5)
    rough = noise(rng, 25, 160, 1.2)
    horizon, sun_x, sun_y = 400.0, 650.0, 300.0
    r = np.hypot(XX - sun_x, (YY - sun_y) * 1.1)
    sky = ramp(colours("#2a55b0 #5f7fd0 #d08fc4 #f7a878 #ffd060"), (YY + 22 * warp) / 400.0)
    sky = mix(sky, colour("#fff3b0"), np.exp(-((r / 105.0) ** 2)))
    cloud = smoothstep(0.3, 1.3, noise(rng, 40, 300, 1.4, stretch=2.2)) * (YY < horizon)
    sky = mix(sky, colour("#f6d3dc"), 0.75 * cloud)
    swirl = np.arctan2(YY - sun_y, XX - sun_x) + math.pi / 2 + 0.35
    angle = np.where(YY < horizon, swirl + 0.35 * warp, 0.18 * warp)

    depth = np.clip((YY - horizon) / (HEIGHT - horizon), 0, 1)
    water = ramp(colours("#f5c98f #d79fc0 #6f8fd0 #2f62a8 #1f4a86"), depth + 0.05 * rough)
    path = np.exp(-(((XX - sun_x - 12 * rough) / (34 + 70 * depth)) ** 2))
    water = mix(water, colour("#ffe08a"), path * (0.9 - 0.4 * depth))
    scene = np.where((YY < horizon)[..., None], sky, water)

    bank = ridge(rng, 372, 12, 30, 300)
    far = (YY > bank) & (YY < horizon + 5)
    scene[far] = mix(colour("#4f7f8f"), colour("#7f6fb0"), smoothstep(-1, 1, rough[far]))
    angle[far] = 0.5 * warp[far]
    crowns = [(110, 250, 175, 190), (275, 330, 105, 105), (905, 322, 95, 100), (1010, 280, 90, 150)]
    for cx, cy, rx, ry in crowns:
        near = np.hypot((XX - cx) / rx, (YY - cy) / ry)
        tree = near + 0.13 * rough < 1.0
        lit = smoothstep(-1.0, 1.1, (XX - cx) / rx * (1 if cx < sun_x else -1) - (YY - cy) / ry)
        leaf = ramp(colours("#23205f #17485a #2f7f5a #b5a84a #f7b650"), lit + 0.12 * warp)
        scene[tree] = leaf[tree]
        angle[tree] = (np.arctan2(YY - cy, XX - cx) + math.pi / 2 + 0.5 * rough)[tree]
        mirror = (near_mirror(cx, cy, rx, ry, horizon) + 0.2 * rough < 1.0) & (YY > horizon + 4)
        scene[mirror] = mix(scene[mirror], colour("#1f5a6f"), 0.68)
    for x, foot, tall in [(470, 486, 180), (590, 436, 96), (772, 456, 128)]:
        add_boat(scene, angle, x, foot, tall, 6 * rough)
    shore = 640 + 90 * np.cos(XX / 300.0 - 0.2) + 14 * rough
    grass = YY > shore
    green = ramp(colours("#efb85a #a3ac4c #2f7f60 #24506a"), (YY - shore) / 150.0 + 0.15 * warp)
    scene[grass] = green[grass]
    angle[grass] = (-0.5 + 0.7 * warp)[grass]
    return scene, angle, grass


def add_boat(scene, angle, x, foot, tall, rough):
    """A sailing boat with its reflection; `foot` is its waterline."""
    up = (foot - YY) / tall
    for way, above in [(-1.0, False), (1.0, True)]:
        high = up * way - 0.10
        shake = 0.0 if above else rough
        main = (high > 0.03) & (high < 1) & (XX + shake > x)
        main &= XX + shake < x + 0.42 * tall * (1 - high)
        jib = (high > 0.03) & (high < 0.8) & (XX + shake < x - 4)
        jib &= XX + shake > x - 4 - 0.30 * tall * (1 - high / 0.8)
        hull = (high <= 0.03) & (high > -0.10)
        hull &= np.abs(XX + shake - x - 0.04 * tall) < tall * (0.40 + 0.9 * high)
        for mask, code in [(main, "#fffaf0"), (jib, "#e8702a"), (hull, "#3a2350")]:
            paint = colour(code)
            scene[mask] = paint if above else mix(scene[mask], paint, 0.62)
            if above:
                angle[mask] = -1.2 if code != "#3a2350" else 0.0


def near_mirror(cx, cy, rx, ry, horizon):
    """How far a place is from a tree's reflection in the water, in units of the crown."""
    return np.hypot((XX - cx) / rx, (YY - (2 * horizon - cy - 20)) / (ry * 1.05))


def dab(picture, x, y, angle, long, wide, paint):
    """One dot of paint: slightly oval, with a soft rim and a raised, lighter upper left."""
    part, dx, dy = box_around(x, y, long + 2)
    u = (dx * math.cos(angle) + dy * math.sin(angle)) / long
    v = (dy * math.cos(angle) - dx * math.sin(angle)) / wide
    r = np.hypot(u, v)
    cover = (1.0 - smoothstep(0.78, 1.12, r)) * 0.95
    bump = 0.09 * (-dx - dy) / long * smoothstep(0.2, 0.9, r)
    picture[part] = mix(picture[part], np.clip(paint + bump[..., None], 0, 1), cover)


def divided(rng, base):
    """Seurat's rule: near a colour its neighbours, its lights, and now and then its opposite."""
    kind = rng.uniform()
    if kind < 0.62:
        return shift(base, rng.uniform(-9, 9), 1.35, rng.uniform(-0.06, 0.03))
    if kind < 0.73:
        return shift(base, rng.uniform(25, 55), 1.45, rng.uniform(-0.06, 0.07))
    if kind < 0.85:
        return shift(base, rng.uniform(-55, -25), 1.45, rng.uniform(-0.15, 0.0))
    if kind < 0.95:
        return shift(base, rng.uniform(-20, 20), 1.1, rng.uniform(0.10, 0.20))
    return shift(base, 180 + rng.uniform(-30, 30), 1.2, rng.uniform(-0.08, 0.06))


def pointillism():
    """A river in the evening, in dots of pure colour."""
    rng = np.random.default_rng(1886)
    scene, angle, grass = river_scene(rng)
    soft = blur(scene, 5)
    picture = mix(soft, colour("#e9d3a4"), 0.35) + 0.02 * noise(rng, 3, 20, 0.7)[..., None]
    for size, gap, beads in [(10.5, 30.0, 4), (8.6, 25.0, 5), (6.6, 25.0, 4)]:
        for x, y in scatter(rng, gap):
            turn, lift = rng.normal(0, 20), rng.normal(0, 0.05)  # beads on a string are akin
            path = stream(angle, x, y, size * 2.15 * (beads - 1), size * 2.15)
            for px, py in path:
                px, py = px + rng.normal(0, 1.2), py + rng.normal(0, 1.2)
                place = np.array(px).clip(0, WIDTH - 1), np.array(py).clip(0, HEIGHT - 1)
                paint = divided(rng, shift(at(scene, *place), turn, 1.0, lift))
                if size < 7 and at(grass, *place) and rng.uniform() < 0.16:
                    paint = colours("#f25f6b #ffe27a #f7f0e0 #e88fc0")[rng.integers(4)]
                wide = size * rng.uniform(0.78, 1.0)
                tilt = float(at(angle, *place)) + rng.normal(0, 0.25)
                dab(picture, px, py, tilt, size * rng.uniform(0.95, 1.15), wide, paint)
    return picture


# ---------------------------------------------------------------------------------------------
# Woodcut
# ---------------------------------------------------------------------------------------------


def gouges(rng, across, along, tone, spacing, length):
    """Cuts of a gouge, tapered at both ends, in rows `spacing` apart; 1 where wood is cut away.

    `across` numbers the rows (pixels), `along` runs along them, `tone` (0 dark, 1 light) says how
    broad the cuts are.
    """
    row = np.floor(across / spacing).astype(int)
    row -= row.min()
    count = row.max() + 1
    place = along / (length * rng.uniform(0.7, 1.5, count)[row]) + rng.uniform(0, 99, count)[row]
    taper = 1.0 - np.abs(2.0 * (place - np.floor(place)) - 1.0) ** 5
    # Each cut has its own depth, so neighbours differ a little.
    cut = np.floor(place).astype(int) * 131 + row * 17
    depth = rng.uniform(0.82, 1.1, 4096)[cut % 4096]
    middle = np.abs(across / spacing - np.floor(across / spacing) - 0.5) * spacing
    half = 0.5 * spacing * np.clip(tone, 0, 1.15) * taper * depth
    return smoothstep(-0.9, 0.9, half - middle)


def fir_trees(rng, white, label, moon_x, shake):
    """A row of firs on the shore: black, with drooping cuts on the side of the moon."""
    x, number = -10.0, 100
    while x < WIDTH + 20:
        tall, foot = rng.uniform(60, 150) * (1.0 if rng.uniform() < 0.8 else 1.35), 640
        down = (YY - (foot - tall)) / tall
        tiers = 0.72 + 0.28 * np.abs(((down * tall / 17.0) % 1.0))
        half = np.clip(down, 0, None) * tall * 0.235 * tiers
        tree = (np.abs(XX - x) < half + shake) & (down > 0)
        lit = (XX - x) * np.sign(moon_x - x) / np.maximum(half, 1)
        tone = 0.05 + 0.62 * smoothstep(-0.25, 0.8, lit)
        cuts = gouges(rng, YY - 0.55 * np.abs(XX - x) + 999, XX, tone, 11.5, 45)
        white, label = np.where(tree, cuts, white), np.where(tree, number, label)
        x, number = x + rng.uniform(20, 62) * (2.6 if rng.uniform() < 0.16 else 1.0), number + 1
    return white, label


def woodcut():
    """Moon, mountains and sea, cut in wood and printed in black on cream paper."""
    rng = np.random.default_rng(1831)
    warp, slow = noise(rng, 120, 420, 1.7), noise(rng, 200, 900, 1.6)
    shake = noise(rng, 9, 40, 1.0) * 0.55
    moon_x, moon_y = 340.0, 215.0

    # Sky: rings round the moon that loosen into drifting bands of cloud.
    r = np.hypot(XX - moon_x, YY - moon_y)
    theta = np.arctan2(YY - moon_y, XX - moon_x)
    cloud = noise(rng, 110, 380, 1.5, stretch=2.0)
    rings = r + 24 * warp + shake
    tone = 0.30 + 0.55 * np.exp(-(((r - 88) / 120.0) ** 2)) + 0.34 * smoothstep(0.1, 1.2, cloud)
    white = gouges(rng, rings, theta * 210, tone, 15.0, 190)
    moon = r + 2 * shake < 86
    # The moon itself is nearly clear, with a few cuts left standing on its shadow side.
    shadow = smoothstep(-30, 80, XX - moon_x + 0.4 * (YY - moon_y))
    face = gouges(rng, YY + 10 * warp, XX + 30 * slow, 1.25 - 0.5 * shadow, 10.5, 130)
    clear = smoothstep(-0.2, 0.8, 60 - np.hypot(XX - moon_x + 22, YY - moon_y + 18))
    white = np.where(moon, np.maximum(face, clear), white)
    label = np.where(moon, 1, 0)

    # Two ranges of mountains: cuts slant down the far one to the right, down the near one to the
    # left; slopes that face the moon are cut broadly, the others stay dark.
    ranges = [(430, 84, 170, 800, 13.5, 0.62), (545, 50, 150, 620, 14.5, -0.55)]
    for number, (base, size, smallest, largest, spacing, slant) in enumerate(ranges):
        smooth = ridge(rng, base, size, smallest, largest, 1.3)
        crest = smooth + 4 * noise_line(rng, WIDTH, 24, 80, 0.9)
        below = YY - crest[None, :]
        side = np.clip(np.gradient(smooth) * np.sign(XX[0] - moon_x), -1, 1)[None, :]
        across = XX * math.cos(slant) + YY * math.sin(slant) + 17 * warp + shake
        along = YY * math.cos(slant) - XX * math.sin(slant)
        light = 0.40 + 0.46 * side + 0.24 * np.exp(-np.clip(below, 0, None) / 45.0)
        light = light + 0.16 * slow - 0.20 * smoothstep(70, 190, below)
        face = gouges(rng, across, along, np.clip(light, 0.10, 0.9), spacing, 120)
        white = np.where(below > 0, face, white)
        label = np.where(below > 0, 2 + number, label)
    white, label = fir_trees(rng, white, label, moon_x, shake)

    # Sea: long swells, with the moon's path on them.
    shore = 628 + 10 * np.sin(XX / 130.0) + 5 * warp
    sea = YY > shore
    swell = 15 * np.sin(XX / 88.0 + YY / 60.0 + 1.4 * slow)
    swell = swell + 9 * np.sin(XX / 37.0 - YY / 46.0 + warp)
    depth = (YY - shore) / (HEIGHT - 628)
    across = (YY - 628) * (1.0 - 0.28 * depth) + swell * (0.35 + 0.8 * np.clip(depth, 0, 1)) + shake
    path = np.exp(-(((XX - moon_x - 30 * warp) / (75 + 110 * np.clip(depth, 0, 1))) ** 2))
    light = 0.24 + 0.72 * path + 0.26 * np.sin(XX / 88.0 + YY / 60.0 + 1.4 * slow)
    white = np.where(sea, gouges(rng, across, XX + 50 * warp, light, 12.5, 120), white)
    label = np.where(sea, 9, label)

    # A black keyline round every shape, with a thin cut beside it.
    edge = border_distance(label, 14) + shake
    beside = smoothstep(4.2, 5.6, edge) * smoothstep(8.6, 7.0, edge) * (label < 9) * (label > 0)
    white = np.maximum(white * smoothstep(3.2, 5.0, edge), beside)
    return print_block(rng, white)


def print_block(rng, white):
    """Press the cut block on paper: uneven ink, wood grain in the blacks, chatter in the whites."""
    grain = noise(rng, 4, 60, 0.9, stretch=9)
    speck = noise(rng, 5, 12, 0.3)
    worn = smoothstep(2.0, 2.7, grain * 0.75 + speck * 0.75 + 0.3 * noise(rng, 80, 400, 1.4))
    chatter = smoothstep(2.5, 3.0, noise(rng, 6, 24, 0.6, stretch=2.5))
    ink = np.clip((1.0 - white) * (1 - 0.85 * worn) + white * chatter * 0.8, 0, 1)
    ink = blur(ink, 1.2)
    paper = colour("#efe3c6") * (1 + 0.012 * noise(rng, 8, 60, 0.9))[..., None]
    paper = shift(paper, 0, 1.0, 0.012 * noise(rng, 100, 600, 1.4))
    black = colour("#1c1a1d") + 0.018 * (grain + noise(rng, 100, 400, 1.3))[..., None]
    return mix(paper, black, ink)


# ---------------------------------------------------------------------------------------------
# Watercolour
# ---------------------------------------------------------------------------------------------


class Watercolour:
    """A sheet of rough paper that takes translucent washes."""

    def __init__(self, rng):
        self.paper = noise(rng, 7, 30, 0.8)
        self.pool = noise(rng, 40, 260, 1.3)
        self.ragged = noise(rng, 7, 60, 1.1)
        self.density = np.zeros((*SHAPE, 3))

    def wash(self, part, inside, paint, strength, soft=1.3, rim=0.5, grain=0.11, lift=0.0):
        """Lay paint where `inside` (pixels from the edge, inwards) is positive.

        Pigment gathers at the drying rim, settles in the paper's hollows, and pools unevenly.
        `lift` says how much of the older paint the brush takes away (or a resist kept out).
        """
        inside = inside + 1.6 * self.ragged[part]
        cover = smoothstep(-soft, soft, inside)
        if lift:
            self.density[part] *= (1 - lift * cover)[..., None]
        rim_line = np.exp(-((np.clip(inside, 0, None) / 3.6) ** 1.3)) * cover
        load = cover * (0.78 + 0.20 * self.pool[part]) + rim * rim_line
        load = np.clip(load * (1 + grain * self.paper[part]), 0, None)
        absorb = -np.log(np.clip(paint, 0.03, 0.985))
        self.density[part] += (strength * load)[..., None] * absorb

    def picture(self):
        """White paper with its tooth, seen through all the washes."""
        sheet = (
            colour("#fbf7ec") * (1 + 0.3 * np.clip(relief(self.paper, 0.10), -0.1, 0.1))[..., None]
        )
        return sheet * np.exp(-self.density)


WHOLE = (slice(0, HEIGHT), slice(0, WIDTH))


def wet_sky(sheet, rng):
    """Colours that ran into each other on wet paper, with blooms where drops fell."""
    flow = noise(rng, 120, 700, 1.7)
    t = np.clip(YY / 470 + 0.16 * flow, 0, 1)
    tint = ramp(colours("#5d93cf #8fb5e0 #c9c3e6 #f7cdb9 #fbdc9a"), t)
    cloud = smoothstep(-0.2, 1.2, noise(rng, 70, 400, 1.5, stretch=2.0))
    load = (1 - 0.75 * cloud) * (1 - smoothstep(380, 560, YY + 40 * flow))
    sheet.density += (load * (0.9 + 0.07 * sheet.paper))[..., None] * -np.log(tint)
    for _ in range(9):
        x, y, size = rng.uniform(0, WIDTH), rng.uniform(0, 330), rng.uniform(30, 85)
        r = np.hypot(XX - x, YY - y) + 9 * sheet.ragged + 10 * flow
        bloom = 0.14 * np.exp(-(((r - size) / 5.0) ** 2)) - 0.20 * smoothstep(size, size * 0.5, r)
        sheet.density *= (1 + bloom)[..., None]


def petal(sheet, x, y, angle, long, wide, paint, strength, lift):
    """One petal, pointing away from (x, y)."""
    cx, cy = x + math.cos(angle) * long * 0.55, y + math.sin(angle) * long * 0.55
    part, dx, dy = box_around(cx, cy, long * 0.9)
    u = (dx * math.cos(angle) + dy * math.sin(angle)) / (long * 0.5)
    v = (dy * math.cos(angle) - dx * math.sin(angle)) / (
        wide * 0.5 * (1 + 0.25 * np.clip(u, -1, 1))
    )
    inside = (1.0 - np.hypot(u, v)) * min(long, wide) * 0.5
    sheet.wash(part, inside + 1.5 * sheet.pool[part], paint, strength, lift=lift)


def flower(sheet, rng, x, y, size, paint):
    """Petals in two translucent layers, a darker heart, and some dots of pollen."""
    turn, count = rng.uniform(0, 7), rng.integers(5, 8)
    flat = rng.uniform(0.55, 1.0)
    for layer in range(2):
        for k in range(count):
            angle = turn + layer * 0.5 + 2 * math.pi * (k + rng.uniform(-0.2, 0.2)) / count
            long = size * rng.uniform(0.75, 1.1) * (1.0 if layer == 0 else 0.68)
            long *= math.hypot(math.cos(angle), math.sin(angle) * flat)
            tint = shift(paint, rng.uniform(-16, 16), 1.0, rng.uniform(-0.06, 0.08))
            petal(
                sheet,
                x,
                y,
                angle,
                long,
                long * rng.uniform(0.62, 0.9),
                tint,
                0.6,
                0.8 - 0.7 * layer,
            )
    part, dx, dy = box_around(x, y, size * 0.5)
    heart = size * 0.17 - np.hypot(dx, dy / flat)
    sheet.wash(part, heart, colour("#5b2a4a"), 0.8, lift=0.6)
    for _ in range(7):
        px, py = x + rng.normal(0, size * 0.2), y + rng.normal(0, size * 0.2 * flat)
        part, dx, dy = box_around(px, py, 8)
        sheet.wash(part, rng.uniform(1.0, 2.6) - np.hypot(dx, dy), colour("#7a3a1e"), 0.8)


def blade(sheet, rng, x, y, long, wide, paint, lean):
    """A leaf or a blade of grass growing up from (x, y)."""
    s = np.linspace(0, 1, 9)
    path = np.stack([x + long * (lean * s + rng.normal(0, 0.22) * s**2), y - long * s], axis=1)
    found = along_path(path, wide + 6)
    if found:
        part, u, v, _ = found
        half = wide * np.sin(math.pi * np.clip(u, 0, 1) ** 0.7) ** 0.8
        sheet.wash(part, half - np.abs(v), paint, rng.uniform(0.4, 0.75), lift=0.45)


def watercolour():
    """A meadow in bloom below blue hills, wet in wet and wet on dry."""
    rng = np.random.default_rng(77)
    sheet = Watercolour(rng)
    wet_sky(sheet, rng)
    for base, size, code, strength in [
        (335, 34, "#8f9fd2", 0.55),
        (380, 30, "#6f8fbf", 0.55),
        (428, 24, "#5f9f9f", 0.6),
    ]:
        crest = ridge(rng, base, size, 70, 500)
        fade = 1 - 0.75 * smoothstep(0, 170, YY - crest[None, :])
        sheet.wash(WHOLE, YY - crest[None, :], colour(code), strength * fade)
    for base, code in [(470, "#b9cf6a"), (540, "#8fbf6a"), (630, "#5fa070")]:
        crest = ridge(rng, base, 14, 25, 300)
        drift = np.clip(0.55 + 0.35 * noise(rng, 70, 400, 1.4), 0.05, 1.2)
        sheet.wash(WHOLE, YY - crest[None, :], colour(code), 0.6 * drift)
    greens = colours("#3f8f5a #6fa83f #2f6f6a #a3b83a #2a5f4f #4f8f8a")
    paints = colours("#e2394f #f0643c #f2a22e #d94f9a #8a5fc0 #4f6fcf #f48fa8 #c92f6a")
    places = scatter(rng, 78)
    places = places[places[:, 1] > 455]
    for x, y in places[np.argsort(places[:, 1])]:
        near = (y - 430) / (HEIGHT - 430)
        for _ in range(4):
            paint = shift(greens[rng.integers(6)], rng.uniform(-10, 10), 1.0, 0.05)
            root = x + rng.normal(0, 30), y + 70 + 60 * near
            blade(sheet, rng, *root, 70 + 110 * near, 3 + 6 * near, paint, rng.normal(0, 0.45))
        size = (22 + 52 * near) * rng.uniform(0.7, 1.25)
        patch = int(np.clip(4 + 2.4 * sheet.pool[int(y), int(x)] + rng.normal(0, 1.3), 0, 7))
        flower(sheet, rng, x, y, size, paints[patch])
    for _ in range(170):
        x, y = rng.uniform(0, WIDTH), HEIGHT * rng.uniform(0, 1) ** 0.6
        part, dx, dy = box_around(x, y, 10)
        size = min(7.0, rng.exponential(1.5) + 0.8)
        sheet.wash(part, size - np.hypot(dx, dy), paints[rng.integers(8)], 0.5)
    return sheet.picture()


# ---------------------------------------------------------------------------------------------
# Mosaic
# ---------------------------------------------------------------------------------------------


def mosaic_drawing(rng):
    """The cartoon under the mosaic: region numbers, and a colour for every pixel."""
    wobble = noise(rng, 80, 400, 1.5) * 5
    sun_x, sun_y = 690.0, 235.0
    r = np.hypot(XX - sun_x, YY - sun_y) + wobble
    theta = np.arctan2(YY - sun_y, XX - sun_x)
    region = np.zeros(SHAPE, dtype=int)
    tint = np.zeros((*SHAPE, 3))

    def lay(mask, number, paint):
        region[mask] = number
        tint[mask] = paint[mask] if np.ndim(paint) == 3 else paint

    sky = ramp(colours("#1c3f7a #2b63a0 #4f93bf #9cc7cf"), YY / 480 + 0.004 * wobble)
    lay(r > -1, 0, sky)
    for k, (x, y, size) in enumerate(
        [(150, 130, 92), (330, 235, 78), (205, 300, 60), (955, 80, 85)]
    ):
        spiral = np.hypot(XX - x, (YY - y) * 1.25)
        lay(spiral + wobble < size, 20 + 3 * k, colour("#e9e2cf"))
        lay(spiral + wobble < size * 0.68, 21 + 3 * k, colour("#8fb7c9"))
        lay(spiral + wobble < size * 0.36, 22 + 3 * k, colour("#f3ead6"))
    rays = (np.floor((theta + 0.0011 * r + math.pi) / (2 * math.pi) * 24).astype(int)) % 2
    lay((r < 205) & (rays == 0), 2, colour("#d8742a"))
    lay((r < 178) & (rays == 1), 3, colour("#f0c75a"))
    lay(r < 118, 4, colour("#b8322a"))
    lay(r < 100, 5, ramp(colours("#fff0b0 #f2c94c #dd9a2a"), r / 100))
    lay(r < 42, 6, colour("#fbe7a0"))

    waves = [
        (445, 46, 205, "#8fd0c8"),
        (510, 50, 235, "#2f9fa0"),
        (580, 54, 260, "#1f6f95"),
        (655, 54, 290, "#2a8f8f"),
        (725, 40, 250, "#143f6a"),
    ]
    for k, (base, size, length, code) in enumerate(waves):
        # Crests are pointed and lean over, as the sea is drawn on old floors.
        phase = (XX + 0.55 * (base - YY) + 97 * k * k) / length
        hump = np.abs(np.sin(math.pi * phase)) ** 0.75
        top = base + size * (0.5 - hump) * 1.1 + wobble
        shade = ramp(
            [shift(colour(code), 0, 1, 0.10), shift(colour(code), 0, 1.1, -0.12)],
            (YY - top) / 110.0,
        )
        lay(YY > top, 40 + 2 * k, shade)
        lay((YY > top) & (YY < top + 21), 41 + 2 * k, colour("#f1e8d2"))
    return region, tint


def claim_tiles(places, angle, size, forbidden):
    """Which tile owns each pixel: every tile is a square cone, and the lowest cone wins."""
    lowest = np.full(SHAPE, 1e9)
    owner = np.full(SHAPE, -1)
    for number, (x, y) in enumerate(places):
        part, dx, dy = box_around(x, y, size * 1.25)
        c, s = math.cos(angle[number]), math.sin(angle[number])
        far = np.maximum(np.abs(dx * c + dy * s), np.abs(dy * c - dx * s))
        wins = far < lowest[part]
        lowest[part][wins] = far[wins]
        owner[part][wins] = number
    owner[forbidden] = -1
    return owner


def settle_tiles(rng, facing, border, size, rounds=26):
    """Let tiles find their places: each moves to the middle of what it owns, away from borders."""
    places = scatter(rng, size * 0.84)
    for step in range(rounds):
        angle = at(facing, places[:, 0].clip(0, WIDTH - 1), places[:, 1].clip(0, HEIGHT - 1))
        owner = claim_tiles(places, angle, size, border < (4.5 if step > 4 else 0))
        owned = owner.ravel() >= 0
        who = owner.ravel()[owned]
        area = np.bincount(who, minlength=len(places))
        alive = area > 0
        sums = [np.bincount(who, axis.ravel()[owned], len(places)) for axis in (XX, YY)]
        places = np.stack(sums, axis=1)[alive] / area[alive, None]
    return places, at(facing, places[:, 0], places[:, 1])


def mosaic():
    """Sun, clouds and waves in small stones that follow the drawing."""
    rng = np.random.default_rng(532)
    size = 19.5
    region, tint = mosaic_drawing(rng)
    border = border_distance(region, 90)
    slope_y, slope_x = np.gradient(blur(border, 5))
    # Average the directions as squares (four equal sides), so tiles turn smoothly.
    four = blur(np.stack([f((np.arctan2(slope_y, slope_x)) * 4) for f in (np.cos, np.sin)], -1), 7)
    facing = np.arctan2(four[..., 1], four[..., 0]) / 4
    places, angle = settle_tiles(rng, facing, border, size)
    owner = claim_tiles(places, angle, size, border < 0)

    grit = noise(rng, 6, 24, 0.8)
    mortar = colour("#4a4038") + (0.035 * grit + 0.02 * noise(rng, 60, 300, 1.3))[..., None]
    picture, height = mortar.copy(), 0.25 * grit
    half = size * 0.5
    for number, (x, y) in enumerate(places):
        part, dx, dy = box_around(x, y, size)
        turn = angle[number] + rng.normal(0, 0.05)
        c, s = math.cos(turn), math.sin(turn)
        u, v = dx * c + dy * s, dy * c - dx * s
        # Hand-cut: sides are not quite parallel, corners not quite square.
        a, b = half * rng.uniform(0.88, 1.03), half * rng.uniform(0.88, 1.03)
        u, v = (
            u / (a * (1 + rng.normal(0, 0.05) * v / half)),
            v / (b * (1 + rng.normal(0, 0.05) * u / half)),
        )
        far = (np.abs(u) ** 7 + np.abs(v) ** 7) ** (1 / 7.0)
        stone = (1 - smoothstep(0.84, 0.98, far)) * (owner[part] == number)
        paint = at(tint, x.clip(0, WIDTH - 1), y.clip(0, HEIGHT - 1))
        paint = shift(paint, rng.normal(0, 9), rng.uniform(0.85, 1.2), rng.normal(0, 0.055))
        sheen = rng.normal(0, 0.035) * u + rng.normal(0, 0.035) * v
        face = np.clip(paint + (sheen + 0.016 * grit[part])[..., None], 0, 1)
        picture[part] = mix(picture[part], face, stone)
        height[part] += stone * (3.2 + rng.normal(0, 0.5)) * (1 - 0.25 * np.clip(far, 0, 1) ** 3)
    light = relief(blur(height, 1.3), 0.42)
    return np.clip(picture * (1 + 0.5 * np.clip(light, -0.6, 0.5))[..., None], 0, 1)


# ---------------------------------------------------------------------------------------------
# Impasto
# ---------------------------------------------------------------------------------------------


def poppy_scene(rng):
    """Colours and brush directions of a poppy field under a windy sky."""
    warp = noise(rng, 90, 420, 1.6)
    crest = 345 + 30 * np.sin(XX / 190.0 + 0.8) + 9 * np.sin(XX / 67.0)
    sky = ramp(colours("#1f5fa8 #2f8fc0 #6fc0c8 #cfe0b8 #f7dc9a"), YY / 360 + 0.10 * warp)
    cloud = smoothstep(0.15, 1.0, noise(rng, 60, 320, 1.5, stretch=2.0))
    puff = ramp(
        colours("#b9a3c8 #f3d9c4 #fff6df"), 0.5 - 0.5 * np.gradient(blur(cloud, 12), axis=0) * 28
    )
    scene = mix(sky, puff, 0.88 * cloud)
    # Directions: eddies in the sky, which are the level lines of a slow random hill.
    hill = noise(rng, 150, 520, 1.9) * 60 + YY * 0.55
    dy, dx = np.gradient(hill)
    angle = np.arctan2(-dx, dy)

    below = YY - crest
    land = below > 0
    depth = np.clip(below / (HEIGHT - crest), 0, 1)
    field = ramp(colours("#4f7f9a #6f9f80 #cdb257 #e6a43c #cf8a3c #3a6f58"), depth + 0.09 * warp)
    rows = np.arctan2(YY - 250.0, XX - 560.0) + 0.28 * warp
    stripes = np.sin(np.arctan2(XX - 560.0, YY - 250.0) * 17 + 0.8 * warp)
    field = shift(field, 9 * stripes, 1.1, 0.06 * stripes)
    scene[land] = field[land]
    angle[land] = rows[land]
    trees = [
        (150, 318, 62, 66),
        (232, 340, 44, 46),
        (842, 330, 84, 62),
        (945, 305, 60, 96),
        (735, 352, 46, 38),
    ]
    for cx, cy, rx, ry in trees:
        near = np.hypot((XX - cx) / rx, (YY - cy) / ry) + 0.10 * warp
        tree = near < 1.0
        lit = 0.5 - 0.4 * (XX - cx) / rx - 0.5 * (YY - cy) / ry
        leaf = ramp(colours("#14304f #1f5a50 #4f8a48 #d3b456"), lit)
        scene[tree] = leaf[tree]
        angle[tree] = (np.arctan2((YY - cy) / ry, (XX - cx) / rx) + math.pi / 2 + 0.3)[tree]
    return scene, angle, land, depth


class Canvas:
    """Wet paint with a colour and a height."""

    def __init__(self, rng, ground):
        self.rng = rng
        self.paint = ground.copy()
        self.height = 0.4 * noise(rng, 4, 9, 0.4)

    def stroke(self, path, width, paint, second, body=1.0):
        """One stroke of a loaded bristle brush, its hairs half mixed with a second colour."""
        rng = self.rng
        found = along_path(path, width * 0.75)
        if not found:
            return
        part, u, v, length = found
        # A hair keeps its place across the brush, and its paint runs out unevenly.
        hairs = max(16, int(width * 2))
        load = noise_line(rng, 64, 3, 30, 0.7)
        tint = noise_line(rng, 64, 4, 40, 0.9)
        across = v / width + 0.5
        hair = np.clip(across, 0, 1) * min(hairs, 62)
        low = hair.astype(int)
        ridge_line = mix(load[low], load[low + 1], hair - low)
        streak = mix(tint[low], tint[low + 1], hair - low)
        ends = u * length
        ragged = width * (0.16 * ridge_line + 0.30 * (2 * across - 1) ** 2)
        start, stop = ends - ragged, length - ends - ragged * 1.3
        cover = smoothstep(0.53, 0.45, np.abs(across - 0.5) + 0.015 * streak)
        cover *= smoothstep(-2.5, 1.5, start) * smoothstep(-2.5, 3.0, stop)
        dry = smoothstep(0.5, 1.0, u) * smoothstep(0.4, -1.2, ridge_line)
        cover = cover * (1 - 0.75 * dry)
        mixed = mix(paint, second, np.clip(0.32 + 0.34 * streak, 0, 1))
        mixed = np.clip(mixed + (0.03 * ridge_line)[..., None], 0, 1)
        lip = np.exp(-(((np.abs(across - 0.5) - 0.42) / 0.06) ** 2))
        blob = np.exp(-(((length - ends - width * 0.3) / (width * 0.25)) ** 2))
        top = body * (2.4 + 0.95 * ridge_line + 1.5 * lip + 1.3 * blob) * (width / 20) ** 0.5
        self.paint[part] = mix(self.paint[part], mixed, 0.97 * cover)
        self.height[part] = self.height[part] * (1 - 0.72 * cover) + cover * top

    def lit(self):
        """The canvas in raking light."""
        light = relief(blur(self.height, 1.1), 0.46)
        shine = np.clip(light - 0.28, 0, 0.5)
        body = self.paint * (1 + 0.62 * np.clip(light, -0.55, 0.45))[..., None]
        return np.clip(body + 0.35 * shine[..., None], 0, 1)


def impasto_oil():
    """Poppy field in thick oil paint."""
    rng = np.random.default_rng(1889)
    scene, angle, land, depth = poppy_scene(rng)
    scene = scene**1.18  # a little deeper than the palette: thick paint catches much light
    canvas = Canvas(rng, mix(blur(scene, 12), colour("#a8683a"), 0.45))
    for width, long, gap in [(40, 190, 29), (25, 130, 19), (15, 84, 15.5)]:
        for x, y in scatter(rng, gap):
            if width == 15 and rng.uniform() < 0.25:
                continue
            place = np.array(x), np.array(y)
            on_land = bool(at(land, *place))
            scale = (0.55 + 0.6 * float(at(depth, *place))) if on_land else 1.0
            path = stream(angle, x, y, long * scale * rng.uniform(0.7, 1.25), 9.0)
            if rng.uniform() < 0.5:
                path = path[::-1]
            base = at(scene, *place)
            paint = shift(base, rng.normal(0, 11), rng.uniform(1.0, 1.35), rng.normal(0, 0.055))
            second = shift(base, rng.normal(0, 30), 1.2, rng.normal(0.04, 0.11))
            canvas.stroke(path, width * max(scale, 0.62), paint, second)
    add_poppies(rng, canvas)
    return canvas.lit()


def add_poppies(rng, canvas):
    """Short, thick dabs of red over the field, larger towards the viewer."""
    reds = colours("#d8261c #ef4a2a #b81a2a #f26a3a #e8352f #f7e9d0 #f2b52e")
    drifts = noise(rng, 60, 300, 1.4)
    places = scatter(rng, 17)
    for x, y in places[np.argsort(places[:, 1])]:
        near = (y - 400) / (HEIGHT - 400)
        if near < 0 or drifts[int(y), int(x)] < 0.15 + 0.5 * rng.normal() + 0.1 * (1 - near):
            continue
        size = 7 + 15 * near
        red = reds[min(6, int(rng.exponential(1.9)))]
        for _ in range(2):
            turn = rng.uniform(-0.9, 0.9)
            s = np.linspace(-0.6, 0.6, 5)[:, None] * size
            bow = (np.linspace(-1, 1, 5) ** 2 * -0.25 * size)[:, None]
            path = np.array([x, y]) + s * [math.cos(turn), math.sin(turn)] + bow * [0.0, 1.0]
            path = path + rng.normal(0, size * 0.14, 2)
            paint = shift(red, rng.normal(0, 8), 1.05, rng.normal(0, 0.05))
            canvas.stroke(path, size * 0.85, paint, shift(red, 14, 1.0, 0.16), body=1.5)


# ---------------------------------------------------------------------------------------------
# Marbled paper
# ---------------------------------------------------------------------------------------------


def comb(x, y, angle, offset, gap, strength, sharp):
    """Undo the pull of a comb: teeth `gap` apart drag the paint along `angle`."""
    c, s = math.cos(angle), math.sin(angle)
    across = -x * s + y * c + offset
    to_tooth = np.abs(across / gap - np.rint(across / gap)) * gap
    pull = strength * sharp / (to_tooth + sharp)
    return x - pull * c, y - pull * s


def whirl(x, y, cx, cy, size, turn):
    """Undo a whirl of the stylus round (cx, cy)."""
    dx, dy = x - cx, y - cy
    angle = -turn * np.exp(-((np.hypot(dx, dy) / size) ** 2))
    c, s = np.cos(angle), np.sin(angle)
    return cx + dx * c - dy * s, cy + dx * s + dy * c


def marbled_paper():
    """Paint dropped on a bath, combed, whirled, and taken up with paper.

    Worked backwards: follow every pixel of the finished sheet back through the combs to the
    still bath, then back through the drops, each of which pushed the older paint outwards.
    """
    rng = np.random.default_rng(1655)
    x, y = XX.copy(), YY.copy()
    wander = [noise(rng, 120, 600, 1.7) * 5 for _ in range(2)]
    x, y = x + wander[0], y + wander[1]
    whirls = [
        (215, 215, 120, 2.6),
        (770, 165, 105, -2.4),
        (520, 430, 140, 2.9),
        (165, 600, 110, -2.5),
        (860, 590, 130, 2.5),
        (470, 90, 70, -1.9),
        (500, 690, 80, 2.0),
    ]
    for cx, cy, size, turn in whirls:
        x, y = whirl(x, y, cx, cy, size, turn)
    x, y = comb(x, y, 0.0, 11.0, 66.0, 60.0, 9.0)
    x, y = comb(x, y, math.pi / 2, 37.0, 128.0, 150.0, 22.0)
    x, y = comb(x, y, -math.pi / 2, -27.0, 128.0, 150.0, 22.0)

    paints = colours(
        "#12284c #b3262e #e7a62f #f4ead2 #1f7f86 #0f3f5f #d8622f #f4ead2 #7fb8b0 #5a1f3f"
    )
    picture = np.tile(colour("#12284c"), (*SHAPE, 1))
    open_yet = np.ones(SHAPE, dtype=bool)
    vein = np.full(SHAPE, 1e3)
    bath = 720
    for drop in range(bath):
        cx, cy = rng.uniform(-160, WIDTH + 160), rng.uniform(-220, HEIGHT + 220)
        size = rng.uniform(24, 62) * (0.5 if drop < 90 else 1.1)
        paint = shift(
            paints[rng.integers(len(paints))], rng.normal(0, 4), 1.05, rng.normal(0, 0.02)
        )
        dx, dy = x - cx, y - cy
        square = dx * dx + dy * dy
        hit = open_yet & (square < size * size)
        picture[hit] = paint
        vein[hit] = size - np.sqrt(square[hit])
        open_yet &= ~hit
        shrink = np.sqrt(np.clip(1.0 - size * size / np.maximum(square, 1e-9), 0.0, 1.0))
        x, y = np.where(hit, x, cx + dx * shrink), np.where(hit, y, cy + dy * shrink)
    # Each colour is thinner in the middle of its drop and gathers at its edge; paper shows through.
    mottle, grain = noise(rng, 9, 60, 1.1), noise(rng, 5, 14, 0.5)
    light = 0.032 * mottle + 0.008 * grain + 0.05 * smoothstep(0, 16, vein) - 0.03
    picture = shift(picture, 0, 1.0, light)
    specks = smoothstep(2.7, 3.1, noise(rng, 5, 12, 0.4))
    picture = mix(picture, colour("#f4ead2"), 0.75 * specks)
    return blur(picture, 0.9)


# ---------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------

# How each is made, and how many bytes its file may have: all eight together stay below 380 kB.
PICTURES = {
    "stained-glass": (stained_glass, 41_000),
    "impasto-oil": (impasto_oil, 45_500),
    "pointillism": (pointillism, 47_000),
    "mosaic": (mosaic, 52_000),
    "watercolour": (watercolour, 36_000),
    "marbled-paper": (marbled_paper, 45_000),
    "woodcut": (woodcut, 53_000),
}
BIGGEST_STARRY = 60_000

# Part of each side that the frame of the scan takes, and a little more.
FRAME = 0.028


def save(image, path, biggest):
    """Write a JPEG of at most `biggest` bytes, as near to QUALITY as that allows."""
    for quality in range(QUALITY, 49, -1):
        image.save(path, "JPEG", quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= biggest:
            break
    print(
        f"{path.name}: {image.width} x {image.height}, quality {quality}, "
        f"{path.stat().st_size} bytes"
    )


def finish(canvas):
    """The painted canvas at gallery size, 512 pixels wide."""
    pixels = (np.clip(canvas, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(pixels).resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS)


def reduce_starry(source, out):
    """Van Gogh's picture without the black frame of the scan, 512 pixels wide."""
    image = Image.open(source).convert("RGB")
    width, height = image.size
    left, top = round(FRAME * width), round(FRAME * height)
    image = image.crop((left, top, width - left, height - top))
    image.thumbnail((512, 512), Image.Resampling.LANCZOS)
    save(image, out / "starry-night.jpg", BIGGEST_STARRY)


def main():
    parser = argparse.ArgumentParser(description="make the style pictures of impasto's gallery")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--only", choices=PICTURES, help="make this picture alone")
    parser.add_argument("--starry", type=Path, help="The Starry Night, to reduce to gallery size")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (paint, biggest) in PICTURES.items():
        if options.only in (None, name):
            save(finish(paint()), options.out / f"{name}.jpg", biggest)
    if options.starry:
        reduce_starry(options.starry, options.out)


if __name__ == "__main__":
    main()
