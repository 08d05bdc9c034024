// Package store is the contract of what keeps events: a [Store] has a [Log]
// for each channel that remembers, and a Log keeps records in order until its
// limits say otherwise. [NewMemory] keeps them for as long as the process
// lives; package store/disk keeps them over crashes and power cuts. The suite
// in store/storetest is what every implementation passes.
package store

import "time"

// Record is one event as it is kept.
type Record struct {
	// Seq is the record's place in its log, from 1, without holes. The log
	// gives it.
	Seq uint64

	// Time is when the event was published, in milliseconds since 1970. The
	// log fills it in if it is 0.
	Time int64

	// ID is the publisher's name for the event, at most 128 bytes. A second
	// record with the same ID within Limits.Dedupe is not kept. Empty: the
	// record is never a duplicate.
	ID string

	// Name is the event's name, at most 255 bytes: a log may hold several.
	Name string

	// Data is the event's payload, JSON or empty.
	Data []byte

	// Group names the only group of readers that the record is for. Empty:
	// it is for all.
	Group string

	// Dead says where a dead letter comes from; nil in every other record.
	Dead *Dead
}

// Dead is what is known of a message that was given up.
type Dead struct {
	Seq        uint64 `json:"seq"`        // in the log that it comes from
	Epoch      string `json:"epoch"`      // of that log
	Group      string `json:"group"`      // whose members could not handle it
	Deliveries int    `json:"deliveries"` // how often it was given to one
	Reason     string `json:"reason"`     // for people
}

// Receipt is what came of an Append.
type Receipt struct {
	// Seq is the record's place; of a duplicate, that of the first one.
	Seq uint64
	// Duplicate: a record with this ID is kept already, and this one is not.
	Duplicate bool
	// Err says that the record is not kept; Seq is 0 then. It is a
	// *wire.Error: STORAGE_FULL (nothing was written, and the next one may
	// succeed), OVERLOADED (the same: more waits to be written than may),
	// STORAGE_UNAVAILABLE (whether it is kept is not known when its details
	// say "maybe": append it again under the same ID), or MESSAGE_TOO_LARGE.
	Err error
}

// Limits bounds a log. A zero field sets no bound of its own, but for Bytes.
type Limits struct {
	Messages int64
	Bytes    int64         // of records with all that belongs to them. Default 256 MiB
	Age      time.Duration // older records are removed, needed or not
	Dedupe   time.Duration // how long IDs are remembered, up to MaxIDs. Default 2 min; negative: not at all

	// Hold tells the oldest sequence number that somebody needs. To make
	// room a log removes older records only, and when that is not enough the
	// new record is refused: STORAGE_FULL. Nil: the oldest always make room.
	// It is called with locks of the log held, so it must be quick and must
	// not call the log.
	Hold func() uint64
}

// The defaults of Limits and the bounds of what a Log keeps.
const (
	DefaultBytes  = 256 << 20
	DefaultDedupe = 2 * time.Minute
	MaxIDs        = 1 << 18 // remembered for Limits.Dedupe, the newest ones
	MaxCursors    = 256     // of one log
	MaxCursorSize = 64 << 10
	MaxIDSize     = 128
)

// Loss is a run of records, both ends included, that were kept and cannot be
// read any more though no limit removed them.
type Loss struct {
	From, To uint64
	Reason   string // for people: what was found where
}

// Stats is what a log holds and has counted since it was opened.
type Stats struct {
	Messages   int64
	Bytes      int64
	Appended   uint64
	Duplicates uint64
	Refused    uint64 // by STORAGE_FULL or STORAGE_UNAVAILABLE
	Removed    uint64 // by limits or Discard
	Syncs      uint64 // times that something was forced to the medium
}

// Store keeps the logs of one service. Its methods may be called at any time
// from any goroutine.
type Store interface {
	// Log opens the log of that name, any text of 1 to 255 bytes, and makes
	// it if there is none. Opened again it is the same one, with the limits
	// of the first time. The error is a *wire.Error.
	Log(name string, limits Limits) (Log, error)

	// Close closes every log. It is idempotent.
	Close() error
}

// Log is an append-only sequence of records, with the places of those who
// read it. Its methods may be called at any time from any goroutine, except
// that done must not call Close.
type Log interface {
	// Epoch is text that changes whenever sequence numbers that were given
	// before might be given again. It never changes while the log is open.
	Epoch() string

	// Bounds returns the sequence number of the oldest record that is kept
	// and the one that the next record will get. They are equal when nothing
	// is kept.
	Bounds() (first, next uint64)

	// Append keeps r, of which the log makes a copy, and calls done once
	// when that is certain or has failed. It does not wait for that. The
	// calls of done come one at a time, in the order of the sequence
	// numbers, without locks held, on whatever goroutine; done must be quick.
	// A record can be read before its done has been called, but not before
	// it is as safe as the log makes it.
	Append(r Record, done func(Receipt))

	// Read appends to dst the records from the sequence number from on, at
	// most max of them, and no more than about maxBytes of data, but one if
	// there is any. What the limits removed or was lost is left out, so the
	// first record may have a higher number, and so may any other. The bytes
	// of the records are shared and must not be changed; they may be kept. The error is
	// a *wire.Error.
	Read(dst []Record, from uint64, max, maxBytes int) ([]Record, error)

	// At returns the sequence number of the first record that was published
	// at t or later, the next one if there is none yet.
	At(t time.Time) uint64

	// Discard removes the records before that sequence number, in a bounded
	// time for space on a medium and at once for readers.
	Discard(before uint64)

	// Losses lists what has been lost, oldest first.
	Losses() []Loss

	// Cursor returns what SetCursor kept under that name, nil if nothing. It
	// is empty if that is lost: so no cursor should be.
	Cursor(name string) []byte

	// SetCursor keeps state, at most MaxCursorSize bytes, under that name;
	// nil removes it. It survives the end of the process at once and a power
	// cut within 100 ms, where the log itself does. The error is a
	// *wire.Error, QUOTA_EXCEEDED when there are MaxCursors already.
	SetCursor(name string, state []byte) error

	// Sync waits until all cursors are as safe as the records.
	Sync() error

	// Cursors lists the names that have a state, sorted.
	Cursors() []string

	Stats() Stats

	// Close waits for what has been appended. It is idempotent; Append and
	// Read fail afterwards with STORAGE_UNAVAILABLE.
	Close() error
}
