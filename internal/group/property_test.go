package group

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTheModel lets a group and a model of it run side by side, through
// members that come, fail and leave, processes that are killed, and a log that
// forgets.
func TestTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, Options{
			Exclusive:  rapid.Bool().Draw(t, "exclusive"),
			MaxPending: rapid.IntRange(1, 12).Draw(t, "maxPending"),
			MaxDeliver: rapid.IntRange(1, 3).Draw(t, "maxDeliver"),
		})
		m.append(5, false)
		m.join(3, false, time.Second)
		all := actions(m)
		names := slices.Sorted(maps.Keys(all))
		for range rapid.IntRange(0, 120).Draw(t, "steps") {
			all[rapid.SampledFrom(names).Draw(t, "action")](t)
			m.check()
		}
		m.heal()
	})
}

func actions(m *model) map[string]func(*rapid.T) {
	one := func(t *rapid.T) *modelMember {
		if len(m.members) == 0 {
			m.join(2, false, time.Second)
		}
		// The latest ones are more likely to be members still.
		return m.members[max(0, len(m.members)-1-rapid.IntRange(0, 3).Draw(t, "who"))]
	}
	some := func(t *rapid.T, member *modelMember) []uint64 {
		seqs := slices.Clone(member.held)
		n := rapid.IntRange(0, len(seqs)).Draw(t, "n")
		seqs = seqs[:n]
		if rapid.IntRange(0, 3).Draw(t, "stray") == 0 {
			_, next := m.log.Bounds()
			seqs = append(seqs, next-rapid.Uint64Range(0, min(next, 12)).Draw(t, "back"))
		}
		return seqs
	}
	span := rapid.SampledFrom([]time.Duration{0, time.Millisecond, flushAfter, time.Second, time.Minute})
	return map[string]func(*rapid.T){
		"append": func(t *rapid.T) {
			m.append(rapid.IntRange(1, 6).Draw(t, "n"), rapid.IntRange(0, 5).Draw(t, "other") == 0)
		},
		"join": func(t *rapid.T) {
			m.join(rapid.IntRange(1, 5).Draw(t, "credit"), rapid.IntRange(0, 3).Draw(t, "filter") == 0, span.Filter(positive).Draw(t, "wait"))
		},
		"leave": func(t *rapid.T) { m.leave(one(t)) },
		"take": func(t *rapid.T) {
			m.take(one(t), rapid.IntRange(0, 10).Draw(t, "max"), rapid.IntRange(0, 20).Draw(t, "bytes"))
		},
		"take 2": func(t *rapid.T) { m.take(one(t), 10, 100) },
		"take 3": func(t *rapid.T) { m.take(one(t), 1, 1) },
		"ack": func(t *rapid.T) {
			member := one(t)
			m.ack(member, some(t, member))
		},
		"nak": func(t *rapid.T) {
			member := one(t)
			m.nak(member, some(t, member), span.Draw(t, "delay"))
		},
		"reject": func(t *rapid.T) {
			member := one(t)
			m.reject(member, some(t, member))
		},
		"expire":   func(t *rapid.T) { m.expire(span.Draw(t, "time")) },
		"flush":    func(*rapid.T) { m.flush() },
		"receipts": func(*rapid.T) { m.receipts() },
		"crash":    func(*rapid.T) { m.crash(true) },
		"close":    func(*rapid.T) { m.crash(false) },
		"trim": func(t *rapid.T) {
			first, _ := m.log.Bounds()
			m.log.Discard(first + rapid.Uint64Range(0, 3).Draw(t, "n"))
		},
		"trim what is done": func(*rapid.T) { m.log.Discard(m.g.Floor()) },
		"break": func(t *rapid.T) {
			m.log.fail, m.deny = nil, nil
			if rapid.Bool().Draw(t, "cursor") {
				m.log.fail, m.broken = errStorage, true
			}
			if rapid.Bool().Draw(t, "dead") {
				m.deny = errStorage
			}
		},
	}
}

func positive(d time.Duration) bool { return d > 0 }
