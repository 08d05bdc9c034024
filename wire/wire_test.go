package wire

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTypes(t *testing.T) {
	for want := TypeRequest; want <= TypeUnsubscribe; want++ {
		for _, name := range []string{want.String(), strings.ToUpper(want.String()), strings.ToTitle(want.String()[:1]) + want.String()[1:]} {
			if got := ParseType([]byte(name)); got != want {
				t.Errorf("%s is %v", name, got)
			}
		}
	}
	for _, name := range []string{"", "unknown", "requests", "reques", "\u017fubscribe", "re\x11uest", "re1uest"} {
		if got := ParseType([]byte(name)); got != TypeUnknown {
			t.Errorf("%q is %v", name, got)
		}
	}
	if got := fmt.Sprint(TypeUnknown, TypeEvent, Type(99)); got != "unknown event Type(99)" {
		t.Errorf("printed as %s", got)
	}
}

func TestAppendOfNothing(t *testing.T) {
	if got := string((&Message{}).Append([]byte("x"))); got != "x{}" {
		t.Errorf("an empty message is %s", got)
	}
	if got := string((&Metadata{}).Append([]byte("x"))); got != "x{}" {
		t.Errorf("empty metadata are %s", got)
	}
}

// A decoded message aliases its frame, each field within its own bytes: an
// append to one must not reach the next.
func TestFieldsCannotGrowIntoTheFrame(t *testing.T) {
	frame := []byte(typicalRequest)
	var m Message
	if err := DefaultLimits.Decode(frame, &m); err != nil {
		t.Fatal(err)
	}
	for _, field := range [][]byte{m.MessageID, m.Channel, m.Action, m.Data, m.Timestamp, m.CorrelationID, m.Metadata} {
		if len(field) != cap(field) {
			t.Errorf("%s has room for %d bytes", field, cap(field))
		}
		_ = append(field, "overwritten"...)
	}
	if string(frame) != typicalRequest {
		t.Errorf("the frame became %s", frame)
	}
}

func TestUUID(t *testing.T) {
	version4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 10_000 {
		id := NewUUID()
		if !version4.MatchString(id) || seen[id] {
			t.Fatalf("%s is no version 4 UUID, or came twice", id)
		}
		seen[id] = true
	}
	for k := range uint64(1000) {
		slot := k * 4294967
		id := string(AppendUUID([]byte("x"), ^k, k<<40|slot&0xffffffff))
		if want := fmt.Sprintf("%08x", uint32(slot)); !strings.HasSuffix(id, want) || !version4.MatchString(id[1:]) {
			t.Fatalf("%s does not end with %s", id, want)
		}
	}
}

func TestStamperAgreesWithTime(t *testing.T) {
	var s Stamper
	check := func(ms int64) {
		t.Helper()
		want := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
		if got := string(s.Append(nil, ms)); got != want {
			t.Errorf("%d is %s, want %s", ms, got, want)
		}
	}
	for _, base := range []int64{0, 1795348800123, -1, -62_135_596_800_000, stampFirst, stampLast - 5000, 951_782_399_998, -86_400_001} {
		for step := range int64(5) {
			check(base + step*700)
		}
		check(base) // back to a second that is cached no more
	}
	// A Stamper remembers a second, not the first one it saw.
	var zero Stamper
	if got := string(zero.Append(nil, 0)); got != "1970-01-01T00:00:00.000Z" {
		t.Errorf("0 is %s", got)
	}
	for _, ms := range []int64{stampFirst - 1, -1 << 63} {
		if got := string(s.Append(nil, ms)); got != "0000-01-01T00:00:00.000Z" {
			t.Errorf("%d is %s", ms, got)
		}
	}
}

func TestEventChannel(t *testing.T) {
	for name, want := range map[string]string{
		"user.created": "events.user.created", "events.user.created": "events.user.created", "broadcast.global": "broadcast.global",
		"ipc.cancel": "ipc.cancel", "ipcx.y": "events.ipcx.y", "events": "events.events", "broadcast": "events.broadcast",
	} {
		if got := EventChannel(name); got != want {
			t.Errorf("%s travels on %s, want %s", name, got, want)
		}
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]bool{
		"ipc": true, "ipc.ping": true, "ekko": true, "events.x": true, "broadcast.global": true,
		"ipcs": false, "database-service": false, "user.ipc": false, "": false, "Ipc": false,
	} {
		if Reserved(name) != want {
			t.Errorf("Reserved(%q) is %t", name, !want)
		}
	}
}

// A batch may be left early.
func TestBatchStopsWhenAsked(t *testing.T) {
	n := 0
	for range DefaultLimits.Batch([]byte(`[1,2,3]`)) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d elements", n)
	}
}

// Several goroutines may decode at once, each with its own message.
func TestConcurrentUse(t *testing.T) {
	frames := []string{
		typicalRequest,
		`{"type":"event","channel":"a\nb","data":{` + manyMembers(40) + `}}`,
		`{"type":"event","data":{"a":1,"a":2}}`,
		`{"type":"event","data":{` + manyMembers(100) + `,"member50":0}}`,
	}
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			frame := []byte(frames[k%len(frames)])
			var want, m Message
			wantErr := DefaultLimits.Decode(frame, &want)
			for range 300 {
				err := DefaultLimits.Decode(frame, &m)
				if CodeOf(err) != CodeOf(wantErr) || !bytes.Equal(m.Data, want.Data) || !bytes.Equal(m.Channel, want.Channel) {
					t.Errorf("%v, then %v", wantErr, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
