package wire

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// AppendUUID appends the 36 characters of a version 4 UUID made of the 128
// bits given, six of which become the version and the variant. The last eight
// hexadecimal digits are exactly uint32(lo), so that a sender can find a
// number of its own again in an id.
func AppendUUID(dst []byte, hi, lo uint64) []byte {
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	var text [36]byte
	first, second := hexDigits(uint32(hi>>32)), hexDigits(uint32(hi))
	third, fourth := hexDigits(uint32(lo>>32)), hexDigits(uint32(lo))
	binary.LittleEndian.PutUint64(text[0:], first)
	text[8] = '-'
	binary.LittleEndian.PutUint32(text[9:], uint32(second))
	text[13] = '-'
	binary.LittleEndian.PutUint32(text[14:], uint32(second>>32))
	text[18] = '-'
	binary.LittleEndian.PutUint32(text[19:], uint32(third))
	text[23] = '-'
	binary.LittleEndian.PutUint32(text[24:], uint32(third>>32))
	binary.LittleEndian.PutUint64(text[28:], fourth)
	return append(dst, text[:]...)
}

// hexDigits returns the eight hexadecimal digits of v, the first one in the
// lowest byte.
func hexDigits(v uint32) uint64 {
	x := uint64(bits.ReverseBytes32(v))
	x = (x | x<<16) & 0x0000_ffff_0000_ffff // one half of the bytes every four,
	x = (x | x<<8) & 0x00ff_00ff_00ff_00ff  // one byte every two
	x = x>>4&0x000f_000f_000f_000f | x&0x000f_000f_000f_000f<<8
	letters := (x + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101 // 1 where a digit is above 9
	return x + 0x3030_3030_3030_3030 + letters*('a'-'9'-1)
}

// NewUUID returns a random version 4 UUID. Its bits come from the runtime's
// ChaCha8 generator, which the operating system seeds: nobody outside can
// guess the next one.
func NewUUID() string {
	var text [36]byte
	return string(AppendUUID(text[:0], rand.Uint64(), rand.Uint64()))
}
