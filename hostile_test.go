package ipc_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

// raw connects to the service at address without a library.
func raw(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := dialRaw(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

type answer struct {
	Type          string          `json:"type"`
	CorrelationID string          `json:"correlationId"`
	Data          json.RawMessage `json:"data"`
	Error         *struct {
		Code    string         `json:"code"`
		Message string         `json:"message"`
		Details map[string]any `json:"details"`
	} `json:"error"`
}

// say sends lines and returns the answers to them.
func say(t testing.TB, address string, lines ...string) []answer {
	t.Helper()
	c := raw(t, address)
	if _, err := io.WriteString(c, strings.Join(lines, "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := closeWrite(t, c); err != nil {
		t.Fatal(err)
	}
	var answers []answer
	for s := bufio.NewScanner(c); s.Scan(); {
		var a answer
		if err := json.Unmarshal(s.Bytes(), &a); err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		answers = append(answers, a)
	}
	return answers
}

func TestAPersonTypesAMessage(t *testing.T) {
	address, _ := start(t, nil)
	got := say(t, address, `{"type":"request","messageId":"1","channel":"fixture.user","data":123}`)
	if len(got) != 1 || got[0].CorrelationID != "1" || string(got[0].Data) != `{"id":123,"name":"Ada"}` {
		t.Fatalf("got %+v", got)
	}
}

// TestJ01 sends what two readers might understand differently.
func TestJ01_WhatIsReadTwoWaysIsRefused(t *testing.T) {
	address, _ := start(t, nil)
	for name, line := range map[string]string{
		"a field twice":             `{"type":"request","messageId":"1","action":"echo","action":"wait"}`,
		"an escaped twin":           `{"type":"request","messageId":"1","action":"echo","\u0061ction":"wait"}`,
		"a member of data twice":    `{"type":"request","messageId":"1","action":"echo","data":[{"a":1,"a":2}]}`,
		"something after the value": `{"type":"request","messageId":"1","action":"echo"} {}`,
		"a byte order mark":         "\xef\xbb\xbf" + `{"type":"request","messageId":"1","action":"echo"}`,
	} {
		got := say(t, address, line)
		if len(got) != 1 || got[0].Error == nil || got[0].Error.Code != "MALFORMED_MESSAGE" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	got := say(t, address, `{"type":"request","messageId":"1","Action":"wait","action":"echo","data":["kept"]}`)
	if len(got) != 1 || string(got[0].Data) != `"kept"` {
		t.Errorf("names differ by case: got %+v", got)
	}
}

func TestJ02_DeepNestingIsRefused(t *testing.T) {
	address, _ := start(t, nil)
	deep := strings.Repeat("[", 100000) + strings.Repeat("]", 100000)
	got := say(t, address, `{"type":"request","messageId":"1","action":"echo","data":`+deep+`}`)
	if len(got) != 1 || got[0].Error == nil || got[0].Error.Code != "MESSAGE_TOO_LARGE" {
		t.Errorf("got %+v", got)
	}
}

func TestJ03_NumbersThatNobodyCanHoldAreKeptOrRefused(t *testing.T) {
	address, _ := start(t, nil)
	for _, n := range []string{"9007199254740993", "-0", "1e400", "1234567890123456789012345678901234567890"} {
		got := say(t, address, `{"type":"request","messageId":"1","action":"echo","data":[`+n+`]}`)
		if len(got) != 1 || got[0].Error == nil && string(got[0].Data) != n {
			t.Errorf("%s: got %+v", n, got)
		}
	}
}

func TestJ04_BadTextOfOnePublisherDisturbsNoSubscriber(t *testing.T) {
	address, s := start(t, nil)
	c := dial(t, address, nil)
	sub, err := c.Subscribe(t.Context(), "**", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\xff", "\xc0\x80", "\xed\xa0\x80", "\x00", "\\ud800"} {
		say(t, address, `{"type":"event","messageId":"1","channel":"events.user.updated","data":"`+bad+`"}`)
	}
	s.Publish(t.Context(), "user.updated", "good")
	for {
		e, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Data.String() == `"good"` {
			return
		}
		t.Errorf("the subscriber was given %q", e.Data)
	}
}

func TestJ06_AnswersNobodyAskedForReachNobody(t *testing.T) {
	address, _ := start(t, nil)
	c := raw(t, address)
	w := bufio.NewWriter(c)
	for range 1000 {
		id := make([]byte, 16)
		for i := range id {
			id[i] = "0123456789abcdef"[rand.IntN(16)]
		}
		io.WriteString(w, `{"type":"response","correlationId":"`+string(id)+`-0000-4000-8000-000000000000","data":666}`+"\n")
	}
	io.WriteString(w, `{"type":"request","messageId":"last one","action":"echo","data":["fine"]}`+"\n")
	w.Flush()
	s := bufio.NewScanner(c)
	if !s.Scan() || !strings.Contains(s.Text(), `"fine"`) {
		t.Errorf("got %s, %v", s.Text(), s.Err())
	}
}

func TestJ06_UnknownTypesAreAnswered(t *testing.T) {
	address, _ := start(t, nil)
	got := say(t, address, `{"type":"greeting","messageId":"1"}`, `{"type":"REQUEST","messageId":"2","action":"echo","data":1}`)
	if len(got) != 2 || got[0].Error == nil || got[0].Error.Code != "PROTOCOL_ERROR" || got[1].Error != nil {
		t.Errorf("got %+v", got)
	}
}

func TestJ06_ALieAboutLengthIsAnsweredAndHungUpOn(t *testing.T) {
	address, _ := start(t, nil)
	c := raw(t, address)
	if _, err := c.Write([]byte{0xff, 0xff, 0xff, 0x00}); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if err != nil || !bytes.Contains(text, []byte("MESSAGE_TOO_LARGE")) {
		t.Errorf("got %q, %v", text, err)
	}
	if n := binary.LittleEndian.Uint32(text); int(n) != len(text)-4 {
		t.Errorf("the answer is not one frame: %q", text)
	}
}

func TestJ07_NamesAgainstTheGrammarAreRefused(t *testing.T) {
	address, _ := start(t, nil)
	for _, name := range []string{"", ".", "a..b", "a b", "é", "a/b", strings.Repeat("a", 300), "$SYS", "*"} {
		text, _ := json.Marshal(name)
		for _, line := range []string{
			`{"type":"request","messageId":"1","action":` + string(text) + `}`,
			`{"type":"event","messageId":"1","channel":` + string(text) + `,"data":1}`,
			`{"type":"subscribe","messageId":"1","channel":` + string(text) + `}`,
		} {
			got := say(t, address, line)
			if name == "*" && strings.Contains(line, "subscribe") {
				continue // a pattern
			}
			if len(got) != 1 || got[0].Error == nil {
				t.Errorf("%s: got %+v", line, got)
			}
		}
	}
}

func TestJ08_GarbageDisturbsNobody(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, nil)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		g := raw(t, address)
		garbage := make([]byte, 1+r.IntN(2000))
		for i := range garbage {
			garbage[i] = byte(r.Uint32())
		}
		g.Write(garbage)
		g.Close()
		if _, err := c.Call(t.Context(), "echo", 1); err != nil {
			t.Fatalf("somebody else's garbage hurt: %v", err)
		}
	}
	stats, err := ipc.Call[struct {
		Panics int `json:"panics"`
	}](t.Context(), c, "ipc.stats")
	if err != nil || stats.Panics != 0 {
		t.Errorf("got %+v, %v", stats, err)
	}
}

func TestAPeerThatSendsRubbishIsHungUpOn(t *testing.T) {
	address, _ := start(t, nil)
	c := raw(t, address)
	go io.WriteString(c, strings.Repeat("{]\n", 1000))
	n := 0
	for s := bufio.NewScanner(c); s.Scan(); n++ {
		if !strings.Contains(s.Text(), "MALFORMED_MESSAGE") {
			t.Fatalf("got %s", s.Text())
		}
	}
	if n == 0 || n > 100 {
		t.Errorf("%d answers", n)
	}
}

// TestAPeerThatStopsWithinAMessage is a peer that sends a byte now and then:
// what counts is when the message is whole.
func TestAPeerThatStopsWithinAMessage(t *testing.T) {
	address, _ := start(t, &ipc.ServiceOptions{FrameTimeout: 50 * time.Millisecond})
	idle := dial(t, address, nil) // between messages there is no hurry
	if _, err := idle.Call(t.Context(), "echo", 1); err != nil {
		t.Fatal(err)
	}
	slow := raw(t, address)
	io.WriteString(slow, `{"type":"requ`)
	text, err := io.ReadAll(slow)
	if err != nil || !bytes.Contains(text, []byte("DEADLINE_EXCEEDED")) || !bytes.Contains(text, []byte(`"executed":"no"`)) {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := idle.Call(t.Context(), "echo", 1); err != nil {
		t.Errorf("a peer that was only idle: %v", err)
	}
}

// TestAPeerThatNeverReads floods the service with requests whose answers it
// does not take.
func TestAPeerThatNeverReads(t *testing.T) {
	address, _ := start(t, nil)
	flood := raw(t, address)
	line := []byte(`{"type":"request","messageId":"1","action":"echo","data":["` + strings.Repeat("x", 1000) + `"]}` + "\n")
	sent := make(chan int)
	go func() {
		n := 0
		for {
			m, err := flood.Write(line)
			if n += m; err != nil {
				break
			}
		}
		sent <- n
	}()
	c := dial(t, address, nil)
	for range 1000 {
		if _, err := c.Call(t.Context(), "echo", 1); err != nil {
			t.Fatal(err)
		}
	}
	flood.Close()
	if n := <-sent; n > 64<<20 {
		t.Errorf("the service took %d bytes of a peer that reads nothing", n)
	}
}
