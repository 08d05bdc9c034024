package group

// The reasons of a Gap.
const (
	GapExpired  = "expired"   // the log's limits removed the records
	GapDataLoss = "data-loss" // the log has lost them
)

// Gap is a run of records that the group should have had and that the log has
// not. From and To are the first and the last of them. Some of them may have
// been for another group: nobody can know.
type Gap struct {
	From, To uint64
	Count    uint64
	Reason   string
}

// gapsLocked counts the records as missing and returns what is to be said.
func (g *Group) gapsLocked(from, to uint64) (gaps []Gap) {
	g.stats.Missing += to - from + 1
	g.changedLocked()
	for _, loss := range g.log.Losses() {
		if loss.To < from || loss.From > to {
			continue
		}
		if loss.From > from {
			gaps = addGap(gaps, from, loss.From-1, GapExpired)
		}
		end := min(loss.To, to)
		gaps = addGap(gaps, max(loss.From, from), end, GapDataLoss)
		if from = end + 1; from > to {
			return gaps
		}
	}
	return addGap(gaps, from, to, GapExpired)
}

// addGap appends a gap.
func addGap(gaps []Gap, from, to uint64, reason string) []Gap {
	return append(gaps, Gap{From: from, To: to, Count: to - from + 1, Reason: reason})
}
