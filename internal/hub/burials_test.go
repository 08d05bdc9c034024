package hub

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/store"
)

// lateLog keeps what it is given after a while.
type lateLog struct {
	store.Log
	wait time.Duration
}

func (l lateLog) Append(rec store.Record, done func(store.Receipt)) {
	go func() {
		time.Sleep(l.wait) // in a bubble
		l.Log.Append(rec, done)
	}()
}

// TestWhoLooksSeesTheDead: who has given a message up finds it among the dead
// letters, though the disk takes its time; for one that hangs nobody waits.
func TestWhoLooksSeesTheDead(t *testing.T) {
	for wait, want := range map[time.Duration]int64{burialPatience / 2: 1, 2 * burialPatience: 0} {
		synctest.Test(t, func(t *testing.T) {
			h := newQueueHub(t)
			s, err := h.keeping("jobs")
			if err != nil {
				t.Fatal(err)
			}
			s.Dead = lateLog{s.Dead, wait}
			mustPublish(t, h, "jobs", "1")
			team, err := h.Team("jobs", &GroupOptions{Name: "all"})
			if err != nil {
				t.Fatal(err)
			}
			o := h.NewOutlet(func() {}, nil)
			defer o.Close()
			if _, _, err := o.Subscribe("jobs", PolicyDropOldest, Separate{ID: "x", Team: team}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			message, ok := o.Next()
			if !ok {
				t.Fatal("nothing comes")
			}
			if _, err := o.Settle("x", Settlement{Kind: Reject, Seqs: []uint64{decode(t, message).Seq}}); err != nil {
				t.Fatal(err)
			}
			if got := s.info().Dead; got != want {
				t.Errorf("%d dead letters after %v, want %d", got, wait, want)
			}
			letters, err := h.Peek("jobs", true, 0, 10)
			if err != nil || wait < burialPatience && len(letters) != 1 {
				t.Errorf("%d dead letters to look at, %v", len(letters), err)
			}
			time.Sleep(2 * wait)
		})
	}
}
