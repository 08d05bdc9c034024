package ipc

import "testing"

// TestGapsJoin: a gap counts no more than it has room for, of whatever names
// the losses were.
func TestGapsJoin(t *testing.T) {
	lost := func(from, to, count uint64) *Gap {
		return &Gap{From: from, To: to, Count: count, Reason: GapSlowConsumer}
	}
	for _, c := range []struct{ a, b, want *Gap }{
		{nil, lost(1, 2, 2), lost(1, 2, 2)},
		{lost(1, 2, 2), nil, lost(1, 2, 2)},
		{lost(1, 3, 2), lost(5, 6, 1), lost(1, 6, 3)},
		{lost(1, 2000, 900).after(1500), lost(1, 1999, 900).after(1500), lost(1501, 2000, 500)},
		{lost(1, 2, 2), &Gap{From: 3, Reason: GapRestarted}, &Gap{From: 1, Reason: GapRestarted}},
	} {
		if got := c.a.and(c.b); *got != *c.want {
			t.Errorf("%+v and %+v: %+v, want %+v", c.a, c.b, got, c.want)
		}
	}
}
