package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// small is the payload that most of the modes echo: 100 bytes, and JSON,
// since that is what some of the peers carry.
const small = `{"orderId":456,"customer":"Ada Lovelace","total":99.99,"items":["tea","rusk","jam"],"note":"parcel"}`

const smallSize = len(small)

const _ = uint(100-smallSize) + uint(smallSize-100) // compiles only at 100 bytes

// words fill the note of a larger payload.
const words = "handle with care and keep upright; "

var payloads sync.Map // of []byte by size

// payloadOf returns a JSON object of n bytes, at least those of small: the
// same but for a longer note. Nobody may write to it.
func payloadOf(n int) []byte {
	if p, ok := payloads.Load(n); ok {
		return p.([]byte)
	}
	more := max(n-smallSize, 0)
	text := small[:smallSize-2] + strings.Repeat(words, more/len(words)+1)[:more] + small[smallSize-2:]
	p, _ := payloads.LoadOrStore(n, []byte(text))
	return p.([]byte)
}

// sameAs is whether a reply is the payload p. Of a large one only both ends
// are compared: a look at all of it would cost as much as some peers take.
func sameAs(reply, p []byte) bool {
	const end = 256
	if len(p) <= 2*end {
		return bytes.Equal(reply, p)
	}
	return len(reply) == len(p) && bytes.Equal(reply[:end], p[:end]) && bytes.Equal(reply[len(p)-end:], p[len(p)-end:])
}

// differs describes a reply that is not the payload.
func differs(reply, p []byte) error {
	const shown = 200
	return fmt.Errorf("sent %d bytes, %.*q, received %d bytes, %.*q", len(p), shown, p, len(reply), shown, reply)
}
