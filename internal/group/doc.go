// Package group decides which member of a group has which record of a log.
//
// A group is a named place in a [store.Log]. Each record after that place
// goes to one member, which has to acknowledge it within a time; if it does
// not, or gives it back, or leaves, the record goes to a member again, and
// after so many times to where dead letters are kept.
//
//	           Take              Ack
//	log ─────────────▶ held ─────────────▶ done
//	                   │  ▲ Take             ▲
//	 Nak, Leave, too   ▼  │                  │ done(Receipt)
//	 late            ready ──────────▶ dying ┘
//	                   too often, Reject
//
// # What is promised
//
//   - A record has at most one holder whose time is not up.
//
//   - First deliveries come in the order of the log, however many members
//     take them. What may have been delivered before is flagged.
//
//   - No record is lost: it is done once it has been acknowledged, or is kept
//     as a dead letter, or is not for this group. What the log itself lost or
//     removed is said in a gap, once.
//
//   - All that holds over the end of the process at any moment, given a log
//     that outlives it. The group's state is kept by the log as a cursor:
//     acknowledgements shortly after, and before a record is delivered for the
//     first time, that it may have been. Should the log lose the cursor all is
//     delivered again.
//
// # How it is kept
//
// Every record from the floor to the place that is read next is done or has
// an entry, so the entries, of which there are at most Options.MaxPending,
// are the whole state.
//
// The group owns no goroutine and no timer: Options.Alarm says when to call
// Expire. Locks are held only while it works on its own state and asks the log;
// Wake, Alarm and Dead are called without. A log may call Floor from
// Limits.Hold, since that takes no lock.
package group
