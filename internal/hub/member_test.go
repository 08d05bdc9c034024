package hub

import (
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/ekkojs/ipc/store"
)

// TestAMemberGetsWhatWaits has members join one after the other, each of which
// finds a message. Whoever begins to read before it is a member never does.
func TestAMemberGetsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := store.NewMemory()
		defer kept.Close()
		log, _ := kept.Log("jobs", store.Limits{})
		dead, _ := kept.Log("jobs!dead", store.Limits{})
		h := New(&Options{Streams: []StreamOptions{{Name: "jobs", Queue: true, Volatile: true, Log: log, Dead: dead}}})
		defer h.Close()
		for i := range 500 {
			mustPublish(t, h, "jobs", strconv.Itoa(i))
			team, err := h.Team("jobs", &GroupOptions{Name: "all"})
			if err != nil {
				t.Fatal(err)
			}
			o := h.NewOutlet(func() {}, nil)
			if _, _, err := o.Subscribe("jobs", PolicyDropOldest, Separate{ID: "x", Team: team}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			message, ok := o.Next()
			if !ok {
				t.Fatalf("member %d gets nothing", i)
			}
			if unknown, err := o.Settle("x", Settlement{Kind: Ack, Seqs: []uint64{decode(t, message).Seq}}); err != nil || len(unknown) > 0 {
				t.Fatalf("acknowledging %s: %v, %v", message, unknown, err)
			}
			o.Close()
		}
	})
}
