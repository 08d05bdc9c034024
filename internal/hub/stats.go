package hub

// Stats is what a hub has counted and holds.
type Stats struct {
	Subscribers   int
	Subscriptions int
	Channels      int    // tracked now
	Forgotten     uint64 // channels no longer tracked

	Published uint64 // events
	// Offered is how many deliveries they asked for. Those are Delivered,
	// Dropped or still Queued.
	Offered   uint64
	Delivered uint64
	Dropped   uint64
	Queued    int
	// QueuedBytes counts a frame once for each subscriber that it waits for,
	// although it is in memory once.
	QueuedBytes int
}

// Stats returns what the hub has counted. While events are being published
// the figures of different subscribers may be of slightly different moments.
func (h *Hub) Stats() Stats {
	var st Stats
	st.Channels, st.Published, st.Forgotten = h.topics.count()
	x := &h.index
	x.mu.Lock()
	defer x.mu.Unlock()
	st.Subscribers, st.Subscriptions = len(x.subscribers), x.count
	st.Offered, st.Delivered, st.Dropped = x.offered, x.delivered, x.dropped
	for s := range x.subscribers {
		c := s.queue.counts()
		st.Offered += c.Offered
		st.Delivered += c.Delivered
		st.Dropped += c.Dropped
		st.Queued += c.Queued
		st.QueuedBytes += c.QueuedBytes
	}
	return st
}

// SubscriberStats is what one subscriber has counted and holds. At any moment
// Offered == Delivered + Dropped + Queued.
type SubscriberStats struct {
	Subscriptions int
	Offered       uint64 // events published that it had subscribed to
	Delivered     uint64 // of them, taken by AppendTo or Next, or made ready from a log
	Dropped       uint64 // of them, lost; after Close also those that waited
	Queued        int
	QueuedBytes   int
}

// Stats returns what the subscriber has counted.
func (s *Subscriber) Stats() SubscriberStats {
	x := &s.hub.index
	x.mu.Lock()
	defer x.mu.Unlock()
	st := s.queue.counts().SubscriberStats
	st.Subscriptions = len(s.subscriptions)
	return st
}

// counts is a moment of a queue.
type counts struct {
	SubscriberStats
	failed bool // closed because it was slow
}

func (q *queue) counts() counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return counts{
		SubscriberStats: SubscriberStats{
			Offered:     q.offered,
			Delivered:   q.delivered,
			Dropped:     q.dropped,
			Queued:      q.count,
			QueuedBytes: q.bytes,
		},
		failed: q.failed,
	}
}
