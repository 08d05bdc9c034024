package hub

import (
	"sync/atomic"
	"time"
)

// clock tells the time of events. Asking the system for the time of day costs
// twice as much as asking how much has passed, so it does that, and once a
// second the other.
type clock struct {
	now  func() time.Time // nil: the system's
	base atomic.Pointer[moment]
}

// moment is a reading of the system's clock.
type moment struct {
	at    time.Time
	milli int64
}

// milli returns the time in milliseconds since 1970.
func (c *clock) milli() int64 {
	if c.now != nil {
		return c.now().UnixMilli()
	}
	if m := c.base.Load(); m != nil {
		if passed := time.Since(m.at); passed < time.Second {
			return m.milli + passed.Milliseconds()
		}
	}
	at := time.Now()
	m := &moment{at, at.UnixMilli()}
	c.base.Store(m)
	return m.milli
}
