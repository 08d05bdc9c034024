package events

import "fmt"

// Rule is the name of something that holds of every history.
type Rule string

// The rules of what is kept. D1 to D10 are the promises that they stand for.
const (
	// AckedKept (D1): an event with a receipt is read in every place that it
	// is for, unless its stream was in memory and its service was killed; and
	// a persistent stream has one epoch.
	AckedKept Rule = "acked-kept"

	// NotInvented (D2): what is read was published, and has the bytes it had.
	NotInvented Rule = "not-invented"

	// ReceiptsRise (D3): the receipts of one publisher rise, in each stream
	// and epoch.
	ReceiptsRise Rule = "receipts-rise"

	// InOrder (D3): a reader gets what comes for the first time in the order
	// of the stream.
	InOrder Rule = "in-order"

	// Flagged (D3): what a place has had before comes with a flag.
	Flagged Rule = "flagged"

	// StoredOnce (D4): an event has one place in one stream, however often it
	// was published in doubt.
	StoredOnce Rule = "stored-once"

	// RefusedNotKept: what was refused for certain, every time, nobody reads.
	RefusedNotKept Rule = "refused-not-kept"

	// OneHolder (D5): an event of a group is with one member at a time. It
	// comes again only when that one was late, gave it back or is gone, and
	// after the delay that it asked for.
	OneHolder Rule = "one-holder"

	// AckedDone (D5): what has been acknowledged does not come again, unless
	// the service was killed afterwards.
	AckedDone Rule = "acked-done"

	// DeadOnce: what nobody acknowledges, and what was rejected, becomes one
	// dead letter of its group, and nothing else does.
	DeadOnce Rule = "dead-once"

	// Covered (D6): a reader that no group shares gets every event that is for
	// it, or is told exactly how many it has lost.
	Covered Rule = "covered"

	// NoDuplicate (D6): such a reader gets none twice.
	NoDuplicate Rule = "no-duplicate"

	// SameAgain (D10): a place in an epoch of a stream has one event, for ever
	// and for all.
	SameAgain Rule = "same-again"

	// Filtered: a reader gets only what it has asked for.
	Filtered Rule = "filtered"

	// Accounted (D6), of plain events: the counters of all publishers have
	// exactly as many holes as the gap notices count.
	Accounted Rule = "accounted"
)

// Rules are all of them.
var Rules = []Rule{AckedKept, NotInvented, ReceiptsRise, InOrder, Flagged, StoredOnce, RefusedNotKept, OneHolder, AckedDone, DeadOnce, Covered,
	NoDuplicate, SameAgain, Filtered, Accounted}

// Contradiction is a rule that a history breaks, and by which event.
type Contradiction struct {
	Rule      Rule
	Stream    Stream
	Place     string
	Publisher uint32
	Counter   uint32
	Seq       uint64
	Text      string
}

func (c Contradiction) String() string {
	return fmt.Sprintf("%s: %s, event %d/%d, seq %d: %s", c.Rule, c.Place, c.Publisher, c.Counter, c.Seq, c.Text)
}
