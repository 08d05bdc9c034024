package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/wire"
)

// narrator tells what crosses the sockets, a line for each message:
//
//	→ request   database-service.getUserById  [123]
//	← response  database-service.getUserById  {"id":123,"name":"Ada"}  319 µs
//
// It listens to a tap, so it runs on the way of each message and slows it down
// by the time that writing a line takes; what it measures is the way there and
// back without its own part.
type narrator struct {
	paint palette
	json  bool

	mu   sync.Mutex
	to   io.Writer
	open map[string]asked // requests without an answer, by messageId
}

// asked is a request under way.
type asked struct {
	channel string
	at      time.Time
}

// maxOpen bounds what a narrator remembers of requests that nobody answers.
const maxOpen = 4096

func newNarrator(to io.Writer, paint palette, json bool) *narrator {
	return &narrator{to: to, paint: paint, json: json, open: make(map[string]asked)}
}

// read is the narrator's ear. It keeps nothing of the event.
func (n *narrator) read(e *observe.Event) {
	var m wire.Message
	if wire.DefaultLimits.Decode(e.Frame, &m) != nil {
		return // the engine refuses it too, and says so to whom it concerns
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	line := n.lineLocked(e, &m)
	if n.json {
		if text, err := encode(line); err == nil {
			n.to.Write(text)
		}
		return
	}
	io.WriteString(n.to, line.text(n.paint))
}

// traceLine is one message as it is told, and its form under -j.
type traceLine struct {
	Time      time.Time `json:"time"`
	Direction string    `json:"direction"` // sent, received
	Peer      string    `json:"peer,omitempty"`
	Type      string    `json:"type"`
	Channel   string    `json:"channel,omitempty"`
	Payload   string    `json:"payload,omitempty"` // shortened, so not JSON any more
	Failed    bool      `json:"failed,omitempty"`
	Micros    float64   `json:"us,omitempty"` // an answer's: since its request
}

// lineLocked describes a message, with what is remembered of its request.
func (n *narrator) lineLocked(e *observe.Event, m *wire.Message) traceLine {
	line := traceLine{
		Time:      e.Time,
		Direction: e.Direction.String(),
		Peer:      e.Peer,
		Type:      typeName(m),
		Channel:   string(wire.EventName(m.Channel)),
		Payload:   payload(m),
		Failed:    len(m.Error) > 0,
	}
	if m.Type != wire.TypeResponse {
		if id := askedID(m); id != "" && len(n.open) < maxOpen {
			n.open[id] = asked{line.Channel, e.Time}
		}
		return line
	}
	if request, ok := n.open[string(m.CorrelationID)]; ok {
		delete(n.open, string(m.CorrelationID))
		line.Channel = request.channel
		line.Micros = float64(e.Time.Sub(request.at)) / float64(time.Microsecond)
	}
	return line
}

// askedID returns the id that the answer to m will carry, if it is answered.
func askedID(m *wire.Message) string {
	if m.Type == wire.TypeEvent && !confirms(m) {
		return ""
	}
	if len(m.CorrelationID) > 0 {
		return string(m.CorrelationID)
	}
	return string(m.MessageID)
}

// confirms reports whether the publisher of an event wants a receipt.
func confirms(m *wire.Message) bool {
	var extra wire.Metadata
	return len(m.Metadata) > 0 && wire.DefaultLimits.DecodeMetadata(m.Metadata, &extra) == nil && extra.Confirm
}

func typeName(m *wire.Message) string {
	if m.Type == wire.TypeUnknown {
		return string(m.TypeName)
	}
	return m.Type.String()
}

// payload returns the data or the error of a message, or the notice that
// something was lost.
func payload(m *wire.Message) string {
	const width = 64
	switch {
	case len(m.Error) > 0:
		return shorten(oneLine(m.Error), width)
	case len(m.Data) > 0:
		return shorten(oneLine(m.Data), width)
	}
	var extra wire.Metadata
	if wire.DefaultLimits.DecodeMetadata(m.Metadata, &extra) == nil && extra.Gap != nil {
		return fmt.Sprintf("missed %d to %d: %s", extra.Gap.From, extra.Gap.To, extra.Gap.Reason)
	}
	return ""
}

// text is the line for people. Names are padded so that a conversation's
// payloads stand below each other.
func (l traceLine) text(paint palette) string {
	arrow, kind := paint.green("→"), paint.cyan
	if l.Direction == observe.Received.String() {
		arrow = paint.yellow("←")
	}
	if l.Failed {
		kind = paint.red
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s", arrow, kind(pad(l.Type, 11)), pad(l.Channel, 32))
	if l.Payload != "" {
		b.WriteString("  " + paint.dim(l.Payload))
	}
	if l.Micros > 0 {
		fmt.Fprintf(&b, "  %s", paint.bold(fmt.Sprintf("%.0f µs", l.Micros)))
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}
