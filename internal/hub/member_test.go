package hub

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// TestAMemberGetsWhatWaits has members join one after the other, each of which
// finds a message. Whoever begins to read before it is a member never does.
func TestAMemberGetsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newQueueHub(t)
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

// TestAPeekIsBounded has dead letters that are more than one answer may hold.
func TestAPeekIsBounded(t *testing.T) {
	h := newQueueHub(t)
	s, err := h.keeping("jobs")
	if err != nil {
		t.Fatal(err)
	}
	const size, letters = 100 << 10, 20
	data := []byte(`"` + strings.Repeat("x", size) + `"`)
	for range letters {
		s.Dead.Append(store.Record{Name: "jobs", Data: data}, func(store.Receipt) {})
	}
	seen := 0
	for from := uint64(0); ; {
		recs, err := h.Peek("jobs", true, from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) == 0 {
			break
		}
		if len(recs) > 1+peekBytes/size {
			t.Fatalf("%d letters of %d bytes at once", len(recs), size)
		}
		seen, from = seen+len(recs), recs[len(recs)-1].Seq+1
	}
	if seen != letters {
		t.Errorf("saw %d letters of %d", seen, letters)
	}
}

func newQueueHub(t *testing.T) *Hub { return newQueue(t, true) }

func newQueue(t *testing.T, volatile bool) *Hub {
	kept := store.NewMemory()
	log, _ := kept.Log("jobs", store.Limits{})
	dead, _ := kept.Log("jobs!dead", store.Limits{})
	h := New(&Options{Streams: []StreamOptions{{Name: "jobs", Queue: true, Volatile: volatile, Log: log, Dead: dead}}})
	t.Cleanup(func() {
		h.Close()
		kept.Close()
	})
	return h
}

// TestNobodyJoinsAGroupThatIsForgotten has a group removed between being found
// and being joined.
func TestNobodyJoinsAGroupThatIsForgotten(t *testing.T) {
	h := newQueueHub(t)
	team, err := h.Team("jobs", &GroupOptions{Name: "all"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Forget("jobs", "all"); err != nil {
		t.Fatal(err)
	}
	o := h.NewOutlet(func() {}, nil)
	if _, _, err := o.Subscribe("jobs", PolicyDropOldest, Separate{ID: "x", Team: team}); wire.CodeOf(err) != wire.CodeConflict {
		t.Errorf("a group that is forgotten is joined: %v", err)
	}
	if n := len(o.All()); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	if n := h.Stats().Subscriptions; n != 0 {
		t.Errorf("the hub counts %d subscriptions", n)
	}
}

// TestWhatIsDoneIsNotCounted looks at a queue right after some of its messages
// were acknowledged, which are few enough to be removed by and by.
func TestWhatIsDoneIsNotCounted(t *testing.T) {
	for _, volatile := range []bool{true, false} {
		h := newQueue(t, volatile)
		team, err := h.Team("jobs", &GroupOptions{Name: "all"})
		if err != nil {
			t.Fatal(err)
		}
		o, woken := newOutlet(h, nil)
		mustEnter(t, o, "jobs", Separate{ID: "x", Team: team})
		for range 20 {
			mustPublish(t, h, "jobs", `0`)
		}
		for _, it := range collect(t, o, woken, 20) {
			if it.Seq > 8 {
				continue
			}
			if unknown, err := o.Settle("x", Settlement{Kind: Ack, Seqs: []uint64{it.Seq}}); err != nil || len(unknown) > 0 {
				t.Fatalf("acknowledging %d: %v, %v", it.Seq, unknown, err)
			}
		}
		if recs, err := h.Peek("jobs", false, 0, 1); err != nil || len(recs) != 1 || recs[0].Seq != 9 {
			t.Errorf("volatile %v: the first is %+v, %v", volatile, recs, err)
		}
		if q := h.Streams()[0]; q.Messages != 12 || q.First != 9 {
			t.Errorf("volatile %v: %d messages from %d on", volatile, q.Messages, q.First)
		}
		if unknown, err := o.Settle("x", Settlement{Kind: Ack, Seqs: []uint64{9}}); err != nil || len(unknown) > 0 {
			t.Fatalf("acknowledging 9: %v, %v", unknown, err)
		}
		if removed, err := h.Purge("jobs", false); err != nil || removed != 11 {
			t.Errorf("volatile %v: %d are removed, %v", volatile, removed, err)
		}
	}
}

// TestAMemberWhoseConnectionEnds becomes one while its outlet is closed, and
// while others look who is there.
func TestAMemberWhoseConnectionEnds(t *testing.T) {
	h := newQueueHub(t)
	team, err := h.Team("jobs", &GroupOptions{Name: "all"})
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		o := h.NewOutlet(func() {}, nil)
		var others sync.WaitGroup
		others.Go(o.Close)
		others.Go(func() { h.Who() })
		o.Subscribe("jobs", PolicyDropOldest, Separate{ID: "x", Team: team})
		others.Wait()
		o.Close()
		if n := team.group.Stats().Members; n != 0 {
			t.Fatalf("%d members are left", n)
		}
	}
}

// TestGroupsAndMembersAreBounded makes one more of each than there may be.
func TestGroupsAndMembersAreBounded(t *testing.T) {
	h := newQueueHub(t)
	usedUp := func(err error, resource string, limit int) {
		t.Helper()
		coded, _ := errors.AsType[*wire.Error](err)
		if coded == nil || coded.Code != wire.CodeQuotaExceeded || coded.Details.More["resource"] != resource || coded.Details.More["limit"] != limit {
			t.Errorf("one too many: %v", err)
		}
	}
	var last *Team
	for i := range MaxGroups {
		team, err := h.Team("jobs", &GroupOptions{Name: "g" + strconv.Itoa(i)})
		if err != nil {
			t.Fatal(err)
		}
		last = team
	}
	_, err := h.Team("jobs", &GroupOptions{Name: "more"})
	usedUp(err, "groups", MaxGroups)
	if _, err := h.Team("jobs", &GroupOptions{Name: "g0"}); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	join := func() (*Outlet, error) {
		o := h.NewOutlet(func() {}, nil)
		_, _, err := o.Subscribe("jobs", PolicyDropOldest, Separate{ID: "x", Team: last})
		return o, err
	}
	first, err := join()
	for range MaxMembers - 1 {
		if err == nil {
			_, err = join()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	refused, err := join()
	usedUp(err, "members", MaxMembers)
	if n := len(refused.All()); n != 0 {
		t.Errorf("who is refused has %d subscriptions", n)
	}
	first.Close()
	if _, err := join(); err != nil {
		t.Errorf("after one has left: %v", err)
	}
}

// TestANameIsUsedInOneWay joins a group under a durable name, and the other
// way around.
func TestANameIsUsedInOneWay(t *testing.T) {
	h := newQueueHub(t)
	for name, exclusive := range map[string]bool{"shared": false, "own": true} {
		if _, err := h.Team("jobs", &GroupOptions{Name: name, Exclusive: exclusive}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Team("jobs", &GroupOptions{Name: name, Exclusive: !exclusive}); wire.CodeOf(err) != wire.CodeConflict {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := h.Team("jobs", &GroupOptions{Name: name, Exclusive: exclusive}); err != nil {
			t.Errorf("%s, once more: %v", name, err)
		}
	}
}

// TestATakeoverNeedsNoPlaceOfItsOwn has a durable name change hands where
// there is one place, again and again; it stays one.
func TestATakeoverNeedsNoPlaceOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := store.NewMemory()
		defer kept.Close()
		log, _ := kept.Log("ledger", store.Limits{})
		dead, _ := kept.Log("ledger!dead", store.Limits{})
		h := New(&Options{Streams: []StreamOptions{{Name: "ledger", Log: log, Dead: dead, MaxSubscribers: 1}}})
		defer h.Close()
		enter := func(name string, exclusive bool) (*Outlet, error) {
			team, err := h.Team("ledger", &GroupOptions{Name: name, Exclusive: exclusive})
			if err != nil {
				t.Fatal(err)
			}
			o := h.NewOutlet(func() {}, nil)
			_, _, err = o.Subscribe("ledger", PolicyDropOldest, Separate{ID: "x", Team: team})
			return o, err
		}
		var last *Outlet
		for range 3 {
			o, err := enter("audit", true)
			if err != nil {
				t.Fatal(err)
			}
			if synctest.Wait(); last != nil && len(last.All()) > 0 {
				t.Error("two have the name")
			}
			last = o
		}
		for name, exclusive := range map[string]bool{"other": true, "shared": false} {
			if _, err := enter(name, exclusive); wire.CodeOf(err) != wire.CodeQuotaExceeded {
				t.Errorf("%s is one too many: %v", name, err)
			}
		}
		last.Close()
		if _, err := enter("shared", false); err != nil {
			t.Errorf("the place is not free again: %v", err)
		}
		if _, err := enter("shared", false); wire.CodeOf(err) != wire.CodeQuotaExceeded {
			t.Errorf("a second member of a group: %v", err)
		}
	})
}
