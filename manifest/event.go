package manifest

import "time"

// Event is one thing that a service announces.
type Event struct {
	Name        string
	Description string
	Category    string
	Priority    Priority
	// Type of the event's data, nil when the manifest does not declare it.
	Type *Type
	// Publish says who may publish the event. Its channel may say more: ask
	// [Manifest.ClientsMayPublish].
	Publish Publish
	// Permissions are roles of which a subscriber needs one; empty: everyone.
	Permissions []string
	// Deprecated is why the event should not be used any more, empty while
	// it should.
	Deprecated string
}

// Priority says which events matter more when not all can be delivered.
type Priority string

// The priorities. An event that names none is PriorityNormal.
const (
	PriorityLow      Priority = "low"
	PriorityNormal   Priority = "normal"
	PriorityHigh     Priority = "high"
	PriorityCritical Priority = "critical"
)

// Publish says who may publish an event, or on a channel.
type Publish string

// The publishers. An event or channel that names none is open to PublishAnyone.
const (
	PublishAnyone  Publish = "anyone"
	PublishService Publish = "service" // clients get PERMISSION_DENIED
)

// ChannelType says who receives what is published.
type ChannelType string

// The channel types. A channel that names none is ChannelTopic.
const (
	ChannelBroadcast ChannelType = "broadcast" // everyone connected
	ChannelTopic     ChannelType = "topic"     // every subscriber
	ChannelQueue     ChannelType = "queue"     // one subscriber of each group
)

// OnSlow says what happens when somebody does not keep up: to the subscriber
// itself or, on a ChannelQueue, to whoever publishes when the queue is full.
type OnSlow string

// The policies. A channel that names none has OnSlowDropOldest, or OnSlowReject
// if it is a ChannelQueue.
const (
	OnSlowDropOldest OnSlow = "drop-oldest" // the oldest make room; a subscriber is told what it lost
	OnSlowDisconnect OnSlow = "disconnect"  // the subscriber is cut off; not of a ChannelQueue
	OnSlowReject     OnSlow = "reject"      // the publisher is refused with STORAGE_FULL; ChannelQueue only
	OnSlowBlock      OnSlow = "block"       // the publisher waits; ChannelQueue only
)

// Channel is a road for events: who receives, what is kept, what becomes of
// the slow.
type Channel struct {
	Name        string
	Description string
	Type        ChannelType
	// Events are the patterns of the events that travel on this channel.
	Events []string
	// Persistent channels keep what was published over a restart.
	Persistent bool
	// MaxSubscribers is 0 for no limit of its own.
	MaxSubscribers int
	// Retention is nil when the manifest leaves it to the server.
	Retention *Retention
	OnSlow    OnSlow
	// Last keeps the newest value for those who subscribe later.
	Last bool
	// Publish says who may publish what the channel carries.
	Publish Publish
	// Permissions are roles of which a subscriber needs one; empty: everyone.
	Permissions []string
}

// Retention bounds what a channel keeps. A zero field sets no bound.
type Retention struct {
	MaxMessages int64
	MaxAge      time.Duration
	MaxSize     int64 // bytes
}

// IsQueue reports whether each message goes to one reader only.
func (c *Channel) IsQueue() bool { return c != nil && c.Type == ChannelQueue }

// Bundles reports whether an event of that name travels on the channel.
func (c *Channel) Bundles(event string) bool {
	for _, p := range c.Events {
		if matchPattern(p, event) {
			return true
		}
	}
	return false
}
