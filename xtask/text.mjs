// Bytes as text that costs nothing after gzip or brotli: a character for a byte, so that a compressor finds whatever repeats.
//
// Printable characters stand for themselves. The rarest of them give way to bytes that wasm is full of, and to a few that flip bits of the next byte: with those before it, any byte that has no character is written as another
// one. Which they are the text says at its beginning. `src/npm/text.js` reads it.
import { MEANINGS as LAST } from "../src/npm/text.js";

/** What would be escaped in a string, or could end an inline script. */
const UNFIT = '"\\<';

const PRINTABLE = Array.from({ length: 95 }, (_, index) => 32 + index).filter((code) => !UNFIT.includes(String.fromCharCode(code)));
const MEANINGS = [...Array(32).keys(), ...LAST];
const FLIPS = MEANINGS.filter((meaning) => meaning > 255);

export function toText(bytes) {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte]++;

  /** The bytes of a single character. */
  const singles = new Set([...PRINTABLE, ...MEANINGS]);
  const partners = (byte) => FLIPS.map((flip) => (byte ^ flip) & 255).filter((other) => singles.has(other));
  const given = [];
  for (const code of PRINTABLE.toSorted((one, other) => counts[one] - counts[other])) {
    if (given.length === MEANINGS.length) break;
    singles.delete(code);
    // Not the only ones to write another byte with.
    if (counts.every((_, byte) => singles.has(byte) || partners(byte).length > 0)) given.push(code);
    else singles.add(code);
  }
  const special = String.fromCharCode(...given.sort((one, other) => one - other));
  const char = (meaning) => special[MEANINGS.indexOf(meaning)] ?? String.fromCharCode(meaning);

  const texts = Array.from(counts, (_, byte) => {
    if (singles.has(byte)) return char(byte);
    const partner = partners(byte).reduce((best, other) => (counts[other] > counts[best] ? other : best));
    return char(256 | (byte ^ partner)) + char(partner);
  });
  return special + Array.from(bytes, (byte) => texts[byte]).join("");
}
