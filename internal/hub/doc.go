// Package hub decides who wants an event, and keeps it for them until their
// connection takes it.
//
//	Publish ─▶ topic (sequence, epoch) ─▶ index (who matches) ─▶ one frame, encoded once
//	                                                              │ shared, not copied
//	                        ┌─────────────────────────────────────┼──────────────┐
//	                        ▼                                     ▼              ▼
//	                  Subscriber.queue                      Subscriber.queue    …
//	                        │ AppendTo (a connection) or Next (in this process)
//	                        ▼
//	                  gap notices first, then frames, oldest first
//
// # What is promised
//
//   - Each stream counts its events from 1, without holes, whether anybody
//     listens or not. A declared stream carries the events of several names, any
//     other those of its own. A sequence number means something only together
//     with its epoch: a random text of the hub or of the stream's log, so that a
//     restart is seen as one.
//
//   - Each subscriber sees the events of a stream in the order of their
//     sequence numbers, whoever published them; across streams no order is
//     promised. Who hears a part of a stream sees holes that are no loss.
//
//   - A subscriber with several subscriptions that match gets an event once.
//     A separate subscription has a subscriber of its own.
//
//   - A subscription may begin in the past of a stream that has a log. It is
//     given what the log has, by a goroutine that fills its lane, until it has
//     caught up; then its events come by its queue like those of others. One that
//     asked for it is made a plain one at that moment, and told so.
//
//   - Publish never waits for a subscriber. A queue that is full loses its
//     oldest events, and what is lost is counted and announced: a gap notice
//     stands where the events would have been, so it comes before the next
//     event of that name. At any moment
//
//     offered == delivered + dropped + queued
//
//     exactly, for each subscriber. A subscription that would rather be cut
//     off than lose an event says so (PolicyDisconnect).
//
//   - User code (notify, OnSlow) is called with no lock held.
//
// # Bounds
//
// Everything that a peer can make grow has a limit: events and bytes waiting,
// subscriptions, groups and their members, channels tracked, gaps remembered.
// What a receiver has not read may have one too (SubscriberOptions.Window). A hub tracks
// Options.MaxChannels channels; one more makes it forget a channel that was
// not used lately. Should a forgotten channel be published on again, it
// starts at 1 under a new epoch, so no (epoch, sequence) ever names two
// events.
//
// Close ends the goroutines of the lanes, and there are no others.
package hub
