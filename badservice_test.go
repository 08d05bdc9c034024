package ipc_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// badService is one connection of a service that does what it should not,
// frame by frame.
type badService struct {
	t    *testing.T
	conn transport.Conn
}

// listenBadly makes an address for bad services in this process, and returns
// how the next connection to it is accepted.
func listenBadly(t *testing.T) (address string, accept func() *badService) {
	address = "mem:" + t.Name()
	l, err := transport.Listen(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return address, func() *badService {
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(func() { conn.Close() })
		return &badService{t, conn}
	}
}

// hear returns the next message of the client, and io.EOF when it has gone.
func (b *badService) hear() (m wire.Message, err error) {
	frame, err := b.conn.ReadFrame()
	for errors.Is(err, transport.ErrInterrupted) {
		frame, err = b.conn.ReadFrame()
	}
	if err != nil {
		return m, err
	}
	b.conn.Detach()
	if err := (*wire.Limits)(nil).Decode(frame, &m); err != nil {
		b.t.Errorf("the client sent %s: %v", frame, err)
	}
	return m, nil
}

// asked returns the id of the next message of the client.
func (b *badService) asked() string {
	m, err := b.hear()
	if err != nil {
		b.t.Error(err)
	}
	return string(m.MessageID)
}

// say writes a message; a client that has gone does not hear it.
func (b *badService) say(format string, args ...any) {
	_ = b.conn.Write(framed(fmt.Sprintf(format, args...)))
}

func (b *badService) answer(id, data string) {
	b.say(`{"type":"response","data":%s,"correlationId":%q}`, data, id)
}

// untold is a client that fails the test when an error comes that no call
// waits for.
func untold(t *testing.T) *ipc.ClientOptions {
	return &ipc.ClientOptions{MaxRetries: -1, OnError: func(err error) { t.Errorf("told of %v", err) }}
}

func TestBadService_AnswersTwice(t *testing.T) {
	address, accept := listenBadly(t)
	c := dial(t, address, untold(t))
	b := accept()
	const calls = 2000
	var service sync.WaitGroup
	service.Go(func() {
		for range calls {
			m, err := b.hear()
			if err != nil {
				t.Error(err)
				return
			}
			b.answer(string(m.MessageID), string(m.Data))
			b.answer(string(m.MessageID), `["forged"]`)
		}
	})
	var callers sync.WaitGroup
	for caller := range 10 {
		callers.Go(func() {
			for n := range calls / 10 {
				want := fmt.Sprintf("[%d]", caller*calls+n)
				if got, err := c.Call(t.Context(), "echo", caller*calls+n); err != nil || got.String() != want {
					t.Errorf("got %s, %v; want %s", got, err, want)
				}
			}
		})
	}
	callers.Wait()
	service.Wait()
}

// TestJ06_SpoofedAnswersReachNobody guesses at calls that are outstanding, in
// ways that know how the ids are made.
func TestJ06_SpoofedAnswersReachNobody(t *testing.T) {
	address, accept := listenBadly(t)
	c := dial(t, address, untold(t))
	b := accept()
	const calls = 16
	outcomes := make(chan string, calls)
	for range calls {
		go func() {
			got, err := c.Call(t.Context(), "echo", 1)
			outcomes <- outcomeOf(got, err)
		}()
	}
	var ids []string
	for range calls {
		ids = append(ids, b.asked())
	}
	r := rand.New(rand.NewPCG(6, 6))
	const guesses = 100_000
	var frames []byte
	for i := range guesses {
		id := []byte(ids[r.IntN(calls)])
		switch i % 5 {
		case 0: // another, of the same slot
			copy(id, wire.AppendUUID(nil, r.Uint64(), r.Uint64())[:32])
		case 1: // one digit is wrong
			at := r.IntN(len(id))
			id[at] = "0123456789abcdef-"[r.IntN(17)]
		case 2:
			id = []byte(strings.ToUpper(string(id)))
		case 3:
			id = id[:r.IntN(len(id))]
		case 4:
			id = append(id, '0')
		}
		if string(id) == ids[indexOfID(ids, string(id))] {
			continue // guessed right, or nothing was changed
		}
		frames = append(frames, framed(fmt.Sprintf(`{"type":"response","data":"forged","correlationId":%q}`, id))...)
		if len(frames) > 64<<10 || i == guesses-1 {
			if err := b.conn.Write(frames); err != nil {
				t.Fatal(err)
			}
			frames = frames[:0]
		}
	}
	if err := b.conn.Write(frames); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		b.answer(id, `"true"`)
	}
	for range calls {
		if got := <-outcomes; got != `"true"` {
			t.Errorf("a call came to %s", got)
		}
	}
}

func indexOfID(ids []string, id string) int {
	for i := range ids {
		if ids[i] == id {
			return i
		}
	}
	return 0
}

func TestJ06_AnotherConnectionsCallIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		address, accept := listenBadly(t)
		one, other := dial(t, address, untold(t)), dial(t, address, untold(t))
		b, wrong := accept(), accept()
		outcomes := make(chan string, 2)
		for _, c := range []*ipc.Client{one, other} {
			go func() {
				got, err := c.Call(t.Context(), "echo", 1)
				outcomes <- outcomeOf(got, err)
			}()
			synctest.Wait()
		}
		first, second := b.asked(), wrong.asked()
		wrong.answer(first, `"forged"`)
		b.answer(second, `"forged"`)
		wrong.say(`{"type":"event","channel":"ipc.cancel","correlationId":%q}`, first)
		synctest.Wait()
		b.answer(first, `"true"`)
		wrong.answer(second, `"true"`)
		for range 2 {
			if got := <-outcomes; got != `"true"` {
				t.Errorf("a call came to %s", got)
			}
		}
	})
}

// TestBadService_AnswersBeforeItIsAsked: what has been said before a call
// cannot be its answer, though the call has the place of an earlier one.
func TestBadService_AnswersBeforeItIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		address, accept := listenBadly(t)
		c := dial(t, address, untold(t))
		b := accept()
		for slot := range 16 {
			b.answer(fmt.Sprintf("3f0e9f5c-0000-4000-8000-%012x", slot), `"forged"`)
		}
		last := ""
		for i := range 100 {
			if last != "" {
				b.answer(last, `"forged"`) // before
			}
			outcome := make(chan string, 1)
			go func() {
				got, err := c.Call(t.Context(), "echo", i)
				outcome <- outcomeOf(got, err)
			}()
			synctest.Wait()
			id := b.asked()
			if last != "" {
				b.answer(last, `"forged"`) // after
			}
			b.answer(id, fmt.Sprint(i))
			if got := <-outcome; got != fmt.Sprint(i) {
				t.Fatalf("call %d came to %s", i, got)
			}
			last = id
		}
	})
}

// TestBadService_AnAnswerCutAnywhere ends the connection after each byte of an
// answer. Only the whole one is an answer, and the client goes on.
func TestBadService_AnAnswerCutAnywhere(t *testing.T) {
	leavesNothing(t)
	size := len(framed(cutAnswer("3f0e9f5c-0000-4000-8000-000000000000")))
	var cut atomic.Int64 // the client asks for one after the other
	c := dial(t, serveRaw(t, func(conn net.Conn) {
		answer := framed(cutAnswer(rawAsked(t, conn)))
		for _, b := range answer[:cut.Load()] { // in as many pieces as there are bytes
			conn.Write([]byte{b})
		}
	}), noRetries)
	for n := range size + 1 {
		cut.Store(int64(n))
		got, err := c.Call(t.Context(), "echo", 1)
		outcome, want := outcomeOf(got, err), "CONNECTION_LOST, executed maybe, not retryable"
		if n == size {
			want = "7"
		}
		if outcome != want {
			t.Errorf("cut after %d bytes of %d: %s", n, size, outcome)
		}
	}
}

func cutAnswer(id string) string {
	return fmt.Sprintf(`{"type":"response","data":7,"correlationId":%q}`, id)
}

// serveRaw has serve speak on each connection, one after the other.
func serveRaw(t *testing.T, serve func(net.Conn)) (address string) {
	l, address := listenRaw(t)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
	return address
}

// rawAsked reads one frame of a client and returns its messageId.
func rawAsked(t *testing.T, conn net.Conn) string {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		t.Error(err)
		return ""
	}
	frame := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, frame); err != nil {
		t.Error(err)
		return ""
	}
	var m wire.Message
	if err := (*wire.Limits)(nil).Decode(frame, &m); err != nil {
		t.Errorf("the client sent %s: %v", frame, err)
	}
	return string(m.MessageID)
}

// TestBadService_Garbage answers with what is no answer, at every stage. Each
// call ends, with a code that does not claim that nothing was done, and the
// client finds the next service in order.
func TestBadService_Garbage(t *testing.T) {
	leavesNothing(t)
	r := rand.New(rand.NewPCG(8, 8))
	noise := func() []byte {
		b := make([]byte, 1+r.IntN(3000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	item := func(id string) []byte {
		return framed(fmt.Sprintf(`{"type":"response","data":1,"correlationId":%q,"metadata":{"more":true}}`, id))
	}
	stages := map[string]func(conn net.Conn){
		"before it is asked": func(conn net.Conn) { conn.Write(noise()) },
		"in the place of an answer": func(conn net.Conn) {
			rawAsked(t, conn)
			conn.Write(noise())
		},
		"as the text of an answer": func(conn net.Conn) {
			rawAsked(t, conn)
			conn.Write(framed(string(noise())))
		},
		"within an answer": func(conn net.Conn) {
			answer := framed(cutAnswer(rawAsked(t, conn)))
			conn.Write(append(answer[:len(answer)/2], noise()...))
		},
		"within a stream": func(conn net.Conn) {
			id := rawAsked(t, conn)
			conn.Write(item(id))
			conn.Write(noise())
		},
		"after a goodbye": func(conn net.Conn) {
			rawAsked(t, conn)
			conn.Write(framed(`{"type":"event","channel":"ipc.goodbye","metadata":{"more":true}}`))
			conn.Write(noise())
		},
		"a length of four gigabytes": func(conn net.Conn) {
			rawAsked(t, conn)
			conn.Write([]byte{0xff, 0xff, 0xff, 0xff})
		},
		"a length just above the limit": func(conn net.Conn) {
			rawAsked(t, conn)
			conn.Write(binary.LittleEndian.AppendUint32(nil, transport.DefaultMaxFrame+1))
		},
		"a hundred empty frames": func(conn net.Conn) {
			rawAsked(t, conn)
			conn.Write(make([]byte, 400))
		},
	}
	for stage, misbehave := range stages {
		t.Run(stage, func(t *testing.T) {
			var honest atomic.Bool
			c := dial(t, serveRaw(t, func(conn net.Conn) {
				if honest.Load() {
					conn.Write(framed(cutAnswer(rawAsked(t, conn))))
				} else {
					misbehave(conn)
				}
			}), noRetries)
			for range 20 {
				var err error
				if strings.Contains(stage, "stream") {
					err = drainStream(t.Context(), c)
				} else {
					_, err = c.Call(t.Context(), "echo", 1)
				}
				if executed := detailsOf(t, err).Executed; executed == ipc.ExecutedYes || executed == ipc.ExecutedNo && stage != "before it is asked" {
					t.Fatalf("executed %s: %v", executed, err)
				}
			}
			honest.Store(true)
			if got, err := c.Call(t.Context(), "echo", 1); err != nil || got.String() != "7" {
				t.Errorf("from a service in order: %s, %v", got, err)
			}
		})
	}
}

// drainStream takes what a stream brings and returns why it ended.
func drainStream(ctx context.Context, c *ipc.Client) error {
	st, err := c.Stream(ctx, "count", 9)
	if err != nil {
		return err
	}
	defer st.Close()
	for {
		if _, err := st.Recv(ctx); err != nil {
			return err
		}
	}
}

// TestBadService_CancelsAndGrantsWhatItNeverGot sends a client the events that
// only clients send, and grants that belong to nobody.
func TestBadService_CancelsAndGrantsWhatItNeverGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		address, accept := listenBadly(t)
		c := dial(t, address, untold(t))
		b := accept()
		outcome := make(chan string, 1)
		go func() {
			got, err := c.Call(t.Context(), "echo", 1)
			outcome <- outcomeOf(got, err)
		}()
		synctest.Wait()
		id := b.asked()
		for _, about := range []string{id, "", "nobody", strings.Repeat("x", 5000)} {
			b.say(`{"type":"event","channel":"ipc.cancel","correlationId":%q}`, about)
			b.say(`{"type":"event","channel":"ipc.stream","correlationId":%q,"metadata":{"credit":9223372036854775807}}`, about)
			b.say(`{"type":"event","channel":"ipc.stream","correlationId":%q,"data":1}`, about)
			b.say(`{"type":"event","channel":"ipc.stream","correlationId":%q}`, about)
			b.say(`{"type":"event","channel":"events.user.created","correlationId":%q,"data":{}}`, about)
		}
		synctest.Wait()
		b.answer(id, `"true"`)
		if got := <-outcome; got != `"true"` {
			t.Errorf("the call came to %s", got)
		}
	})
}
