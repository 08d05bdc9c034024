package main

import (
	"bytes"
	"encoding/binary"
)

// forwardingDLL returns a library for 64-bit Windows that exports one function
// under a name and leaves it to target, "LIBRARY.Function", to be it. There is
// no code in it: a loader reads the list of exports and looks further.
func forwardingDLL(library, name, target string) []byte {
	const (
		aligned = 0x200  // of the file, and the size of all headers
		section = 0x1000 // where the one section lies in memory
		exports = 40     // bytes of the export directory
	)
	// The section: directory, address of the function, address of its name,
	// its ordinal, and the three texts.
	texts := []string{library, name, target}
	at := make([]uint32, len(texts))
	var data bytes.Buffer
	offset := uint32(exports + 4 + 4 + 2)
	for i, s := range texts {
		at[i] = section + offset
		data.WriteString(s + "\x00")
		offset += uint32(len(s) + 1)
	}
	var s bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			binary.Write(&s, binary.LittleEndian, v)
		}
	}
	put(uint32(0), uint32(0), uint32(0), at[0], uint32(1), uint32(1), uint32(1),
		uint32(section+exports), uint32(section+exports+4), uint32(section+exports+8))
	put(at[2], at[1], uint16(0)) // an address within the exports is a forward
	s.Write(data.Bytes())
	size := uint32(s.Len())
	content := append(s.Bytes(), make([]byte, aligned-int(size)%aligned)...)

	s.Reset()
	s.WriteString("MZ")
	s.Write(make([]byte, 58))
	put(uint32(64)) // where the real header is
	s.WriteString("PE\x00\x00")
	put(uint16(0x8664), uint16(1), uint32(0), uint32(0), uint32(0), uint16(240), uint16(0x2022)) // amd64, one section, a DLL
	put(uint16(0x20b), uint16(0), uint32(0), uint32(len(content)), uint32(0), uint32(0), uint32(0),
		uint64(0x180000000), uint32(0x1000), uint32(aligned), uint16(6), uint16(0), uint32(0), uint16(6), uint16(0), uint32(0),
		uint32(section+0x1000), uint32(aligned), uint32(0), uint16(2), uint16(0x160),
		uint64(0x100000), uint64(0x1000), uint64(0x100000), uint64(0x1000), uint32(0), uint32(16))
	put(uint32(section), size) // the export directory, first of 16
	s.Write(make([]byte, 15*8))
	s.WriteString(".edata\x00\x00")
	put(size, uint32(section), uint32(len(content)), uint32(aligned), uint32(0), uint32(0), uint16(0), uint16(0), uint32(0x40000040))
	s.Write(make([]byte, aligned-s.Len()))
	return append(s.Bytes(), content...)
}
