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
//   - Each channel counts its events from 1, without holes, whether anybody
//     listens or not. A sequence number means something only together with its
//     epoch: a random text of the hub, so that a restart is seen as one.
//
//   - Each subscriber sees the events of a channel in the order of their
//     sequence numbers, whoever published them; across channels no order is
//     promised.
//
//   - A subscriber with several subscriptions that match gets an event once.
//
//   - Publish never waits for a subscriber. A queue that is full loses its
//     oldest events, and what is lost is counted and announced: a gap notice
//     stands where the events would have been, so it comes before the next
//     event of that channel. At any moment
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
// subscriptions, channels tracked, gaps remembered. A hub tracks
// Options.MaxChannels channels; one more makes it forget a channel that was
// not used lately. Should a forgotten channel be published on again, it
// starts at 1 under a new epoch, so no (epoch, sequence) ever names two
// events.
//
// The hub owns no goroutine.
package hub
