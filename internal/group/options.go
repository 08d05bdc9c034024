package group

import (
	"time"

	"github.com/ekkojs/ipc/store"
)

// The defaults and ceilings of Options and Member.
const (
	DefaultAckWait     = 30 * time.Second
	DefaultMaxPending  = 1000
	DefaultMaxDeliver  = 5
	DefaultCredit      = 100
	DefaultCreditBytes = 8 << 20
	MaxPending         = 4096 // so that the state always fits into a cursor
	MaxDelay           = 24 * time.Hour
)

const (
	flushAfter = 50 * time.Millisecond // how long a change may wait to be kept
	flushAgain = time.Second           // when that has failed
	flushAcks  = 256                   // how many changes may wait
	claimAhead = 1024                  // so many records are claimed with one write
	nudgeAfter = 100 * time.Millisecond
	firstRetry = 100 * time.Millisecond // of a dead letter that was not kept
	lastRetry  = 30 * time.Second
	maxScan    = 4096 // records that one Take may pass over
	minBatch   = 32   // records that are read at once, if there are
	maxBatch   = 256
	aheadBytes = 32 << 10
)

// Options adjusts Open.
type Options struct {
	// Exclusive: the group has one member at most, and the newest wins. It
	// is part of what is kept: a group is opened in the way it was made.
	Exclusive bool

	// AsKept opens a group that the log keeps, exclusive or not.
	AsKept bool

	// Start is the first record that a new group gets; what the log does not
	// have any more is not missed. 0: the oldest that is kept.
	Start uint64

	// AckWait is how long a member has to acknowledge, if it does not say
	// otherwise. Default DefaultAckWait.
	AckWait time.Duration

	// MaxPending is how many records may be out at once: held, given back
	// and waiting, or on their way to the dead letters. Default
	// DefaultMaxPending, ceiling MaxPending.
	MaxPending int

	// MaxDeliver is how often a record is delivered before it is given up.
	// Default DefaultMaxDeliver; negative: as often as it takes.
	MaxDeliver int

	// Volatile says that the log ends with the process, so that there is
	// nothing to keep for a crash: the state is written by Flush and Close
	// only, and Floor follows each acknowledgement at once.
	Volatile bool

	// Dead keeps a record that was given up: rec has Dead filled in, a
	// Time and Seq of 0, no Group, and an ID by which a log sees that it has it
	// already. It calls done once, from anywhere; if that says an error it will
	// be called again later. Nil: what is given up is only counted.
	Dead func(rec store.Record, done func(store.Receipt))

	// Alarm is called when Deadline has become sooner than it was when it was
	// asked for last. It is called without locks of the group, from any of
	// its methods, and must not block.
	Alarm func()

	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.AckWait <= 0 {
		o.AckWait = DefaultAckWait
	}
	if o.MaxPending <= 0 {
		o.MaxPending = DefaultMaxPending
	}
	o.MaxPending = min(o.MaxPending, MaxPending)
	if o.MaxDeliver == 0 {
		o.MaxDeliver = DefaultMaxDeliver
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
