/**
 * The text that the wasm is written as (`xtask/text.mjs`) begins with the characters that mean something else than the byte of their code: the bytes from 0 to 31, and then these. From 256 on that is no byte but the bits
 * to flip in the next one.
 */
export const MEANINGS = [127, 128, 256 + 32, 256 + 128, 256 + 208];

/** The bytes behind such text. It runs once, before anything is compiled: as little as possible for each character. */
export function unpack(text) {
  const meanings = [];
  const bytes = new TextEncoder().encode(text);
  let size = 0;
  let flip = 0;
  bytes.forEach((code, at) => {
    const meaning = meanings[code] ?? code;
    if (at < 32 + MEANINGS.length) {
      meanings[code] = MEANINGS[at - 32] ?? at;
    } else if (meaning > 255) {
      flip = meaning;
    } else {
      // In place: there are never more bytes than characters.
      bytes[size++] = meaning ^ flip;
      flip = 0;
    }
  });
  return bytes.slice(0, size);
}
