package ipc

import (
	"time"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/wire"
)

// wish is the data of a subscribe message: how the events are wanted.
type wish struct {
	From         Raw    `json:"from,omitzero"`
	Filter       string `json:"filter,omitzero"`
	Group        string `json:"group,omitzero"`
	Durable      string `json:"durable,omitzero"`
	Credit       int    `json:"credit,omitzero"`
	Limit        int    `json:"limit,omitzero"`
	AckWaitMS    int64  `json:"ackWaitMs,omitzero"`
	OnSlow       string `json:"onSlow,omitzero"`
	Window       int    `json:"window,omitzero"`       // bytes of events that are sent before more is granted
	Subscription string `json:"subscription,omitzero"` // the id, if the client chooses it
	Plain        bool   `json:"plain,omitzero"`        // it shares the plain ones' events when it has caught up
}

// wish is what the options say of how the events are wanted.
func (o *SubscribeOptions) wish() (w wish, err error) {
	w = wish{Filter: o.Filter, Group: o.Group, Durable: o.Durable, Credit: max(o.Credit, 0), AckWaitMS: max(o.AckWait.Milliseconds(), 0)}
	if from := o.From.wish(); from != nil {
		w.From, err = appendJSON(nil, from)
	}
	return w, err
}

// isPlain reports whether it says nothing that makes a subscription separate.
func (w *wish) isPlain() bool {
	return w.From == nil && w.Filter == "" && w.Group == "" && w.Durable == "" && w.Credit == 0 && w.AckWaitMS == 0
}

// MaxWindow is how many bytes of events a subscriber may have sent to it
// before it says that it has read some.
const MaxWindow = 64 << 20

// cursorText is a Cursor on the wire.
type cursorText struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// fromSnapshot is the "from" of a subscription that begins with a state.
const fromSnapshot = "snapshot"

// from reads where delivery is to begin.
func (w *wish) from() (f hub.From, snapshot bool, err *Error) {
	if len(w.From) == 0 {
		return hub.From{}, false, nil
	}
	if w.From[0] == '"' {
		var word string
		if err := w.From.Decode(&word); err != nil {
			return f, false, asError(err)
		}
		switch word {
		case "new":
			return f, false, nil
		case "first":
			return hub.From{Kind: hub.FromFirst}, false, nil
		case "last":
			return hub.From{Kind: hub.FromLast}, false, nil
		case fromSnapshot:
			return f, true, nil
		}
	}
	var at struct {
		Epoch   *string               `json:"epoch"`
		Seq     uint64                `json:"seq"`
		Time    *time.Time            `json:"time"`
		Streams map[string]cursorText `json:"streams"`
	}
	if w.From.Decode(&at) == nil {
		switch {
		case at.Epoch != nil && len(*at.Epoch) > maxEpoch:
			return f, false, longEpoch(len(*at.Epoch))
		case at.Epoch != nil:
			return hub.From{Kind: hub.FromCursor, Cursor: hub.Cursor{Epoch: *at.Epoch, Seq: at.Seq}}, false, nil
		case at.Time != nil:
			return hub.From{Kind: hub.FromTime, Time: *at.Time}, false, nil
		case at.Streams != nil:
			f.Kind, f.Cursors = hub.FromCursors, map[string]hub.Cursor{}
			for name, c := range at.Streams {
				if len(c.Epoch) > maxEpoch {
					return f, false, longEpoch(len(c.Epoch))
				}
				f.Cursors[name] = hub.Cursor(c)
			}
			return f, false, nil
		}
	}
	return f, false, wire.Errorf(wire.CodeInvalidArgument,
		`"from" is "new", "first", "last", "snapshot", {"epoch":"…","seq":n}, {"time":"2026-11-25T12:00:00Z"} or {"streams":{"name":{"epoch":"…","seq":n}}}, not %s`, clipped(w.From))
}

// maxEpoch is longer than any epoch that was ever given out.
const maxEpoch = 128

func longEpoch(size int) *Error {
	return wire.Errorf(wire.CodeInvalidArgument, `"epoch" of "from" has %d bytes: an epoch that a service has given out has %d at most`, size, maxEpoch)
}

// clipped is a text that is short enough for a message.
func clipped(text []byte) []byte {
	const most = 80
	if len(text) > most {
		return append(text[:most:most], "…"...)
	}
	return text
}

func (w *wish) policy() (hub.Policy, *Error) {
	switch w.OnSlow {
	case "", "drop-oldest":
		return hub.PolicyDropOldest, nil
	case "disconnect":
		return hub.PolicyDisconnect, nil
	}
	return 0, wire.Errorf(wire.CodeInvalidArgument, `"onSlow" of a subscription is "drop-oldest" or "disconnect", not %q`, w.OnSlow)
}
