package wire

import "math/rand/v2"

const hexPairs = "" +
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" +
	"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f" +
	"404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f" +
	"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f" +
	"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f" +
	"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf" +
	"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf" +
	"e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

// AppendUUID appends the 36 characters of a version 4 UUID made of the 128
// bits given, six of which become the version and the variant. The last eight
// hexadecimal digits are exactly uint32(lo), so that a sender can find a
// number of its own again in an id.
func AppendUUID(dst []byte, hi, lo uint64) []byte {
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	var text [36]byte
	putHex(text[0:8], hi>>32)
	text[8] = '-'
	putHex(text[9:13], hi>>16)
	text[13] = '-'
	putHex(text[14:18], hi)
	text[18] = '-'
	putHex(text[19:23], lo>>48)
	text[23] = '-'
	putHex(text[24:36], lo)
	return append(dst, text[:]...)
}

// putHex fills dst with the last digits of v.
func putHex(dst []byte, v uint64) {
	for i := len(dst) - 2; i >= 0; i -= 2 {
		b := 2 * (v & 0xff)
		dst[i], dst[i+1] = hexPairs[b], hexPairs[b+1]
		v >>= 8
	}
}

// NewUUID returns a random version 4 UUID. Its bits come from the runtime's
// ChaCha8 generator, which the operating system seeds: nobody outside can
// guess the next one.
func NewUUID() string {
	var text [36]byte
	return string(AppendUUID(text[:0], rand.Uint64(), rand.Uint64()))
}
