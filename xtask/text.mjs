// Bytes as text that costs almost nothing after gzip or brotli.
//
// base64 has 64 symbols of 6 bits: with any other character beside them their codes get longer, and a compressor finds short repetitions that are none.
// Here are 91 symbols, 37 of them of 6 bits and 54 of 7, which is the very code a compressor gives them (1 % less of the download). They are the printable
// characters but those that would be escaped in a string or could end an inline script. `src/npm/load.js` reads it.

const ALPHABET = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter((char) => !'"\\<'.includes(char));

export function toText(bytes) {
  let text = "";
  let [bits, count] = [0, 0];
  const put = () => {
    const next = (bits >> (count - 7)) & 127;
    text += ALPHABET[next < 74 ? next >> 1 : next - 37];
    count -= next < 74 ? 6 : 7;
  };
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    count += 8;
    while (count >= 7) put();
  }
  // What is left over, and zeros: fewer than make another byte.
  bits = (bits << 7) & 0xffffff;
  count += 7;
  if (count > 7) put();
  return text;
}
