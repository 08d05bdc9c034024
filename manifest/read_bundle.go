package manifest

import (
	"slices"
	"strings"
)

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
	if !r.mayCompare() {
		return true
	}
	return slices.ContainsFunc(r.m.events, func(name string) bool { return matchPattern(pattern, name) })
}

// mayCompare reports whether it is affordable to compare another pattern with
// all events, and counts that. Only warnings hang on it.
func (r *reader) mayCompare() bool {
	const most = 5_000_000
	r.compared += len(r.m.events)
	return r.compared <= most
}

// checkShared warns of events that two channels bundle. Only the first channel by
// name carries such an event, which the other one's author may not know.
func (r *reader) checkShared(o *object) {
	lists := map[string]*node{}
	carrier := map[string]string{} // of an event, the channel
	for _, at := range o.each("channels") {
		lists[at.name] = at.value.get("events")
		carrier[at.name] = at.name // a channel carries what is called like itself
	}
	for _, name := range r.m.channels {
		list := lists[name]
		if list == nil || list.kind != '[' {
			continue
		}
		for _, e := range list.elems {
			r.checkCarried(name, e, carrier)
		}
	}
}

// checkCarried notes the events that a pattern of the channel takes, and warns
// of the first one that is another channel's.
func (r *reader) checkCarried(channel string, e *node, carrier map[string]string) {
	if e.kind != '"' || patternProblem(e.text) != "" {
		return
	}
	taken, more := "", 0
	for _, event := range r.bundled(e.text) {
		switch first := carrier[event]; first {
		case "":
			carrier[event] = channel
		case channel:
		default:
			if taken == "" {
				taken = event
			} else {
				more++
			}
		}
	}
	switch {
	case taken == "":
	case more > 0:
		r.warnf(e, "shared-event", "the event %s and %d more travel on other channels, %s for one: an event has one channel, the first by name",
			quote(taken), more, quote(carrier[taken]))
	case carrier[taken] == taken:
		r.warnf(e, "shared-event", "the event %s travels on the channel of its own name, and not on this one", quote(taken))
	default:
		r.warnf(e, "shared-event", "the event %s travels on the channel %s: an event has one channel, the first by name",
			quote(taken), quote(carrier[taken]))
	}
}

// bundled lists the declared events that fit the pattern, none once that has
// cost too much.
func (r *reader) bundled(pattern string) []string {
	switch {
	case isLiteral(pattern):
		if r.m.Events[pattern] != nil {
			return []string{pattern}
		}
		return nil
	case !r.mayCompare():
		return nil
	}
	var fit []string
	for _, event := range r.m.events {
		if matchPattern(pattern, event) {
			fit = append(fit, event)
		}
	}
	return fit
}
