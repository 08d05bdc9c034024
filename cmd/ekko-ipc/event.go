package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ekkojs/ipc"
)

// eventJSON is a line of sub.
type eventJSON struct {
	Event       string          `json:"event"`
	Channel     string          `json:"channel,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"`
	ID          string          `json:"id,omitempty"`
	Time        *time.Time      `json:"time,omitempty"`
	Stream      string          `json:"stream,omitempty"` // what seq counts the events of
	Seq         uint64          `json:"seq,omitempty"`
	Epoch       string          `json:"epoch,omitempty"`
	Snapshot    bool            `json:"snapshot,omitempty"`    // data is a state
	Redelivered bool            `json:"redelivered,omitempty"` // somebody may have had it before
	Deliveries  int             `json:"deliveries,omitempty"`  // from the second on
	Gap         *gapJSON        `json:"gap,omitempty"`
}

type gapJSON struct {
	From   uint64 `json:"from"`
	To     uint64 `json:"to,omitempty"`    // absent when nobody knows
	Count  uint64 `json:"count,omitempty"` // likewise
	Reason string `json:"reason"`
}

// printEvent prints an event, and what is missing before it.
func (c *cli) printEvent(event *ipc.Event) error {
	if c.wantsJSON() {
		if event.Gap != nil {
			c.note("%s", missed(event))
		}
		return c.emit(eventLine(event))
	}
	return c.print(eventText(event, c.out()))
}

func eventText(event *ipc.Event, paint palette) string {
	when := event.Time
	if when.IsZero() {
		when = time.Now()
	}
	var b strings.Builder
	if event.Gap != nil {
		b.WriteString(paint.yellow(missed(event)) + "\n")
	}
	b.WriteString(paint.dim(when.Local().Format("15:04:05.000")) + "  " + paint.cyan(event.Name) + "  ")
	switch {
	case event.Snapshot:
		b.WriteString(paint.purple("snapshot") + "  ")
	case event.Deliveries > 1:
		b.WriteString(paint.yellow("delivery "+strconv.Itoa(event.Deliveries)) + "  ")
	case event.Redelivered:
		b.WriteString(paint.yellow("redelivered") + "  ")
	}
	b.WriteString(paintJSON(oneLine(event.Data), paint) + "\n")
	return b.String()
}

// gapReasons says for people why something is missing.
var gapReasons = map[string]string{
	ipc.GapSlowConsumer: "read too slowly",
	ipc.GapRestarted:    "the service was started anew",
	ipc.GapLost:         "published while the connection was down",
	ipc.GapExpired:      "the channel keeps no more",
	ipc.GapDataLoss:     "the service's disk has lost them",
}

// missed says what is missing before an event.
func missed(event *ipc.Event) string {
	gap := event.Gap
	why := gapReasons[gap.Reason]
	if why == "" {
		why = gap.Reason
	}
	count := gap.Count
	if count == 0 && gap.To >= gap.From {
		count = gap.To - gap.From + 1
	}
	if count == 0 { // nobody knows how many
		return fmt.Sprintf("some of %s may be missing here: %s", event.Stream, why)
	}
	return fmt.Sprintf("%d of %s missing here: %s", count, event.Stream, why)
}

func eventLine(event *ipc.Event) eventJSON {
	line := eventJSON{
		Event: event.Name, Channel: event.Channel, Data: json.RawMessage(event.Data), ID: event.ID,
		Stream: event.Stream, Seq: event.Seq, Epoch: event.Epoch,
		Snapshot: event.Snapshot, Redelivered: event.Redelivered, Deliveries: event.Deliveries,
	}
	if !event.Time.IsZero() {
		when := event.Time.UTC()
		line.Time = &when
	}
	if g := event.Gap; g != nil {
		line.Gap = &gapJSON{g.From, g.To, g.Count, g.Reason}
	}
	return line
}
