package main

import (
	"fmt"

	"github.com/ekkojs/ipc"
)

// publishedJSON is what pub prints of an event with -j or --confirm.
type publishedJSON struct {
	Service   string `json:"service"`
	Event     string `json:"event"`
	Published bool   `json:"published"` // false: an event of this ID was before
	*ipc.Receipt
}

func (c *cli) printReceipt(t target, p publication, r *ipc.Receipt) error {
	if c.wantsJSON() {
		return c.emit(publishedJSON{t.service, p.Event, !r.Duplicate, r})
	}
	paint := c.out()
	said := fmt.Sprintf("%s  %s  %d receivers, %d behind", paint.cyan(p.Event), placeOf(r), r.Receivers, r.Behind)
	if r.Duplicate {
		said = paint.cyan(p.Event) + "  " + placeOf(r) + "  " + paint.yellow("duplicate")
	}
	return c.print(said + "\n")
}

// placeOf says where an event is in its stream.
func placeOf(r *ipc.Receipt) string { return fmt.Sprintf("number %d of %s", r.Seq, r.Stream) }

// notePublished tells of the one event that was published.
func (c *cli) notePublished(t target, p publication, r *ipc.Receipt) {
	switch {
	case r == nil:
		c.note("published %s to %s", p.Event, t.service)
	case r.Duplicate:
		c.note("%s was published to %s before, and is %s: nothing was added", p.Event, t.service, placeOf(r))
	case keeps(t.manifest, p.Event):
		c.note("published %s to %s, which keeps it as %s", p.Event, t.service, placeOf(r))
	default:
		c.note("published %s to %s as %s", p.Event, t.service, placeOf(r))
	}
}
