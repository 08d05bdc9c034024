package ipc_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/transport"
)

var update = flag.Bool("update", false, "write the goldens anew")

const conversations = "spec/conversations"

// TestConversations holds the service to the conversations of the
// specification; their form is described in spec/conversations/README.md.
func TestConversations(t *testing.T) {
	for _, path := range conversationFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			lines := readLines(t, path)
			said := slices.Clone(lines)
			for _, c := range splitConversations(t, lines) {
				t.Run(c.title, func(t *testing.T) { c.hold(t, lines, said) })
			}
			if *update && !slices.Equal(lines, said) {
				if err := os.WriteFile(path, []byte(strings.Join(said, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// conversation is one section of a file: the lines from first to last.
type conversation struct {
	title       string
	framing     transport.Framing
	service     string // what is different about it; "" for nothing
	first, last int
}

// services are the fixtures of another kind, by what the conversations call
// them.
var services = map[string]func(*ipc.ServiceOptions){
	"":                                 nil,
	"admits nobody":                    func(o *ipc.ServiceOptions) { o.Admit = func(ipc.Caller) bool { return false } },
	"takes one connection, and has it": func(o *ipc.ServiceOptions) { o.MaxConnections = 1 },
	"holds 400 bytes of events":        func(o *ipc.ServiceOptions) { o.MaxHeldPerUser = 400 },
	"has a disk that takes nothing":    func(o *ipc.ServiceOptions) { o.Store = ailing{o.Store, refuses} },
	"has a disk that cannot be read":   func(o *ipc.ServiceOptions) { o.Store = ailing{o.Store, unreadable} },
	"has a disk that loses 2 and 3":    func(o *ipc.ServiceOptions) { o.Store = ailing{o.Store, loses} },
}

func splitConversations(t *testing.T, lines []string) []conversation {
	var all []conversation
	for i, line := range lines {
		title, begins := strings.CutPrefix(line, "== ")
		switch {
		case begins:
			all = append(all, conversation{title: title, first: i + 1, framing: transport.FramingLength})
		case line == "framing: line":
			all[len(all)-1].framing = transport.FramingLine
		case strings.HasPrefix(line, "service: "):
			all[len(all)-1].service = line[len("service: "):]
		}
		if len(all) > 0 {
			all[len(all)-1].last = i
		}
	}
	if len(all) == 0 {
		t.Fatal("no conversation in this file")
	}
	return all
}

// hold talks to a service of its own as the lines say. What the service says
// is compared, or with -update kept in said.
func (c conversation) hold(t *testing.T, lines, said []string) {
	change, known := services[c.service]
	if !known {
		t.Fatalf("no such service: %s", c.service)
	}
	kept := store.NewMemory()
	keeping := func(o *ipc.ServiceOptions) {
		o.Store = kept
		if change != nil {
			change(o)
		}
	}
	address, service := serveFixture(t, keeping)
	if strings.HasSuffix(c.service, "and has it") {
		first := dial(t, address, nil)
		if _, err := first.Ping(t.Context()); err != nil { // by now it counts
			t.Fatal(err)
		}
	}
	talks := map[string]*talk{"": dialTalk(t, address, c.framing)}
	for i := c.first; i <= c.last; i++ {
		line := lines[i]
		if line == "* the service is told to shut down" {
			ended := make(chan error, 1)
			go func() { ended <- service.Shutdown(t.Context()) }()
			defer func() {
				if err := <-ended; err != nil {
					t.Errorf("shutting down: %v", err)
				}
			}()
			continue
		}
		if line == "* the service is started anew, when all connections have ended" {
			for _, talk := range talks {
				talk.conn.Close()
			}
			clear(talks)
			if err := service.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			address, service = serveFixture(t, keeping)
			continue
		}
		m := frameLine.FindStringSubmatch(line)
		if m == nil && strings.HasPrefix(line, "* ") {
			t.Fatalf("line %d: nothing is known of that", i+1)
		} else if m == nil {
			continue
		}
		who := m[2]
		if talks[who] == nil {
			talks[who] = dialTalk(t, address, c.framing)
		}
		talk := talks[who]
		switch {
		case m[1] == ">" && m[3] == "|":
			talk.conn.Close()
			delete(talks, who)
		case m[1] == ">":
			if first := talks[""]; first != nil && first.epoch != "" {
				talk.epoch = first.epoch
			}
			talk.say(m[4])
		case m[3] == "|":
			if got, err := talk.hear(); !errors.Is(err, io.EOF) {
				t.Fatalf("line %d: want the connection closed, got %s (%v)", i+1, got, err)
			}
			return
		default:
			got, err := talk.hear()
			if err != nil {
				t.Fatalf("line %d: want %s, got %v", i+1, m[4], err)
			}
			said[i] = "<" + who + " " + got
			if want := onThisSystem(line); !*update && said[i] != want {
				t.Errorf("line %d:\nwant %s\n got %s", i+1, want, got)
			}
		}
	}
	for _, talk := range talks {
		talk.sayGoodbye()
	}
}

// frameLine is a line of one of the clients, or of the service to it.
var frameLine = regexp.MustCompile(`^([<>])([0-9]?)(?:(\|)$| (.*))`)

// talk is the client's side of a conversation.
type talk struct {
	t            *testing.T
	conn         transport.Conn
	subscription string // that of the last answer to subscribe
	asked        string // id of the last request that the service made
	epoch        string // the last one that was heard of
}

func dialTalk(t *testing.T, address string, framing transport.Framing) *talk {
	conn, err := transport.Dial(t.Context(), address, &transport.Options{Framing: framing})
	if err != nil {
		t.Fatal(err)
	}
	// An answer that never comes shall not hold up the tests for ever.
	patience := time.AfterFunc(10*time.Second, func() { conn.Close() })
	t.Cleanup(func() {
		patience.Stop()
		conn.Close()
	})
	return &talk{t: t, conn: conn}
}

func (k *talk) say(text string) {
	text = repeated(text)
	text = strings.ReplaceAll(text, "<subscription>", k.subscription)
	text = strings.ReplaceAll(text, "<asked>", k.asked)
	text = strings.ReplaceAll(text, "<epoch>", k.epoch)
	// A service that has hung up is found out by hear.
	_ = k.conn.Write(framed(text))
}

// framed returns text as transport.Conn takes it.
func framed(text string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...)
}

// repeated writes out "<a*5000>".
func repeated(text string) string {
	return repeat.ReplaceAllStringFunc(text, func(s string) string {
		n, _ := strconv.Atoi(s[3 : len(s)-1])
		return strings.Repeat(s[1:2], n)
	})
}

func (k *talk) hear() (string, error) {
	for {
		frame, err := k.conn.ReadFrame()
		if errors.Is(err, transport.ErrInterrupted) {
			continue
		}
		if err != nil {
			return "", err
		}
		if m := subscription.FindSubmatch(frame); m != nil {
			k.subscription = string(m[1])
		}
		if m := asked.FindSubmatch(frame); m != nil {
			k.asked = string(m[1])
		}
		if m := epoch.FindSubmatch(frame); m != nil {
			k.epoch = string(m[1])
		}
		return anonymous(frame), nil
	}
}

// sayGoodbye makes sure that nothing has been said beyond what is written.
func (k *talk) sayGoodbye() {
	const id = "goodbye-00001"
	k.say(`{"messageId":"` + id + `","type":"request","channel":"ipc.ping"}`)
	for {
		got, err := k.hear()
		switch {
		case err != nil:
			k.t.Fatalf("the service has gone: %v", err)
		case strings.Contains(got, id):
			return
		}
		k.t.Errorf("not in the conversation: %s", got)
	}
}

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

var (
	repeat       = regexp.MustCompile(`<[a-z]\*\d+>`)
	subscription = regexp.MustCompile(`"subscription":"(s[0-9a-z]+)"`)
	epoch        = regexp.MustCompile(`"epoch":"([0-9a-z-]{8,})"`)
	asked        = regexp.MustCompile(`^\{"type":"request","messageId":"(` + uuid + `)"`)
)

// names are what stands in a golden for what differs from run to run.
var names = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`"messageId":"` + uuid + `"`), `"messageId":"<id>"`},
	{subscription, `"subscription":"<subscription>"`},
	{regexp.MustCompile(`"correlationId":"s[0-9a-z]+"`), `"correlationId":"<subscription>"`},
	{regexp.MustCompile(`"id":"[0-9a-z]{11,14}/`), `"id":"<epoch>/`},
	{regexp.MustCompile(`"redriven/[0-9a-z]{11,14}/`), `"redriven/<epoch>/`},
	{regexp.MustCompile(`"errorId":"` + uuid + `"`), `"errorId":"<id>"`},
	{regexp.MustCompile(`under ` + uuid), `under <id>`},
	{regexp.MustCompile(`"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`), `"timestamp":"<time>"`},
	{regexp.MustCompile(`does not admit [^"]+`), `does not admit <caller>`},
	{epoch, `"epoch":"<epoch>"`},
	{regexp.MustCompile(`in epoch \\"[^"]+\\"`), `in epoch \"<epoch>\"`},
	{regexp.MustCompile(`"time":"\d{4}-[^"]+Z"`), `"time":"<time>"`},
	{regexp.MustCompile(`"exe":"[^"]+"`), `"exe":"<exe>"`},
	{regexp.MustCompile(`"(uid|gid|pid)":\d+`), `"$1":<$1>`},
	{regexp.MustCompile(`"identity":\{"pid":<pid>,"sid":"S-[0-9-]+"`), `"identity":{"gid":<gid>,"pid":<pid>,"uid":<uid>`}, // as it is on Windows
	{regexp.MustCompile(`,"sid":"S-[0-9-]+"`), ``},
	{regexp.MustCompile(`"timeoutMs":29\d{3}\b`), `"timeoutMs":30000`}, // some of which has passed, on a busy machine
	{regexp.MustCompile(`"(uptimeMs|retryAfterMs)":\d+`), `"$1":<ms>`},
}

func anonymous(frame []byte) string {
	for _, n := range names {
		frame = n.pattern.ReplaceAll(frame, []byte(n.name))
	}
	return string(frame)
}

// onThisSystem returns a line of a golden without what is told on Linux only.
func onThisSystem(line string) string {
	if runtime.GOOS != "linux" {
		line = strings.ReplaceAll(line, `,"exe":"<exe>"`, "")
	}
	return line
}

func conversationFiles(t *testing.T) []string {
	paths, err := filepath.Glob(filepath.Join(conversations, "*.txt"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("no conversations: %v", err)
	}
	return slices.DeleteFunc(paths, func(p string) bool { return filepath.Base(p) == elsewhere || filepath.Base(p) == unshown })
}

func readLines(t *testing.T, path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(bytes.TrimSuffix(text, []byte("\n"))), "\n")
}
