package ipc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

const stageManifest = `{
  "service": {"name": "stage"},
  "methods": {
    "hold": {"parameters": [{"name": "n", "type": "number"}]},
    "pass": {"parameters": [{"name": "n", "type": "number"}]},
    "give": {"parameters": [], "stream": "server"},
    "take": {"parameters": [], "stream": "client"},
    "both": {"parameters": [], "stream": "both"},
    "ask": {"parameters": []},
    "grow": {"parameters": [{"name": "letters", "type": "number"}]}
  },
  "events": {"noise": {}}
}`

// stage is a service whose handlers say when they begin and how they end.
type stage struct {
	address string
	began   chan int              // by hold, with its argument
	ended   chan error            // by hold, with why, and by the streams
	release chan struct{}         // closed when hold is to return
	passed  [1 << 16]atomic.Int32 // how often pass ran, by its argument
}

func newStage(t *testing.T) *stage {
	g := &stage{began: make(chan int, 4096), ended: make(chan error, 4096), release: make(chan struct{})}
	g.address = serve(t, g.service(&ipc.ServiceOptions{Logger: quiet}))
	t.Cleanup(func() { settled(t, g.address, 0) })
	return g
}

func (g *stage) service(opts *ipc.ServiceOptions) *ipc.Service {
	m, err := ipc.ParseManifest([]byte(stageManifest))
	if err != nil {
		panic(err)
	}
	s := ipc.NewService(m, opts)
	s.Handle("hold", func(ctx context.Context, r *ipc.Request) (any, error) {
		var n int
		if err := r.Decode(&n); err != nil {
			return nil, err
		}
		g.began <- n
		select {
		case <-g.release:
			g.ended <- nil
			return n, nil
		case <-ctx.Done():
			g.ended <- ctx.Err()
			return nil, ctx.Err()
		}
	})
	s.Handle("pass", func(_ context.Context, r *ipc.Request) (any, error) {
		var n int
		err := r.Decode(&n)
		g.passed[n].Add(1)
		return n, err
	})
	s.Handle("give", func(ctx context.Context, r *ipc.Request) (_ any, err error) {
		defer func() { g.ended <- err }()
		for err == nil {
			err = r.Send(ctx, 1)
		}
		return nil, err
	})
	s.Handle("take", func(ctx context.Context, r *ipc.Request) (_ any, err error) {
		defer func() { g.ended <- err }()
		for err == nil {
			_, err = r.Recv(ctx)
		}
		return nil, err
	})
	s.Handle("both", func(ctx context.Context, r *ipc.Request) (_ any, err error) {
		defer func() { g.ended <- err }()
		for err == nil {
			var item ipc.Raw
			if item, err = r.Recv(ctx); err == nil {
				err = r.Send(ctx, item)
			}
		}
		return nil, err
	})
	s.Handle("ask", func(ctx context.Context, r *ipc.Request) (any, error) { return r.Peer().Call(ctx, "advise") })
	s.Handle("grow", func(_ context.Context, r *ipc.Request) (any, error) {
		var letters int
		err := r.Decode(&letters)
		return strings.Repeat("a", letters), err
	})
	return s
}

// linesOf is a client that speaks in lines.
type linesOf struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Scanner
}

func speak(t *testing.T, address string) *linesOf {
	conn := raw(t, address)
	return &linesOf{t, conn, bufio.NewScanner(conn)}
}

func (l *linesOf) say(format string, args ...any) {
	l.t.Helper()
	if _, err := fmt.Fprintf(l.conn, format+"\n", args...); err != nil {
		l.t.Fatal(err)
	}
}

// hear returns the service's next answer; ok is false at the end.
func (l *linesOf) hear() (a answer, ok bool) {
	l.t.Helper()
	if !l.in.Scan() {
		return a, false
	}
	if err := json.Unmarshal(l.in.Bytes(), &a); err != nil {
		l.t.Fatalf("%s: %v", l.in.Text(), err)
	}
	return a, true
}

// expect hears as many answers as wants, in whatever order, and checks what
// is in each by its correlationId: the code, or the data.
func (l *linesOf) expect(wants map[string]string) {
	l.t.Helper()
	for n := len(wants); n > 0; n-- {
		a, ok := l.hear()
		got := string(a.Data)
		if a.Error != nil {
			got = a.Error.Code
		}
		if want, asked := wants[a.CorrelationID]; !ok || !asked || got != want {
			l.t.Fatalf("got %q for %q, want one of %v", got, a.CorrelationID, wants)
		}
	}
}

// nothingMore makes sure that all that was to be answered has been.
func (l *linesOf) nothingMore() {
	l.t.Helper()
	l.say(`{"type":"request","messageId":"nothing-more","channel":"ipc.ping","data":[0]}`)
	l.expect(map[string]string{"nothing-more": "[0]"})
}

func TestBadClient_CancelsWhatItNeverSent(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	one, other := speak(t, g.address), speak(t, g.address)
	one.say(`{"type":"request","messageId":"the-request","action":"hold","data":[1]}`)
	<-g.began
	for _, id := range []string{`"never-sent"`, `""`, `"the-reques"`, `"THE-REQUEST"`, "null"} {
		one.say(`{"type":"event","channel":"ipc.cancel","correlationId":%s}`, id)
	}
	other.say(`{"type":"event","channel":"ipc.cancel","correlationId":"the-request"}`) // another connection's
	other.nothingMore()
	one.nothingMore()
	close(g.release)
	one.expect(map[string]string{"the-request": "1"})
	if err := <-g.ended; err != nil {
		t.Errorf("the handler saw %v", err)
	}
	one.say(`{"type":"event","channel":"ipc.cancel","correlationId":"the-request"}`) // too late
	one.nothingMore()
}

// TestBadClient_UsesAnIdTwice: both requests are carried out and answered, and
// a cancellation means the first.
func TestBadClient_UsesAnIdTwice(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	c := speak(t, g.address)
	c.say(`{"type":"request","messageId":"the-same-id","action":"hold","data":[1]}`)
	<-g.began
	c.say(`{"type":"request","messageId":"the-same-id","action":"hold","data":[2]}`)
	<-g.began
	c.say(`{"type":"event","channel":"ipc.cancel","correlationId":"the-same-id"}`)
	if err := <-g.ended; err != context.Canceled {
		t.Errorf("the first saw %v", err)
	}
	c.expect(map[string]string{"the-same-id": "CANCELLED"})
	close(g.release)
	c.expect(map[string]string{"the-same-id": "2"})
	c.nothingMore()
}

// TestBadClient_CancelsAsItIsAnswered races each cancellation with the answer:
// there is one answer to each request.
func TestBadClient_CancelsAsItIsAnswered(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	const requests = 3000
	c := speak(t, g.address)
	var heard sync.WaitGroup
	heard.Go(func() {
		seen := map[string]int{}
		for range requests {
			a, ok := c.hear()
			if seen[a.CorrelationID]++; !ok || seen[a.CorrelationID] > 1 {
				t.Errorf("got %+v, %v", a, ok)
				return
			}
			executed := ""
			if a.Error != nil {
				executed, _ = a.Error.Details["executed"].(string)
				switch a.Error.Code { // so many at once may be too many
				case "CANCELLED", "OVERLOADED", "QUEUE_FULL":
				default:
					t.Errorf("got %+v", a.Error)
				}
			}
			var n int
			fmt.Sscanf(a.CorrelationID, "request-%d", &n)
			if executed == "no" && g.passed[n].Load() != 0 {
				t.Errorf("request %d was not executed, they say, and ran", n)
			}
		}
	})
	w := bufio.NewWriter(c.conn)
	for n := range requests {
		fmt.Fprintf(w, `{"type":"request","messageId":"request-%d","action":"pass","data":[%d]}`+"\n", n, n)
		if n%3 == 0 {
			w.Flush()
		}
		fmt.Fprintf(w, `{"type":"event","channel":"ipc.cancel","correlationId":"request-%d"}`+"\n", n)
	}
	w.Flush()
	heard.Wait()
	c.nothingMore()
}

// TestCancelRacesWithTheAnswer does the same with our own client: each call
// has one outcome, and none that claims that a handler did not begin which did.
func TestCancelRacesWithTheAnswer(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	const callers, calls = 8, 1000
	c := dial(t, g.address, noRetries)
	unexecuted := make(chan int, callers*calls)
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(caller)))
			for i := range calls {
				n := caller*calls + i
				ctx, cancel := context.WithCancel(t.Context())
				var cancelled sync.WaitGroup
				turns := r.IntN(20)
				cancelled.Go(func() {
					for range turns {
						runtime.Gosched()
					}
					cancel()
				})
				got, err := c.Call(ctx, "pass", n)
				cancelled.Wait()
				e, coded := errors.AsType[*ipc.Error](err)
				switch {
				case err == nil && got.String() != fmt.Sprint(n), err != nil && !coded:
					t.Errorf("call %d got %s, %v", n, got, err)
				case err != nil && (e.Code != ipc.CodeCancelled && e.Code != ipc.CodeOverloaded || e.Details.Executed == ipc.ExecutedYes):
					t.Errorf("call %d got %v, executed %s", n, err, e.Details.Executed)
				case err != nil && e.Details.Executed == ipc.ExecutedNo:
					unexecuted <- n
				case err == nil && g.passed[n].Load() != 1:
					t.Errorf("call %d was answered and ran %d times", n, g.passed[n].Load())
				}
			}
		})
	}
	wg.Wait()
	settledAfter(t, g, c)
	checkUnexecuted(t, g, unexecuted)
}

// settledAfter waits until all that c has sent has been carried out.
func settledAfter(t *testing.T, g *stage, c *ipc.Client) {
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	settled(t, g.address, 1)
}

func checkUnexecuted(t *testing.T, g *stage, unexecuted chan int) {
	close(unexecuted)
	for n := range unexecuted {
		if ran := g.passed[n].Load(); ran != 0 {
			t.Errorf("call %d was not executed, they say, and ran %d times", n, ran)
		}
	}
}

// TestDeadlinesOfNothingAndOfAMillisecond: a call that has no time is not
// sent, and one that has next to none ends once, whoever was quicker.
func TestDeadlinesOfNothingAndOfAMillisecond(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	c := dial(t, g.address, noRetries)
	past, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	_, err := c.Call(past, "pass", 0)
	if d := detailsOf(t, err); ipc.CodeOf(err) != ipc.CodeDeadlineExceeded || d.Executed != ipc.ExecutedNo {
		t.Errorf("without time: %v, executed %s", err, d.Executed)
	}
	if st, err := c.Stream(past, "give"); ipc.CodeOf(err) != ipc.CodeDeadlineExceeded {
		t.Errorf("a stream without time: %v, %v", st, err)
	}
	const calls = 500
	unexecuted := make(chan int, calls)
	for n := 1; n <= calls; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		got, err := c.Call(ctx, "pass", n)
		cancel()
		switch {
		case err == nil && got.String() != fmt.Sprint(n):
			t.Errorf("call %d got %s", n, got)
		case err == nil:
		case ipc.CodeOf(err) != ipc.CodeDeadlineExceeded && ipc.CodeOf(err) != ipc.CodeOverloaded || detailsOf(t, err).Executed == ipc.ExecutedYes:
			t.Errorf("call %d: %v", n, err)
		case detailsOf(t, err).Executed == ipc.ExecutedNo:
			unexecuted <- n
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = c.Call(ctx, "hold", 1) // for longer than that
	if d := detailsOf(t, err); ipc.CodeOf(err) != ipc.CodeDeadlineExceeded || d.Executed == ipc.ExecutedYes {
		t.Errorf("a call that takes long: %v, executed %s", err, d.Executed)
	}
	settledAfter(t, g, c)
	checkUnexecuted(t, g, unexecuted)
	for _, none := range []string{"0", "-1", "-9223372036854775808"} { // is as if nothing were said
		got := say(t, g.address, `{"type":"request","messageId":"no-time","action":"pass","data":[0],"metadata":{"timeoutMs":`+none+`}}`)
		if len(got) != 1 || string(got[0].Data) != "0" {
			t.Errorf("timeoutMs %s: %+v", none, got)
		}
	}
}

// TestStreamsAbandonedHalfWay leaves streams of each direction in each way.
// The handler sees it, and the service has nothing left of it.
func TestStreamsAbandonedHalfWay(t *testing.T) {
	leavesNothing(t)
	for _, method := range []string{"give", "take", "both"} {
		for how, leave := range map[string]func(context.CancelFunc, *ipc.Stream, *ipc.Client){
			"closed":            func(_ context.CancelFunc, st *ipc.Stream, _ *ipc.Client) { st.Close() },
			"cancelled":         func(cancel context.CancelFunc, _ *ipc.Stream, _ *ipc.Client) { cancel() },
			"connection closed": func(_ context.CancelFunc, _ *ipc.Stream, c *ipc.Client) { c.Close() },
		} {
			t.Run(method+" "+how, func(t *testing.T) {
				g := newStage(t)
				c := dial(t, g.address, noRetries)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				st, err := c.Stream(ctx, method)
				if err != nil {
					t.Fatal(err)
				}
				halfWay(t, st, method)
				leave(cancel, st, c)
				if err := <-g.ended; err == nil || err == io.EOF {
					t.Errorf("the handler saw %v", err)
				}
				for err = nil; err == nil; {
					_, err = st.Recv(t.Context())
				}
				want := ipc.CodeCancelled
				if how == "connection closed" {
					want = ipc.CodeConnectionLost
				}
				if ipc.CodeOf(err) != want || detailsOf(t, err).Executed != ipc.ExecutedMaybe {
					t.Errorf("the caller saw %v", err)
				}
				if err := st.Send(t.Context(), 1); err == nil {
					t.Error("an item was sent to what has ended")
				}
				if how != "connection closed" {
					if got, err := c.Call(t.Context(), "pass", 1); err != nil || got.String() != "1" {
						t.Errorf("a call beside it: %s, %v", got, err)
					}
				}
			})
		}
	}
}

// halfWay makes both ends of a stream do something.
func halfWay(t *testing.T, st *ipc.Stream, method string) {
	t.Helper()
	if method != "give" {
		for range 5 {
			if err := st.Send(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if method != "take" {
		for range 5 {
			if _, err := st.Recv(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAConnectionKilledWithinAStream ends the connection of a client that does
// not say goodbye, in either half of a message.
func TestAConnectionKilledWithinAStream(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	for _, method := range []string{"give", "take", "both"} {
		for _, last := range []string{"", `{"type":"event","channel":"ipc.str`, `{"type":"event","channel":"ipc.stream"}` + "\n"} {
			c := speak(t, g.address)
			c.say(`{"type":"request","messageId":"the-stream","action":"%s","metadata":{"credit":512}}`, method)
			c.say(`{"type":"event","channel":"ipc.stream","correlationId":"the-stream","data":1}`)
			if method != "take" {
				c.hear()
			}
			io.WriteString(c.conn, last)
			c.conn.Close()
			if err := <-g.ended; err == nil {
				t.Errorf("%s: the handler saw nothing", method)
			}
		}
	}
}

// TestHalfClosedWithCallsRunning lets a client end its sending side while its
// requests run: they are answered, and then it is hung up on.
func TestHalfClosedWithCallsRunning(t *testing.T) {
	notOnWindows(t, "a connection that ends one way")
	leavesNothing(t)
	g := newStage(t)
	c := speak(t, g.address)
	const requests = 20
	wants := map[string]string{}
	for n := range requests {
		c.say(`{"type":"request","messageId":"held-%d","action":"hold","data":[%d]}`, n, n)
		wants[fmt.Sprintf("held-%d", n)] = fmt.Sprint(n)
	}
	if err := closeWrite(t, c.conn); err != nil {
		t.Fatal(err)
	}
	for range requests {
		<-g.began
	}
	close(g.release)
	c.expect(wants)
	if a, ok := c.hear(); ok {
		t.Errorf("and then %+v", a)
	}
}

// TestBadClient_Garbage sends bytes that mean nothing, at every stage: the
// handler of that connection is told that its caller is gone, and nobody else
// is disturbed.
func TestBadClient_Garbage(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	good := dial(t, g.address, nil)
	r := rand.New(rand.NewPCG(9, 9))
	holds := `{"type":"request","messageId":"garbage-1","action":"hold","data":[1]}` + "\n"
	streams := `{"type":"request","messageId":"garbage-2","action":"take"}` + "\n"
	for stage, before := range map[string]string{
		"first":             "",
		"within a request":  holds[:len(holds)/2],
		"a handler runs":    holds,
		"within a stream":   streams + `{"type":"event","channel":"ipc.stream","correlationId":"garbage-2","data":1}` + "\n",
		"within an item":    streams + `{"type":"event","channel":"ipc.stream","correlationId":"garbage-2","da`,
		"after a half line": "\n\n{",
	} {
		for range 10 {
			c := raw(t, g.address)
			io.WriteString(c, before)
			runs := strings.Contains(before, "\n{") && before[0] == '{' || before == holds
			if before == holds {
				<-g.began
			}
			noise := make([]byte, 1+r.IntN(3000))
			for i := range noise {
				noise[i] = byte(r.Uint32())
			}
			c.Write(noise)
			c.Close()
			if runs {
				if err := <-g.ended; err == nil {
					t.Errorf("%s: the handler saw nothing", stage)
				}
			}
			if got, err := good.Call(t.Context(), "pass", 1); err != nil || got.String() != "1" {
				t.Fatalf("%s: somebody else's call got %s, %v", stage, got, err)
			}
		}
	}
}

// TestBadClient_ARequestCutAnywhere ends the connection after each byte of a
// request: none but the whole one is carried out.
func TestBadClient_ARequestCutAnywhere(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	text := `{"type":"request","messageId":"cut-00001","action":"pass","data":[1]}`
	for _, form := range []string{string(framed(text)), string(framed("[" + text + "," + text + "]"))} {
		g.passed[1].Store(0)
		for cut := range len(form) {
			c := raw(t, g.address)
			for i := range cut {
				io.WriteString(c, form[i:i+1])
			}
			c.Close()
		}
		settled(t, g.address, 0)
		if ran := g.passed[1].Load(); ran != 0 {
			t.Errorf("%d requests ran that were not sent", ran)
		}
	}
}

// TestBadClient_SendsAFrameTooLong is answered, hung up on, and disturbs
// nobody; what it asked before is dropped with it.
func TestBadClient_SendsAFrameTooLong(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	good := dial(t, g.address, nil)
	c := raw(t, g.address)
	c.Write(framed(`{"type":"request","messageId":"before-01","action":"hold","data":[1]}`))
	<-g.began
	c.Write([]byte{1, 0, 0x10, 0}) // one byte more than 1 MiB
	text, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(text), "MESSAGE_TOO_LARGE") {
		t.Errorf("got %q, %v", text, err)
	}
	if err := <-g.ended; err != context.Canceled {
		t.Errorf("the handler saw %v", err)
	}
	if _, err := good.Call(t.Context(), "pass", 1); err != nil {
		t.Error(err)
	}
}

// TestBadClient_AnswersAnothersQuestion: what a service asks one client,
// another cannot answer, nor can the one answer twice.
func TestBadClient_AnswersAnothersQuestion(t *testing.T) {
	leavesNothing(t)
	g := newStage(t)
	one, other := speak(t, g.address), speak(t, g.address)
	for round := range 50 {
		one.say(`{"type":"request","messageId":"ask-%05d","action":"ask"}`, round)
		if !one.in.Scan() {
			t.Fatal(one.in.Err())
		}
		var question struct{ MessageID string }
		if err := json.Unmarshal(one.in.Bytes(), &question); err != nil {
			t.Fatal(err)
		}
		other.say(`{"type":"response","correlationId":%q,"data":"forged"}`, question.MessageID)
		other.nothingMore()
		one.say(`{"type":"response","correlationId":"%s0","data":"forged"}`, question.MessageID)
		one.say(`{"type":"response","correlationId":%q,"data":%d}`, question.MessageID, round)
		one.say(`{"type":"response","correlationId":%q,"data":"forged"}`, question.MessageID)
		one.expect(map[string]string{fmt.Sprintf("ask-%05d", round): fmt.Sprint(round)})
	}
	one.nothingMore()
}
