package ipc

import (
	"time"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// deadLetters is what the log of a queue's dead letters is called after it.
// No channel can have such a name.
const deadLetters = "!dead"

// The bounds of what a channel keeps that its manifest cannot set, or says
// nothing of.
const (
	// DefaultChannelBytes is what a channel that is not persistent keeps if
	// its manifest gives no maxSize.
	DefaultChannelBytes = 64 << 20

	// MaxDeadLetters is how many dead letters of a channel are kept; the
	// oldest go first. Those of a channel that is not persistent take no more
	// memory than MaxDeadLetterBytes besides.
	MaxDeadLetters     = 10_000
	MaxDeadLetterBytes = 16 << 20
)

// deadDedupe is how long a log of dead letters knows what it has: a service
// that ends before a group has noted that a letter is kept hands it in again
// when it comes back.
const deadDedupe = 24 * time.Hour

// openChannels makes streams of the channels that the manifest declares, and
// opens their logs.
func (s *Service) openChannels() ([]hub.StreamOptions, error) {
	s.memory = store.NewMemory()
	streams := []hub.StreamOptions{{Name: presenceChannel, Hidden: true}}
	for _, name := range s.manifest.ChannelNames() {
		c := s.manifest.ChannelByName(name)
		o := hub.StreamOptions{
			Name:           name,
			Events:         s.carried(c),
			MaxSubscribers: c.MaxSubscribers,
			Last:           c.Last,
			Queue:          c.Type == manifest.ChannelQueue,
			Broadcast:      c.Type == manifest.ChannelBroadcast,
			Volatile:       !c.Persistent,
			Block:          c.OnSlow == manifest.OnSlowBlock,
		}
		if c.OnSlow == manifest.OnSlowDisconnect {
			o.Policy = hub.PolicyDisconnect
		}
		keeper := s.memory
		if c.Persistent {
			if keeper = s.opts.Store; keeper == nil {
				return nil, wire.Errorf(wire.CodeStorageUnavailable,
					"channel %q of %s is persistent, and ServiceOptions.Store is not set: give it disk.Open(…) of store/disk", name, s.name)
			}
		}
		if err := openLog(&o, keeper, c); err != nil {
			return nil, err
		}
		streams = append(streams, o)
	}
	return streams, nil
}

// carried returns the names of the declared events that travel on c.
func (s *Service) carried(c *manifest.Channel) (names []string) {
	for _, event := range s.manifest.EventNames() {
		if s.manifest.ChannelOf(event) == c {
			names = append(names, event)
		}
	}
	return names
}

// openLog gives a stream the logs that its channel asks for.
func openLog(o *hub.StreamOptions, keeper store.Store, c *manifest.Channel) (err error) {
	if !c.Persistent && c.Retention == nil && !o.Queue {
		return nil
	}
	l := limitsOf(c)
	switch {
	case o.Queue && c.OnSlow == manifest.OnSlowDropOldest:
	case o.Queue, c.Persistent && c.Retention == nil:
		// What somebody still has to read makes no room for what comes.
		o.Needs = &hub.Needs{}
		l.Hold = o.Needs.Oldest
	}
	if o.Log, err = keeper.Log(o.Name, l); err != nil {
		return err
	}
	if !o.Queue && !c.Persistent {
		return nil
	}
	dead := store.Limits{Messages: MaxDeadLetters, Dedupe: deadDedupe}
	if !c.Persistent {
		dead.Bytes = MaxDeadLetterBytes
	}
	o.Dead, err = keeper.Log(o.Name+deadLetters, dead)
	return err
}

func limitsOf(c *manifest.Channel) store.Limits {
	var l store.Limits
	if c.Retention != nil {
		l = store.Limits{Messages: c.Retention.MaxMessages, Bytes: c.Retention.MaxSize, Age: c.Retention.MaxAge}
	}
	if !c.Persistent && l.Bytes == 0 {
		l.Bytes = DefaultChannelBytes
	}
	return l
}
