package group

import (
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

func TestDeadLetters(t *testing.T) {
	f := newFixture(t, Options{MaxDeliver: 3})
	f.add(store.Record{Name: "order", ID: "id", Time: 5, Data: []byte("1")})
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.g.Nak(m, []uint64{1}, 0)
	f.takes(m, 1, "[1*2]")
	f.wait(DefaultAckWait)
	f.takes(m, 1, "[1*3]")
	f.g.Leave(m)
	m = f.join(&Member{})
	f.takes(m, 10, "[2]")
	unknowns(t, f.g.Reject(m, []uint64{2}, "no such customer"))
	if len(f.dead) != 2 {
		t.Fatalf("%d dead letters", len(f.dead))
	}
	first, second := f.dead[0], f.dead[1]
	if d := first.Dead; d.Seq != 1 || d.Group != "g" || d.Epoch != f.log.Epoch() || d.Deliveries != 3 || !strings.Contains(d.Reason, "left") {
		t.Errorf("dead %+v", d)
	}
	if first.Name != "order" || string(first.Data) != "1" || first.ID == "id" || first.ID == "" || first.Seq != 0 {
		t.Errorf("dead letter %+v", first)
	}
	if d := second.Dead; d.Seq != 2 || d.Deliveries != 1 || d.Reason != "no such customer" {
		t.Errorf("dead %+v", d)
	}
	f.floor(3)
	if st := f.g.Stats(); st.Dead != 2 || st.Rejected != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestADeadLetterThatIsNotKeptIsTriedAgain(t *testing.T) {
	f := newFixture(t, Options{})
	f.deny = errStorage
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.g.Reject(m, []uint64{1}, "")
	f.wait(time.Hour)
	if st := f.g.Stats(); st.DeadRefused < 100 || st.DeadRefused > 200 || st.Dying != 1 || st.Dead != 0 {
		t.Fatalf("stats %+v", st)
	}
	f.floor(1)
	f.takes(m, 1, "[]")
	f.deny = nil
	f.wait(lastRetry)
	f.floor(2)
	if len(f.dead) != 1 {
		t.Fatalf("%d dead letters", len(f.dead))
	}
}

func TestWithoutAPlaceForDeadLettersTheyAreCounted(t *testing.T) {
	f := newFixture(t, Options{})
	f.o.Dead = nil
	f.open()
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.g.Reject(m, []uint64{1}, "")
	f.floor(2)
	if st := f.g.Stats(); st.Dead != 1 {
		t.Fatalf("stats %+v", st)
	}
}

func TestAsOftenAsItTakes(t *testing.T) {
	f := newFixture(t, Options{MaxDeliver: -1})
	f.fill(1)
	m := f.join(&Member{})
	for range 50 {
		if len(f.take(m, 1)) != 1 {
			t.Fatal("nothing came")
		}
		f.g.Nak(m, []uint64{1}, 0)
	}
	f.takes(m, 1, "[1*51]")
}

func TestADeadLetterOfWhatIsGone(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(2)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.log.Discard(2)
	f.g.Reject(m, []uint64{1}, "")
	f.takes(m, 10, "[[1-1 expired] 2]")
	f.takes(m, 10, "[]")
	if len(f.dead) != 0 {
		t.Fatal("there is one")
	}
}

func TestDeadIDsFit(t *testing.T) {
	long := strings.Repeat("g", 200)
	a := deadID(&store.Dead{Seq: 1, Epoch: "e", Group: long})
	b := deadID(&store.Dead{Seq: 2, Epoch: "e", Group: long})
	if len(a) > store.MaxIDSize || a == b || a != deadID(&store.Dead{Seq: 1, Epoch: "e", Group: long}) {
		t.Fatalf("%q and %q", a, b)
	}
}
