package main

import (
	"encoding/binary"
	"strings"
)

// A tick is the data of an event: 100 bytes of JSON with a number that counts
// the events of a publisher, by which a subscriber knows what is missing and
// what comes too late, and the time at which it was published where that is
// wanted.
type tick []byte

const (
	tickHead = `{"n":100000000,"t":1000000000000000000,"note":"`
	tickTail = `"}`

	// Where the digits are. The first one of each number stands for itself:
	// no number in JSON begins with a zero.
	tickCount, tickDigits         = len(`{"n":1`), 8
	tickTime, tickTimeDigits      = len(`{"n":100000000,"t":1`), 18
	lastTick                      = 99_999_999
	timed, untimed           byte = '2', '1' // the first digit of the time
)

func newTick() tick {
	note := strings.Repeat(words, 4)[:smallSize-len(tickHead)-len(tickTail)]
	return tick(tickHead + note + tickTail)
}

// next counts one up.
func (t tick) next() {
	for i := tickCount + tickDigits - 1; i >= tickCount; i-- {
		if t[i]++; t[i] <= '9' {
			return
		}
		t[i] = '0'
	}
}

// stamp puts the time in, in nanoseconds.
func (t tick) stamp(ns int64) {
	t[tickTime-1] = timed
	for i := tickTime + tickTimeDigits - 1; i >= tickTime; i-- {
		t[i] = '0' + byte(ns%10)
		ns /= 10
	}
}

func (t tick) number() uint64 { return eightDigits(t[tickCount:]) }

// time is what was put in by stamp.
func (t tick) time() (ns int64, ok bool) {
	if t[tickTime-1] != timed {
		return 0, false
	}
	for _, c := range t[tickTime : tickTime+tickTimeDigits] {
		ns = ns*10 + int64(c-'0')
	}
	return ns, true
}

// sameTick is whether data is a tick, whatever its numbers.
func sameTick(data []byte, like tick) bool {
	const note = len(tickHead)
	return len(data) == len(like) && string(data[note:]) == string(like[note:])
}

// eightDigits reads all of them at once: a loop would be a good part of what
// the quickest peer takes.
func eightDigits(b []byte) uint64 {
	const mask = 0x000000FF000000FF
	v := binary.LittleEndian.Uint64(b) - 0x3030303030303030
	v = v*10 + v>>8 // pairs
	v = (v&mask)*(100+1000000<<32) + (v>>16&mask)*(1+10000<<32)
	return v >> 32
}

// tickName is what our own peers call the event.
const tickName = "tick"
