package ipc_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/transport"
)

// TestClientConversations holds the client to the conversations in which the
// service's side is written down. Each is held in a bubble, whose time passes
// as soon as everybody waits.
func TestClientConversations(t *testing.T) {
	for _, path := range clientFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			lines := readLines(t, path)
			said := slices.Clone(lines)
			for _, c := range splitConversations(t, lines) {
				t.Run(c.title, func(t *testing.T) { c.holdClient(t, lines, said) })
			}
			if *update && !slices.Equal(lines, said) {
				if err := os.WriteFile(path, []byte(strings.Join(said, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func clientFiles(t *testing.T) []string {
	paths, err := filepath.Glob(filepath.Join(conversations, "client", "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no conversations seen from the client: %v", err)
	}
	return paths
}

// holdClient plays the application and the service as the lines say. What the
// client makes of it is compared, or with -update kept in said.
func (c conversation) holdClient(t *testing.T, lines, said []string) {
	s := &scene{name: t.Name(), options: ipc.ClientOptions{MaxFrame: maxTalk, MaxRetries: -1, PingInterval: -1}, service: true}
	dir := t.TempDir()
	if strings.Contains(t.Name(), "leads_out_of_the_runtime_directory") {
		notOnWindows(t, "a socket in a directory")
	}
	for i := c.first; i <= c.last; i++ {
		key, value, _ := strings.Cut(lines[i], ": ")
		switch key {
		case "retries":
			s.options.MaxRetries, _ = strconv.Atoi(value)
		case "timeout":
			s.options.Timeout = duration(t, value)
		case "pings":
			s.options.PingInterval = duration(t, strings.TrimPrefix(value, "every "))
		case "address":
			s.target, s.service = value, false
		case "service":
			s.service = false // nobody is there
		case "manifest":
			s.manifest(t, dir, value)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s.begin(t)
		for i := c.first; i <= c.last; i++ {
			got := s.play(t, lines[i])
			if said[i] = got; !*update && got != lines[i] {
				t.Errorf("line %d:\nwant %s\n got %s", i+1, lines[i], got)
			}
			if t.Failed() {
				break
			}
		}
		s.end(t)
	})
}

// scene is a conversation seen from the client: the client, whom it is used
// by, and who answers it.
type scene struct {
	name     string
	target   string // that the client is given; "" for the address of the scene
	options  ipc.ClientOptions
	service  bool // somebody listens at the address of the scene
	client   *ipc.Client
	told     chan string // what OnError was told
	listener transport.Listener
	conn     transport.Conn // nil until the client has connected
	calls    []*played      // those without an outcome, in the order they began
	last     *played        // the one begun last
	asked    []string       // ids of the messages of the client that may be answered
	own      []string       // ids that it has chosen for subscriptions
	mu       sync.Mutex     // guards the next one
	heard    map[string]*hearing
}

// played is a call that the application has made.
type played struct {
	name    string
	outcome chan string
	items   chan string // of a stream
	cancel  context.CancelFunc
}

// manifest makes the client find the service by name, with this transport.
func (s *scene) manifest(t *testing.T, dir, via string) {
	text, err := os.ReadFile(filepath.Join(conversations, "fixture.ekko.ipc.json"))
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`"transport": \{[^}]*\}`).ReplaceAllLiteral(text, []byte(`"transport": `+via))
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if via != "none" {
		if err := os.WriteFile(filepath.Join(dir, "fixture.ekko.ipc.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("EKKO_IPC_RUNTIME_DIR", dir)
	s.target, s.options.Dirs, s.service = "fixture", []string{dir}, false
}

func (s *scene) begin(t *testing.T) {
	if s.service {
		l, err := transport.Listen(t.Context(), "mem:"+s.name, &transport.Options{MaxFrame: transport.MaxMaxFrame})
		if err != nil {
			t.Fatal(err)
		}
		s.listener = l
	}
	s.told = make(chan string, 16)
	s.options.OnError = func(err error) { s.told <- outcomeOf(nil, err) }
	if s.target == "" {
		s.target = "mem:" + s.name
	}
	patience := time.AfterFunc(tooLong, s.hangUp)
	t.Cleanup(func() { patience.Stop() })
}

// tooLong is more than any conversation takes.
const tooLong = 24 * time.Hour

// await returns what comes.
func await(from <-chan string) string {
	select {
	case what := <-from:
		return what
	case <-time.After(tooLong + time.Minute):
		return "nothing"
	}
}

func (s *scene) hangUp() {
	if s.listener != nil {
		s.listener.Close()
	}
	if s.conn != nil {
		s.conn.Close()
	}
}

// play does what one line says, and returns the line as it is to be.
func (s *scene) play(t *testing.T, line string) string {
	verb, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "* the caller gives up":
		s.last.cancel()
		synctest.Wait()
	case line == "* the client is closed":
		go s.client.Close()
		synctest.Wait()
	case line == "* the client connects again":
		s.conn.Close()
		s.conn = nil
	case verb == "*":
		t.Fatalf("nothing is known of %q", line)
	case line == ">|":
		if got, err := s.hear(t); err == nil {
			return "> " + got
		}
	case verb == ">":
		got, err := s.hear(t)
		if err != nil {
			t.Fatalf("want %s, got %v", rest, err)
		}
		return "> " + got
	case line == "<|":
		s.connected(t).Close()
		synctest.Wait()
	case verb == "<":
		s.say(t, framed(s.written(rest)))
	case verb == "<~": // the rest of the frame never comes
		text := s.written(rest)
		s.say(t, append(binary.LittleEndian.AppendUint32(nil, uint32(len(text)+100)), text...))
	default:
		return s.use(t, line)
	}
	return line
}

// use plays the application: lines of the form "verb name: what".
func (s *scene) use(t *testing.T, line string) string {
	head, what, _ := strings.Cut(line, ":")
	what = strings.TrimPrefix(what, " ")
	verb, name, _ := strings.Cut(head, " ")
	switch verb {
	case "call", "stream", "subscribe", "publish", "confirm", "ack", "nak", "reject":
		s.start(t, verb, name, what)
	case "event", "end":
		return head + ": " + s.hearing(t, name).next(t)
	case "outcome":
		i := slices.IndexFunc(s.calls, func(p *played) bool { return p.name == name })
		if i < 0 {
			t.Fatalf("%s: there is no such call", line)
		}
		outcome := await(s.calls[i].outcome)
		s.calls = slices.Delete(s.calls, i, i+1)
		return head + ": " + outcome
	case "item":
		i := slices.IndexFunc(s.calls, func(p *played) bool { return p.name == name })
		return head + ": " + await(s.calls[i].items)
	case "told":
		return head + ": " + await(s.told)
	}
	return line
}

// start makes the application do something that has an outcome.
func (s *scene) start(t *testing.T, verb, name, what string) {
	said := what
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	if before, within, found := strings.Cut(what, " within "); found {
		what = before
		ctx, cancel = context.WithTimeout(ctx, duration(t, within))
		t.Cleanup(cancel)
	}
	if before, key, found := strings.Cut(what, " with key "); found {
		what = before
		ctx = ipc.WithIdempotencyKey(ctx, repeated(strings.Trim(key, `"`)))
	}
	what, id, _ := strings.Cut(what, " under ")
	what, as, _ := strings.Cut(what, " as ")
	method, text, _ := strings.Cut(what, " ")
	var args []any
	if text != "" && (verb == "call" || verb == "stream") {
		var raw []json.RawMessage
		if err := json.Unmarshal([]byte(repeated(text)), &raw); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, r := range raw {
			args = append(args, r)
		}
	}
	p := &played{name: name, outcome: make(chan string, 1), items: make(chan string, 64), cancel: cancel}
	s.calls, s.last = append(s.calls, p), p
	go func() {
		if s.client == nil {
			c, err := ipc.NewClient(context.WithoutCancel(ctx), s.target, &s.options)
			if err != nil {
				p.outcome <- outcomeOf(nil, err)
				return
			}
			s.client = c
		}
		switch verb {
		case "call":
			if as == "a number" {
				n, err := ipc.Call[float64](ctx, s.client, method, args...)
				p.outcome <- outcomeOf(ipc.Raw(strconv.FormatFloat(n, 'g', -1, 64)), err)
				return
			}
			p.outcome <- outcomeOf(s.client.Call(ctx, method, args...))
		case "stream":
			st, err := s.client.Stream(ctx, method, args...)
			for err == nil {
				var item ipc.Raw
				if item, err = st.Recv(context.Background()); err == nil {
					p.items <- string(item)
				}
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			p.outcome <- outcomeOf(ipc.Raw("the end"), err)
		case "subscribe":
			sub, err := s.client.Subscribe(ctx, method, subscribeOptions(t, text))
			s.hear1(name, sub)
			p.outcome <- outcomeOf(ipc.Raw("subscribed"), err)
		case "publish":
			p.outcome <- outcomeOf(ipc.Raw("sent"), s.client.Publish(ctx, method, ipc.Raw(repeated(text))))
		case "confirm":
			r, err := s.client.PublishWith(ctx, method, ipc.Raw(repeated(text)), &ipc.PublishOptions{ID: strings.Trim(id, `"`)})
			p.outcome <- outcomeOf(receiptText(r), err)
		default:
			p.outcome <- outcomeOf(ipc.Raw("noted"), s.hearing(t, name).settle(ctx, verb, said))
		}
	}()
	synctest.Wait()
}

// duration reads "50 ms".
func duration(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// outcomeOf writes down what became of a call.
func outcomeOf(data ipc.Raw, err error) string {
	switch {
	case err == nil && len(data) == 0:
		return "null"
	case err == nil:
		return data.String()
	}
	e, ok := errors.AsType[*ipc.Error](err)
	if !ok {
		return fmt.Sprintf("an error without a code: %v", err)
	}
	executed, again := e.Details.Executed, "not retryable"
	if e.Details.Retryable {
		again = "retryable"
	}
	if executed == "" {
		executed = "unsaid"
	}
	return fmt.Sprintf("%s, executed %s, %s", e.Code, executed, again)
}

// connected returns the connection of the client, waiting for it.
func (s *scene) connected(t *testing.T) transport.Conn {
	if s.conn == nil {
		conn, err := s.listener.Accept()
		if err != nil {
			t.Fatalf("the client does not connect: %v", err)
		}
		s.conn = conn
	}
	return s.conn
}

// hear returns the next frame of the client.
func (s *scene) hear(t *testing.T) (string, error) {
	frame, err := s.connected(t).ReadFrame()
	for errors.Is(err, transport.ErrInterrupted) {
		frame, err = s.conn.ReadFrame()
	}
	if err != nil {
		return "", err
	}
	if m := asking.FindSubmatch(frame); m != nil {
		s.asked = append(s.asked, string(m[1])+string(m[2])+string(m[3])) // all but one are empty
	}
	if m := choosing.FindSubmatch(frame); m != nil && !slices.Contains(s.own, string(m[1])) {
		s.own = append(s.own, string(m[1]))
	}
	text := string(frame)
	for i, id := range s.asked {
		text = strings.ReplaceAll(text, id, askedName(i))
	}
	for i, id := range s.own {
		text = strings.ReplaceAll(text, `"subscription":"`+id+`"`, `"subscription":"`+ownName(i)+`"`)
	}
	if s.options.MaxRetries > 0 { // what is left after a random wait
		text = timeLeft.ReplaceAllString(text, `"timeoutMs":<ms>`)
	}
	return anonymous([]byte(text)), nil
}

var timeLeft = regexp.MustCompile(`"timeoutMs":\d+`)

// asking finds the id of what may be answered; that of an event may differ from
// the event's own.
var asking = regexp.MustCompile(`^\{"type":"(?:(?:request|subscribe|unsubscribe)","messageId":"(` + uuid + `)"` +
	`|event",.*"correlationId":"(` + uuid + `)","metadata":\{(?:"timeoutMs":\d+,)?"confirm":true` +
	`|event","messageId":"(` + uuid + `)","channel":"events\.)`)

var choosing = regexp.MustCompile(`^\{"type":"subscribe",.*"subscription":"([^"]+)"`)

// ownName is how the ith id is written that the client chose for a
// subscription.
func ownName(i int) string { return strings.Replace(askedName(i), "asked", "own", 1) }

// askedName is how the id of the ith message that may be answered is written.
func askedName(i int) string {
	if i == 0 {
		return "<asked>"
	}
	return fmt.Sprintf("<asked %d>", i+1)
}

// written puts in what stands for what differs from run to run.
func (s *scene) written(text string) string {
	for i, id := range s.asked {
		text = strings.ReplaceAll(text, askedName(i), id)
	}
	for i, id := range s.own {
		text = strings.ReplaceAll(text, ownName(i), id)
	}
	text = strings.ReplaceAll(text, "<id>", "3f0e9f5c-0000-4000-8000-000000000000")
	return repeated(strings.ReplaceAll(text, "<time>", "2026-11-22T12:00:00.123Z"))
}

// say writes frames, which a client that has hung up does not hear.
func (s *scene) say(t *testing.T, frames []byte) {
	if err := s.connected(t).Write(frames); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Logf("saying: %v", err)
	}
	synctest.Wait()
}

// end makes sure that nothing has happened beyond what is written.
func (s *scene) end(t *testing.T) {
	if s.client != nil {
		s.client.Close()
	}
	for s.conn != nil && !t.Failed() {
		got, err := s.hear(t)
		if err != nil {
			break
		}
		t.Errorf("not in the conversation: > %s", got)
	}
	s.hangUp()
	for _, p := range s.calls {
		t.Errorf("not in the conversation: outcome %s: %s", p.name, await(p.outcome))
	}
	select {
	case told := <-s.told:
		t.Errorf("not in the conversation: told: %s", told)
	default:
	}
}
