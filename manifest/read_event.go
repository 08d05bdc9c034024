package manifest

import (
	"slices"
	"strings"
	"time"
)

var (
	eventFields     = []string{"description", "category", "priority", "schema", "permissions", "deprecated"}
	channelFields   = []string{"description", "type", "events", "persistent", "maxSubscribers", "retention", "onSlow", "last", "permissions"}
	retentionFields = []string{"maxMessages", "maxAge", "maxSize"}
)

func (r *reader) event(at member) *Event {
	good := r.name(at, "event") && r.unreserved(at.at, at.value.pointer(), "event", at.name)
	o := r.object(at.value, "an event", eventFields)
	if o == nil {
		return nil
	}
	e := &Event{
		Name:        at.name,
		Description: o.text("description"),
		Category:    o.text("category"),
		Priority:    choice(o, "priority", PriorityNormal, PriorityLow, PriorityHigh, PriorityCritical),
		Permissions: o.texts("permissions"),
		Deprecated:  o.deprecated(),
	}
	if s := o.get("schema"); s != nil {
		e.Type = r.typeOf(s, 0)
	}
	if !good {
		return nil
	}
	return e
}

func (r *reader) channel(at member) *Channel {
	good := r.name(at, "channel") && r.unreserved(at.at, at.value.pointer(), "channel", at.name)
	o := r.object(at.value, "a channel", channelFields)
	if o == nil {
		return nil
	}
	c := &Channel{
		Name:           at.name,
		Description:    o.text("description"),
		Type:           choice(o, "type", ChannelTopic, ChannelBroadcast, ChannelQueue),
		Persistent:     o.flag("persistent"),
		MaxSubscribers: int(o.whole("maxSubscribers", 1, maxConnections)),
		OnSlow:         choice(o, "onSlow", OnSlowDropOldest, OnSlowDisconnect, OnSlowBlock),
		Last:           o.flag("last"),
		Events:         o.texts("events"),
		Permissions:    o.texts("permissions"),
	}
	if n := o.get("retention"); n != nil {
		c.Retention = r.retention(n)
	}
	if c.OnSlow == OnSlowBlock && c.Type != ChannelQueue {
		r.errorf(o.get("onSlow"), "value", `only a channel of type "queue" may block its publishers`)
	}
	if c.Last && c.Type == ChannelQueue {
		r.warnf(o.get("last"), "unused", "a queue gives each message to one reader, so it has no last value to keep")
	}
	if !good {
		return nil
	}
	return c
}

func (r *reader) retention(n *node) *Retention {
	o := r.object(n, `"retention"`, retentionFields)
	if o == nil {
		return nil
	}
	const maxAge = 100 * 365 * 24 * 60 * 60 // seconds
	rt := &Retention{
		MaxMessages: o.whole("maxMessages", 1, maxCount),
		MaxAge:      time.Duration(o.whole("maxAge", 1, maxAge)) * time.Second,
		MaxSize:     o.whole("maxSize", 1, maxCount),
	}
	if len(n.members) == 0 {
		r.warnf(n, "unused", "a retention without any bound keeps nothing from growing")
	}
	return rt
}

// checkBundles judges the patterns of a channel once all events are known.
func (r *reader) checkBundles(c *Channel, n *node) {
	list := n.get("events")
	if list == nil || list.kind != '[' {
		return
	}
	for _, e := range list.elems {
		if e.kind == '"' && e.text != "" {
			r.checkBundle(e)
		}
	}
}

func (r *reader) checkBundle(e *node) {
	p := patternProblem(e.text)
	switch {
	case p != "":
		r.errorf(e, "pattern", "the pattern %s %s", quote(e.text), p)
	case r.m.Events[e.text] != nil || r.full():
	case r.m.Events[strings.TrimPrefix(e.text, "events.")] != nil:
		r.errorf(e, "unknown-event", "the channel prefix is not part of an event's name: write %s", quote(strings.TrimPrefix(e.text, "events.")))
	case isLiteral(e.text):
		r.errorf(e, "unknown-event", "the manifest declares no event %s%s", quote(e.text),
			meant(strings.TrimPrefix(e.text, "events."), r.m.events))
	case !r.fitsAny(e.text):
		r.warnf(e, "unknown-event", "no declared event fits the pattern %s", quote(e.text))
	}
}

// fitsAny reports whether a declared event fits the pattern. After very many
// comparisons it takes that for granted: nothing but a warning hangs on it.
func (r *reader) fitsAny(pattern string) bool {
	const most = 5_000_000
	if r.compared += len(r.m.events); r.compared > most {
		return true
	}
	return slices.ContainsFunc(r.m.events, func(name string) bool { return matchPattern(pattern, name) })
}
