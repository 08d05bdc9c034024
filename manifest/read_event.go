package manifest

import "time"

var (
	eventFields     = []string{"description", "category", "priority", "schema", "publish", "permissions", "deprecated"}
	channelFields   = []string{"description", "type", "events", "persistent", "maxSubscribers", "retention", "onSlow", "last", "publish", "permissions"}
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
		Publish:     o.publish(),
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
		OnSlow:         choice(o, "onSlow", OnSlowDropOldest, OnSlowDisconnect, OnSlowReject, OnSlowBlock),
		Last:           o.flag("last"),
		Publish:        o.publish(),
		Events:         o.texts("events"),
		Permissions:    o.texts("permissions"),
	}
	if n := o.get("retention"); n != nil {
		c.Retention = r.retention(n)
	}
	if c.Type == ChannelQueue {
		r.queue(o, c)
	} else if c.OnSlow == OnSlowReject || c.OnSlow == OnSlowBlock {
		r.errorf(o.get("onSlow"), "value", `only a channel of type "queue" may %s its publishers`, c.OnSlow)
	}
	if !good {
		return nil
	}
	return c
}

// queue reads what is different in a queue: being slow there is a matter for its
// publishers, since messages wait for their readers.
func (r *reader) queue(o *object, c *Channel) {
	switch {
	case o.get("onSlow") == nil:
		c.OnSlow = OnSlowReject
	case c.OnSlow == OnSlowDisconnect:
		c.OnSlow = OnSlowReject
		r.warnf(o.get("onSlow"), "unused", `a queue waits for its readers, and cuts none off: its publishers are refused when it is full, as by "reject"`)
	}
	if c.Last {
		r.warnf(o.get("last"), "unused", "a queue gives each message to one reader, so it has no last value to keep")
	}
}

// publish is the field that says who may publish.
func (o *object) publish() Publish { return choice(o, "publish", PublishAnyone, PublishService) }

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
