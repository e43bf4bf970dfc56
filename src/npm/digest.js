// SHA-256 (FIPS 180-4) and HMAC (RFC 2104) of our own: WebCrypto's are asynchronous, which `findings` is not, and pages over plain http have none.
// They make marks that can be compared but not read; nothing is signed, checked or let in by them.

/** The first 32 bits of the fractional parts of the cube roots of 64 primes, and of the square roots of eight. */
let constants;
function makeConstants() {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  return [Math.cbrt, Math.sqrt].map((root) => Int32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32));
}

function sha256(bytes) {
  const [K, H] = (constants ??= makeConstants());
  const state = H.slice(0, 8);
  const length = bytes.length;
  const padded = new Uint8Array(((length + 8) >> 6 << 6) + 64);
  padded.set(bytes);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, length / 2 ** 29);
  view.setUint32(padded.length - 4, length << 3);
  const W = new Int32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < padded.length; at += 64) {
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        W[i] = view.getInt32(at + i * 4);
      } else {
        const [x, y] = [W[i - 15], W[i - 2]];
        W[i] = W[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + W[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
      }
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] += word));
  }
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => digest.setInt32(i * 4, word));
  return new Uint8Array(digest.buffer);
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** HMAC-SHA-256 of a text under a key that is text, in hexadecimal. */
export function hmac(key, text) {
  const utf8 = new TextEncoder();
  let bytes = utf8.encode(key);
  if (bytes.length > 64) bytes = sha256(bytes);
  const padded = (byte, rest) => {
    const block = new Uint8Array(64 + rest.length);
    for (let i = 0; i < 64; i++) block[i] = bytes[i] ^ byte;
    block.set(rest, 64);
    return sha256(block);
  };
  return hex(padded(0x5c, padded(0x36, utf8.encode(text))));
}

/** 128 bits that nobody can guess, in hexadecimal. */
export const random = () => hex(crypto.getRandomValues(new Uint8Array(16)));
