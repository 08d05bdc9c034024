package manifest

import (
	"slices"
	"strings"
)

// Manifest is one service's promise: what it is called, where it listens,
// what may be asked of it and what it publishes.
//
// A manifest is made by [Parse] or [Load] and never changes afterwards, so any
// number of goroutines may use it at the same time. Treat its fields as
// read-only. Each method works on a nil manifest, which promises nothing and
// therefore forbids nothing.
type Manifest struct {
	Service  Service
	Methods  map[string]*Method
	Events   map[string]*Event
	Channels map[string]*Channel
	Types    map[string]*Type // the shapes under "types", by name

	// Path is the file the manifest was loaded from, empty when it was
	// parsed from bytes.
	Path string
	// Warnings is what [Lint] would say of the text, the text being free of
	// errors.
	Warnings []Problem

	raw []byte
	// The sorted names, made once.
	methods, events, channels []string
}

// Raw is the manifest's own JSON without insignificant space: what ipc.describe
// answers. The slice is shared and must not be changed; it is "null" for a
// manifest that came from nowhere.
func (m *Manifest) Raw() []byte {
	if m == nil || m.raw == nil {
		return []byte("null")
	}
	return m.raw
}

// MarshalJSON returns a copy of [Manifest.Raw].
func (m *Manifest) MarshalJSON() ([]byte, error) {
	return slices.Clone(m.Raw()), nil
}

// UnmarshalJSON reads a manifest as [Parse] does, reserved names included,
// since what a running service says of itself was accepted when it started.
func (m *Manifest) UnmarshalJSON(data []byte) error {
	parsed, err := (&Options{MaxSize: MaxSize, AllowReserved: true}).Parse(data)
	if err != nil {
		return err
	}
	*m = *parsed
	return nil
}

// MethodNames lists the declared methods, sorted. The slice is the caller's.
func (m *Manifest) MethodNames() []string {
	if m == nil {
		return nil
	}
	return slices.Clone(m.methods)
}

// EventNames lists the declared events, sorted. The slice is the caller's.
func (m *Manifest) EventNames() []string {
	if m == nil {
		return nil
	}
	return slices.Clone(m.events)
}

// ChannelNames lists the declared channels, sorted. The slice is the caller's.
func (m *Manifest) ChannelNames() []string {
	if m == nil {
		return nil
	}
	return slices.Clone(m.channels)
}

// MethodByName is the declared method of that name, nil if there is none. A
// nil method checks nothing, so the result may be used without asking.
func (m *Manifest) MethodByName(name string) *Method {
	if m == nil {
		return nil
	}
	return m.Methods[name]
}

// EventByName is the declared event of that name, nil if there is none. The
// event's channel ("events.user.created") names it as well. A nil event
// checks nothing, so the result may be used without asking.
func (m *Manifest) EventByName(name string) *Event {
	if m == nil {
		return nil
	}
	return m.Events[strings.TrimPrefix(name, "events.")]
}

// ChannelByName is the declared channel of that name, nil if there is none.
func (m *Manifest) ChannelByName(name string) *Channel {
	if m == nil {
		return nil
	}
	return m.Channels[strings.TrimPrefix(name, "events.")]
}

// ChannelOf is the channel that carries the event: the channel of that very
// name, else the first one by name that bundles it, else nil.
func (m *Manifest) ChannelOf(event string) *Channel {
	if m == nil {
		return nil
	}
	event = strings.TrimPrefix(event, "events.")
	if c := m.Channels[event]; c != nil {
		return c
	}
	for _, name := range m.channels {
		if c := m.Channels[name]; c.Bundles(event) {
			return c
		}
	}
	return nil
}

// StreamOf is the name of the stream in which the event is numbered: that of the
// channel that carries it, else the event's own.
func (m *Manifest) StreamOf(event string) string {
	if c := m.ChannelOf(event); c != nil {
		return c.Name
	}
	return strings.TrimPrefix(event, "events.")
}

// ClientsMayPublish reports whether somebody else than the service may publish
// under that name: neither the event nor the channel that carries it keeps
// that to the service.
func (m *Manifest) ClientsMayPublish(name string) bool {
	if e := m.EventByName(name); e != nil && e.Publish == PublishService {
		return false
	}
	c := m.ChannelOf(name)
	return c == nil || c.Publish != PublishService
}

// Publishable reports whether something may be published under that name: it
// is a declared event or a declared channel.
func (m *Manifest) Publishable(name string) bool {
	if m == nil {
		return true
	}
	return m.EventByName(name) != nil || m.ChannelByName(name) != nil
}

// Suggest is the declared method that a misspelt name most likely meant, empty
// if none is near.
func (m *Manifest) Suggest(name string) string {
	if m == nil {
		return ""
	}
	return Closest(name, m.methods)
}

// SuggestEvent is the declared event or channel that a misspelt name most
// likely meant, empty if none is near.
func (m *Manifest) SuggestEvent(name string) string {
	if m == nil {
		return ""
	}
	return Closest(strings.TrimPrefix(name, "events."), slices.Concat(m.events, m.channels))
}
