"""Makes the pictures of this folder, and what they are in sRGB by a second implementation (Pillow with LittleCMS).

    python3 make.py

NAME.EXT is the picture, NAME.srgb.png what it has to be within 2 of 255. The profiles are made here too.
"""

import io
import struct
from pathlib import Path

from PIL import Image, ImageCms

HERE = Path(__file__).parent
SIZE = 12


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def tag_xyz(x, y, z):
    return b"XYZ \0\0\0\0" + fixed(x) + fixed(y) + fixed(z)


def tag_gamma(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def tag_description(text):
    text = text.encode() + b"\0"
    data = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    return data + bytes(-len(data) % 4)


def profile(space, pcs, kind, tags):
    """An ICC profile, version 2.4."""
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags:
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, kind, space, pcs)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(24)
    header += struct.pack(">I", 0) + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    header += bytes(128 - len(header))
    return header + struct.pack(">I", len(tags)) + table + data


WHITE = (b"wtpt", tag_xyz(0.9642, 1.0, 0.8249))


def wide():
    """An RGB profile with the primaries of Adobe RGB (1998), adapted to D50, and gamma 2.2."""
    columns = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
    tags = [(b"desc", tag_description("wide")), WHITE]
    tags += [(name, tag_xyz(*column)) for name, column in zip([b"rXYZ", b"gXYZ", b"bXYZ"], columns)]
    tags += [(name, tag_gamma(2.2)) for name in [b"rTRC", b"gTRC", b"bTRC"]]
    return profile(b"RGB ", b"XYZ ", b"mntr", tags)


def grey():
    """A grey profile with gamma 1.8."""
    return profile(b"GRAY", b"XYZ ", b"mntr", [(b"desc", tag_description("grey")), WHITE, (b"kTRC", tag_gamma(1.8))])


def inks():
    """A CMYK profile: curves for the inks, and a table of Lab colours.

    The table is straight between its ends: where it is not, implementations differ by how they interpolate.
    """
    steps, knots = 3, 17
    curve = struct.pack(f">{knots}H", *(round(65535 * (i / (knots - 1)) ** 1.4) for i in range(knots)))
    table = b""
    for index in range(steps**4):
        c, m, y, k = (index // steps**p % steps / (steps - 1) for p in (3, 2, 1, 0))
        light = 96 - 28 * c - 38 * m - 6 * y - 22 * k
        a = -25 * c + 45 * m - 3 * y
        b = -30 * c - 4 * m + 55 * y
        table += struct.pack(">3H", round(light * 652.8), round((a + 128) * 256), round((b + 128) * 256))
    lut = b"mft2\0\0\0\0" + bytes([4, 3, steps, 0])
    lut += b"".join(fixed(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut += struct.pack(">2H", knots, 2) + curve * 4 + table + struct.pack(">2H", 0, 65535) * 3
    return profile(b"CMYK", b"Lab ", b"prtr", [(b"desc", tag_description("inks")), WHITE, (b"A2B0", lut)])


def colours(mode):
    """All hues, and all depths."""
    picture = Image.new(mode, (SIZE, SIZE))
    for y in range(SIZE):
        for x in range(SIZE):
            u, v, w = (255 * t // (SIZE - 1) for t in (x, y, (x * 5 + y * 3) % SIZE))
            value = {"L": (u + v) // 2, "RGB": (u, v, w), "CMYK": (u, v, w, (x * y * 7) % 160)}[mode]
            picture.putpixel((x, y), value)
    return picture


def blocks(mode):
    """Flat blocks of 8 px in colours of middle depth: JPEG decoders round differently, and profiles stretch what is dark."""
    small = Image.new(mode, (5, 5))
    for y in range(5):
        for x in range(5):
            u, v, w = (60 + 35 * t for t in (x, y, (x * 3 + y * 2) % 5))
            small.putpixel((x, y), (u, v, w) if mode == "RGB" else (u, v, w, 20 * (x + y) // 2))
    return small.resize((40, 40), Image.Resampling.NEAREST)


def expect(name, picture, icc=None):
    if icc is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        # Without shortcuts, which differ from the long way by up to 14 of 255; and relative colorimetric, as the profiles have
        # one table only, because LittleCMS lifts the black of perceptual ones of version 2.
        flags, intent = ImageCms.Flags.NOOPTIMIZE, ImageCms.Intent.RELATIVE_COLORIMETRIC
        target = ImageCms.createProfile("sRGB")
        picture = ImageCms.profileToProfile(
            picture, source, target, renderingIntent=intent, outputMode="RGB", flags=flags
        )
    picture.convert("RGB").save(HERE / f"{name}.srgb.png")


def main():
    rgb, luma, cmyk = colours("RGB"), colours("L"), colours("CMYK")

    rgb.save(HERE / "wide_png.png", icc_profile=wide())
    expect("wide_png", rgb, wide())
    blocks("RGB").save(HERE / "wide_jpeg.jpg", icc_profile=wide(), quality=100, subsampling=0)
    expect("wide_jpeg", Image.open(HERE / "wide_jpeg.jpg"), wide())
    rgb.save(HERE / "wide_tiff.tif", icc_profile=wide())
    expect("wide_tiff", rgb, wide())
    rgb.save(HERE / "wide_webp.webp", icc_profile=wide(), lossless=True)
    expect("wide_webp", rgb, wide())

    luma.save(HERE / "grey_png.png", icc_profile=grey())
    # LittleCMS yields colours; Pillow's grey to RGB loses the profile's white.
    expect("grey_png", luma, grey())
    luma.save(HERE / "grey_rgb_profile.png", icc_profile=wide())
    expect("grey_rgb_profile", luma.convert("RGB"), wide())

    cmyk.save(HERE / "cmyk_jpeg.jpg", quality=100)
    adobe = (HERE / "cmyk_jpeg.jpg").read_bytes()
    expect("cmyk_jpeg", Image.open(HERE / "cmyk_jpeg.jpg"))
    # The same bytes as YCCK: Adobe's marker says 2 in place of 0.
    at = adobe.index(b"Adobe") + 11
    assert adobe[at] == 0
    (HERE / "ycck_jpeg.jpg").write_bytes(adobe[:at] + b"\2" + adobe[at + 1 :])
    expect("ycck_jpeg", Image.open(HERE / "ycck_jpeg.jpg"))
    # Without the marker the inks are inverted all the same.
    start = adobe.index(b"\xff\xee")
    (HERE / "cmyk_plain_jpeg.jpg").write_bytes(adobe[:start] + adobe[start + 16 :])
    expect("cmyk_plain_jpeg", Image.open(HERE / "cmyk_plain_jpeg.jpg"))
    blocks("CMYK").save(HERE / "inks_jpeg.jpg", quality=100, icc_profile=inks())
    expect("inks_jpeg", Image.open(HERE / "inks_jpeg.jpg"), inks())
    blocks("CMYK").save(HERE / "inks_tiff.tif", icc_profile=inks(), compression="tiff_adobe_deflate")
    expect("inks_tiff", blocks("CMYK"), inks())

    rgb.quantize(16).save(HERE / "palette_png.png")
    expect("palette_png", rgb.quantize(16))
    rgb.quantize(16).save(HERE / "palette_tiff.tif")
    luma.convert("1").save(HERE / "bits_png.png")
    expect("bits_png", luma.convert("1"))
    luma.convert("1").save(HERE / "bits_tiff.tif")
    expect("bits_tiff", luma.convert("1"))
    rgb.save(HERE / "progressive_jpeg.jpg", quality=100, subsampling=0, progressive=True)
    expect("progressive_jpeg", Image.open(HERE / "progressive_jpeg.jpg"))
    luma.save(HERE / "grey_jpeg.jpg", quality=100)
    expect("grey_jpeg", Image.open(HERE / "grey_jpeg.jpg"))
    rgb.save(HERE / "lossy_webp.webp", quality=100)
    expect("lossy_webp", Image.open(HERE / "lossy_webp.webp"))
    rgb.save(HERE / "small.avif")


if __name__ == "__main__":
    main()
