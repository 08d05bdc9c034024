package disk

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a store that is closed with the test.
func open(t testing.TB, dir string, o *Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openOne(t testing.TB, s *Store, name string, limits store.Limits) *Log {
	t.Helper()
	l, err := s.Log(name, limits)
	if err != nil {
		t.Fatal(err)
	}
	return l.(*Log)
}

// add appends a record and waits.
func add(l *Log, r store.Record) store.Receipt {
	c := make(chan store.Receipt, 1)
	l.Append(r, func(r store.Receipt) { c <- r })
	return <-c
}

func mustAdd(t testing.TB, l *Log, r store.Record) uint64 {
	t.Helper()
	got := add(l, r)
	if got.Err != nil || got.Duplicate {
		t.Fatalf("append: %+v", got)
	}
	return got.Seq
}

// readAllOf reads everything in small steps.
func readAllOf(t testing.TB, l *Log, from uint64) (all []store.Record) {
	t.Helper()
	for {
		n := len(all)
		var err error
		if all, err = l.Read(all, from, 100, 64<<10); err != nil {
			t.Fatal(err)
		}
		if len(all) == n {
			return all
		}
		from = all[len(all)-1].Seq + 1
	}
}

func numbered(i int) store.Record {
	return store.Record{Name: "orders.created", ID: fmt.Sprintf("id-%d", i), Data: fmt.Appendf(nil, `{"n":%d}`, i)}
}
