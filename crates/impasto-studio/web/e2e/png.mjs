/** Reads the chunks of a PNG. */

const SIGNATURE = 8;

/** Returns a PNG without the text that says how it was made. Nothing else may differ. */
export function withoutRecipe(png) {
  const kept = [png.subarray(0, SIGNATURE)];
  for (let at = SIGNATURE; at < png.length;) {
    // Length, name, data and checksum.
    const end = at + 12 + png.readUInt32BE(at);
    const name = png.toString("latin1", at + 4, at + 8);
    if (!["tEXt", "zTXt", "iTXt"].includes(name)) kept.push(png.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}
