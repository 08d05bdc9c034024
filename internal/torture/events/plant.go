package events

// Plant is a fault put on purpose between what happens and what is written
// down. Each of them must make a run find a contradiction.
type Plant string

// The planted faults. The first group is in the store of the service, the
// second in the way from the service to its readers, the third in the
// readers.
const (
	AckBeforeCommit Plant = "ack-before-commit" // a receipt comes before the event is kept
	NoDedupe        Plant = "no-dedupe"         // the store does not know IDs
	ReusedSequence  Plant = "reused-sequence"   // after a restart numbers are given again, in the same epoch
	AlteredRecord   Plant = "altered-record"    // what is read is not what was kept

	UnflaggedAgain  Plant = "unflagged-again"  // redeliveries do not say that they are
	WrongAck        Plant = "wrong-ack"        // another event is acknowledged than was meant
	SecondDelivery  Plant = "second-delivery"  // a delivery to a group comes twice
	SuppressedGap   Plant = "suppressed-gap"   // gap notices do not arrive
	MiscountedGap   Plant = "miscounted-gap"   // gap notices count one too few
	VanishedEvent   Plant = "vanished-event"   // an event does not arrive, and nobody says so
	ImpatientGroup  Plant = "impatient-group"  // the service redelivers earlier than it promises
	IgnoredFilter   Plant = "ignored-filter"   // the service sends what was not asked for
	SwallowGap      Plant = "swallow-gap"      // a reader is not told of its gaps
	LateDuplicate   Plant = "late-duplicate"   // a reader gets one event again later
	ForgottenLetter Plant = "forgotten-letter" // dead letters are not kept
)

// inStore reports whether the fault is in the store.
func (p Plant) inStore() bool {
	switch p {
	case AckBeforeCommit, NoDedupe, ReusedSequence, AlteredRecord, ForgottenLetter:
		return true
	}
	return false
}

// onTheWay reports whether the fault is between the service and its readers.
func (p Plant) onTheWay() bool {
	switch p {
	case UnflaggedAgain, WrongAck, SecondDelivery, SuppressedGap, MiscountedGap, VanishedEvent:
		return true
	}
	return false
}
