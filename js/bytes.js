// Bytes: how long a text is as UTF-8, also where there is no Buffer.

/** byteLength counts the bytes of a text as UTF-8. */
export const byteLength = globalThis.Buffer === undefined ? count : (text) => Buffer.byteLength(text);

// count does so without a copy. Half a surrogate pair becomes U+FFFD, of three
// bytes, as TextEncoder has it.
function count(text) {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) continue;
    if (c < 0x800) bytes++;
    else if (c >= 0xd800 && c < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}
