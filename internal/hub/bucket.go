package hub

// bucket is the set of subscriptions to one pattern. A nil bucket is empty.
type bucket struct {
	subscriptions []*subscription
}

func (b *bucket) add(sub *subscription) {
	sub.place = int32(len(b.subscriptions))
	b.subscriptions = append(b.subscriptions, sub)
}

// remove takes sub out, and reports whether the bucket is empty now. The last
// one moves into the gap: the order of a bucket means nothing.
func (b *bucket) remove(sub *subscription) (empty bool) {
	end := len(b.subscriptions) - 1
	last := b.subscriptions[end]
	last.place = sub.place
	b.subscriptions[sub.place] = last
	b.subscriptions[end] = nil
	b.subscriptions = b.subscriptions[:end]
	return end == 0
}

// collect appends the subscribers of the bucket that round has not met yet,
// and tightens the policy of those it has.
func (b *bucket) collect(into []target, round uint64) []target {
	if b == nil {
		return into
	}
	for _, sub := range b.subscriptions {
		s := sub.subscriber
		if s.mark != round {
			s.mark, s.markedAt = round, len(into)
			into = append(into, target{s, sub.policy})
			continue
		}
		into[s.markedAt].policy = max(into[s.markedAt].policy, sub.policy)
	}
	return into
}
