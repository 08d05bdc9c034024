package ipc

import (
	"testing"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/store"
)

// TestWhatChannelsKeep opens the logs of channels whose manifest says nothing
// of their size, and fills them.
func TestWhatChannelsKeep(t *testing.T) {
	m, err := ParseManifest([]byte(`{"service": {"name": "s", "version": "1.0.0"}, "channels": {
		"jobs": {"type": "queue"}, "orders": {"persistent": true}, "prices": {"retention": {"maxMessages": 3}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	kept := store.NewMemory()
	defer kept.Close()
	for name, bytes := range map[string]int64{"jobs": DefaultChannelBytes, "prices": DefaultChannelBytes, "orders": 0} {
		if l := limitsOf(m.ChannelByName(name)); l.Bytes != bytes {
			t.Errorf("%s may have %d bytes, want %d", name, l.Bytes, bytes)
		}
	}
	for _, name := range []string{"jobs", "orders"} {
		o := hub.StreamOptions{Name: name, Queue: name == "jobs"}
		if err := openLog(&o, kept, m.ChannelByName(name)); err != nil {
			t.Fatal(err)
		}
		for range MaxDeadLetters + 5 {
			o.Dead.Append(store.Record{Name: name}, func(store.Receipt) {})
		}
		if st := o.Dead.Stats(); st.Messages != MaxDeadLetters {
			t.Errorf("%s keeps %d dead letters", name, st.Messages)
		}
		long := make([]byte, 1<<20)
		for range 2 * MaxDeadLetterBytes / len(long) {
			o.Dead.Append(store.Record{Name: name, Data: long}, func(store.Receipt) {})
		}
		if st := o.Dead.Stats(); name == "jobs" && st.Bytes > MaxDeadLetterBytes || name == "orders" && st.Bytes <= MaxDeadLetterBytes {
			t.Errorf("%s keeps %d bytes of dead letters", name, st.Bytes)
		}
	}
}
