package hub

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// fullLog takes nothing.
type fullLog struct{ store.Log }

func (fullLog) Append(_ store.Record, done func(store.Receipt)) {
	done(store.Receipt{Err: wire.Errorf(wire.CodeStorageFull, "full")})
}

// slowLog takes a second to tell what it keeps of a group.
type slowLog struct{ store.Log }

func (l slowLog) Cursor(name string) []byte {
	time.Sleep(time.Second) // in a bubble
	return l.Log.Cursor(name)
}

// queueHub returns a hub with the queue "jobs" on the logs of a store, which
// takes dead letters or does not.
func queueHub(t *testing.T, keep store.Store, full bool) (*Hub, store.Log) {
	t.Helper()
	needs := &Needs{}
	log, err := keep.Log("jobs", store.Limits{Hold: needs.Oldest})
	if err != nil {
		t.Fatal(err)
	}
	dead, err := keep.Log("dead", store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if full {
		dead = fullLog{dead}
	}
	h := New(&Options{Streams: []StreamOptions{{Name: "jobs", Queue: true, Log: slowLog{log}, Dead: dead, Needs: needs}}})
	if _, err := h.OpenGroups(); err != nil {
		t.Fatal(err)
	}
	return h, log
}

// TestGroupsAreReopenedTogether has one group that is behind and whose name
// comes last: what the others have done with is still kept for it. The first
// has something to do at once: its last message could not become a dead letter.
func TestGroupsAreReopenedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keep := store.NewMemory()
		h, log := queueHub(t, keep, true)
		for range 100 {
			if _, err := h.Publish(context.Background(), Publication{Name: "jobs", Data: []byte(`1`)}); err != nil {
				t.Fatal(err)
			}
		}
		teams := map[string]*Team{}
		for _, name := range []string{"ahead", "behind"} {
			var err error
			if teams[name], err = h.Team("jobs", &GroupOptions{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		for name, team := range teams {
			out := h.NewOutlet(func() {}, nil)
			if _, _, err := out.Subscribe("jobs", PolicyDropOldest, Separate{ID: "m", Team: team, Group: GroupOptions{Name: name, Credit: 100}}); err != nil {
				t.Fatal(err)
			}
			for seq := uint64(1); name == "ahead" && seq <= 100; {
				synctest.Wait()
				for _, it := range decodeAll(t, out.AppendTo(nil, 1<<20)) {
					kind := Ack
					if it.Seq == 100 {
						kind = Reject
					}
					if _, err := out.Settle("m", Settlement{Kind: kind, Seqs: []uint64{it.Seq}}); err != nil {
						t.Fatal(err)
					}
					seq = it.Seq + 1
				}
			}
			out.Close()
		}
		h.Close()

		again, _ := queueHub(t, keep, false)
		time.Sleep(time.Minute) // whatever was due has been done
		synctest.Wait()
		if first, next := log.Bounds(); first != 1 || next != 101 {
			t.Errorf("%d to %d are kept, and one group has had none", first, next)
		}
		again.Close()
	})
}
