package ipc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
)

// intruder is a client without a library that says what makes no sense, on
// one connection that stays.
type intruder struct {
	*linesOf
	asked int
}

// asks says a message and expects a code, or if that is "" that it works. The
// connection goes on: what is asked next is answered.
func (i *intruder) asks(want, kind, channel, rest string) (a answer) {
	i.t.Helper()
	i.asked++
	id := fmt.Sprintf("intruder-%05d", i.asked)
	line := fmt.Sprintf(`{"type":%q,"messageId":%q,"channel":%q%s}`, kind, id, channel, rest)
	i.say("%s", line)
	i.say(`{"type":"request","messageId":"canary-%05d","action":"echo","data":["alive"]}`, i.asked)
	shown := line[:min(len(line), 200)]
	alive := false
	for !alive || a.CorrelationID != id && kind != "event" { // which is not answered if it works
		got, ok := i.hear()
		switch {
		case !ok:
			i.t.Fatalf("%s: hung up on", shown)
		case got.CorrelationID == id:
			a = got
		case got.CorrelationID == fmt.Sprintf("canary-%05d", i.asked) && string(got.Data) == `"alive"`:
			alive = true
		case got.Type != "event":
			i.t.Errorf("%s: and then %+v", shown, got)
		}
	}
	got := ""
	if a.Error != nil {
		got = a.Error.Code
		if executed := a.Error.Details["executed"]; executed != "no" && got != "CURSOR_INVALID" {
			i.t.Errorf("%s: %s, executed %v", shown, got, executed)
		}
		if a.Error.Message == "" || len(a.Error.Message) > 1000 {
			i.t.Errorf("%s: %.100q, of %d bytes", shown, a.Error.Message, len(a.Error.Message))
		}
	}
	if got != want {
		i.t.Errorf("%s\n\tis answered %q %.200v, and not %q", shown, got, a.Error, want)
	}
	return a
}

func data(format string, args ...any) string { return `,"data":` + fmt.Sprintf(format, args...) }

// scene of the hostile tests: an intruder, and a client that nothing of it
// may disturb.
func disturb(t *testing.T, how func(i *intruder)) {
	t.Helper()
	leavesNothing(t)
	address := localAddress(t)
	s, _ := startKept(t, t.TempDir(), address)
	good := dial(t, address, noRetries)
	tick := mustSubscribe(t, good, "tick", nil)
	ledger := mustSubscribe(t, good, "ledger", &ipc.SubscribeOptions{Durable: "good"})
	jobs := mustSubscribe(t, good, "jobs", nil)
	mustPublish(t, s, "jobs", "held")
	held := mustNext(t, jobs)
	if who := slices.DeleteFunc(whoOf(t, good), func(l ipc.Listener) bool { return l.Group != ipc.DefaultGroup }); len(who) != 1 {
		t.Fatalf("of the queue %+v", who)
	}

	how(&intruder{linesOf: speak(t, address)})

	for n := range 3 {
		mustPublish(t, s, "tick", n)
		mustPublish(t, s, "ledger.paid", n)
		for _, sub := range []*ipc.Subscription{tick, ledger} {
			if e := mustNext(t, sub); e.Data.String() != fmt.Sprint(n) || e.Gap != nil || e.Redelivered {
				t.Errorf("another's subscription to %s: %+v with %s", sub.Pattern(), e, e.Data)
			}
		}
	}
	if err := held.Ack(t.Context()); err != nil {
		t.Errorf("another's message: %v", err)
	}
	if f := figuresOf(t, good); f.Panics != 0 {
		t.Errorf("%d panics", f.Panics)
	}
}

func whoOf(t *testing.T, c *ipc.Client) []ipc.Listener {
	t.Helper()
	who, err := c.Who(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return who
}

const (
	invalid  = "INVALID_ARGUMENT"
	mismatch = "SCHEMA_MISMATCH"
	notFound = "NOT_FOUND"
)

// TestJ07_SubscribingInAllTheWrongWays.
func TestJ07_SubscribingInAllTheWrongWays(t *testing.T) {
	long := strings.Repeat("x", 65)
	deep := strings.Repeat("(", 300) + "a" + strings.Repeat(")", 300)
	disturb(t, func(i *intruder) {
		for _, options := range []string{`5`, `"x"`, `[]`, `[{}]`, `true`} {
			i.asks(invalid, "subscribe", "tick", data("%s", options))
		}
		for _, row := range []struct{ want, channel, options string }{
			{invalid, "ledger", `"from":5`},
			{invalid, "ledger", `"from":true`},
			{invalid, "ledger", `"from":[]`},
			{invalid, "ledger", `"from":{}`},
			{invalid, "ledger", `"from":"nowhere"`},
			{invalid, "ledger", `"from":"FIRST"`},
			{invalid, "ledger", `"from":` + `"` + strings.Repeat("long", 10_000) + `"`},
			{invalid, "ledger", `"from":{"epoch":5,"seq":1}`},
			{invalid, "ledger", `"from":{"epoch":"x","seq":-1}`},
			{invalid, "ledger", `"from":{"epoch":"x","seq":1.5}`},
			{invalid, "ledger", `"from":{"epoch":"x","seq":"1"}`},
			{invalid, "ledger", `"from":{"epoch":"x","seq":18446744073709551616}`},
			{"CURSOR_INVALID", "ledger", `"from":{"epoch":"x","seq":18446744073709551615}`},
			{"CURSOR_INVALID", "ledger", `"from":{"epoch":"","seq":0}`},
			{invalid, "ledger", `"from":{"epoch":"` + strings.Repeat("long", 10_000) + `","seq":1}`},
			{invalid, "ledger", `"from":{"time":"yesterday"}`},
			{invalid, "ledger", `"from":{"time":5}`},
			{invalid, "ledger", `"from":{"streams":5}`},
			{invalid, "ledger", `"from":{"streams":{"ledger":{"epoch":"x","seq":-1}}}`},
			{invalid, "ledger", `"from":{"streams":{"ledger":{"epoch":"` + strings.Repeat("long", 10_000) + `","seq":1}}}`},
			{invalid, "ledger", `"from":"snapshot"`},
			{invalid, "tick", `"from":"first"`},
			{invalid, "*", `"from":{"epoch":"x","seq":1}`},

			{invalid, "ledger", `"filter":5`},
			{invalid, "ledger", `"filter":"a =="`},
			{invalid, "ledger", `"filter":"` + strings.Repeat("a", 1025) + `"`},
			{invalid, "ledger", `"filter":"` + deep + `"`},
			{invalid, "news", `"filter":"a"`},
			{invalid, "jobs", `"filter":"a"`},

			{invalid, "jobs", `"group":5`},
			{invalid, "jobs", `"group":"` + long + `"`},
			{invalid, "jobs", `"group":"a b"`},
			{invalid, "jobs", `"group":"é"`},
			{invalid, "jobs", `"group":"../x"`},
			{invalid, "jobs", `"group":"a","durable":"a"`},
			{invalid, "news", `"group":"a"`},
			{invalid, "tick", `"group":"a"`},
			{invalid, "*", `"group":"a"`},
			{invalid, "ledger", `"durable":5`},
			{invalid, "ledger", `"durable":"` + long + `"`},
			{invalid, "ledger", `"durable":"a b"`},
			{invalid, "news", `"durable":"a"`},
			{invalid, "ledger", `"durable":"a","from":"snapshot"`},
			{"CURSOR_INVALID", "ledger", `"durable":"a","from":{"epoch":"x","seq":1}`},
			{"CONFLICT", "ledger", `"group":"good"`},

			{invalid, "jobs", `"credit":-1`},
			{invalid, "jobs", `"credit":1001`},
			{invalid, "jobs", `"credit":1000000000`},
			{invalid, "jobs", `"credit":1.5`},
			{invalid, "jobs", `"credit":"5"`},
			{invalid, "jobs", `"credit":99999999999999999999`},
			{invalid, "jobs", `"limit":-1`},
			{invalid, "jobs", `"limit":"5"`},
			{invalid, "ledger", `"from":"first","plain":5`},
			{invalid, "jobs", `"ackWaitMs":-1`},
			{invalid, "jobs", `"ackWaitMs":3600001`},
			{invalid, "jobs", `"ackWaitMs":9223372036854775807`},
			{invalid, "jobs", `"ackWaitMs":"5"`},
			{invalid, "tick", `"onSlow":5`},
			{invalid, "tick", `"onSlow":"block"`},
			{invalid, "ledger", `"from":"first","window":-1`},
			{invalid, "ledger", `"from":"first","window":67108865`},
			{invalid, "ledger", `"from":"first","window":"much"`},
			{invalid, "tick", `"subscription":5`},
			{invalid, "tick", `"subscription":"a b"`},
			{invalid, "tick", `"subscription":"` + long + `"`},
		} {
			i.asks(row.want, "subscribe", row.channel, data("{%s}", row.options))
		}
	})
}

// TestJ07_PatternsThatWouldExplode, and names that are the library's own.
func TestJ07_PatternsThatWouldExplode(t *testing.T) {
	disturb(t, func(i *intruder) {
		const bad = "INVALID_PATTERN"
		for _, row := range []struct{ want, pattern string }{
			{bad, "**.**.**"}, {bad, "**.a"}, {bad, "a.*.*.*.*.*"}, {bad, "*" + strings.Repeat(".*", 10_000)}, {bad, "a" + strings.Repeat(".a", 16)},
			{bad, strings.Repeat("a", 256)}, {bad, "user.c*"}, {bad, "***"}, {bad, "a..b"}, {bad, ".a"}, {bad, "a."}, {bad, "a b"}, {bad, "é"}, {bad, "a/b"}, {bad, ""},
			{"CHANNEL_NOT_FOUND", "ipc.will"}, {"CHANNEL_NOT_FOUND", "ipc.ack"}, {"CHANNEL_NOT_FOUND", "ipc.goodbye"},
			{"CHANNEL_NOT_FOUND", "ipc.credit"}, {"CHANNEL_NOT_FOUND", "ipc"}, {"CHANNEL_NOT_FOUND", "ledger.nobody"}, {bad, "ledger!dead"},
		} {
			i.asks(row.want, "subscribe", row.pattern, "")
		}
		for _, name := range []string{"ipc.presence", "ipc.will", "ipc.stats", "ipc.goodbye.x", "ledger.nobody"} {
			i.asks("CHANNEL_NOT_FOUND", "event", name, data("1"))
		}
		for _, name := range []string{"**", "tick.*", "ledger!dead", "", strings.Repeat("a", 256), "a" + strings.Repeat(".a", 16)} {
			i.asks("INVALID_NAME", "event", name, data("1"))
		}
		i.asks("", "subscribe", "ipc.*", "") // which matches nothing, as it seems
		i.asks("", "unsubscribe", "ipc.*", "")
	})
}

// TestJ07_ThousandsOfSubscriptions beyond what one connection may have, each
// as costly as it can be.
func TestJ07_ThousandsOfSubscriptions(t *testing.T) {
	disturb(t, func(i *intruder) {
		tokens := []string{"*", "a", "b", "ledger", "tick"}
		for n := range 1000 {
			pattern := "*"
			for m := n; m > 0; m /= len(tokens) {
				pattern += "." + tokens[m%len(tokens)]
			}
			if strings.Count(pattern, "*") > 4 {
				pattern = "a.**"
			}
			want := ""
			if n >= 512 {
				want = "QUOTA_EXCEEDED"
			}
			a := i.asks(want, "subscribe", pattern, data(`{"subscription":"number-%d","filter":"a"}`, n%600))
			if n == 999 && (a.Error == nil || a.Error.Details["resource"] != "subscriptions") {
				t.Errorf("one too many: %+v", a)
			}
		}
		i.asks("", "unsubscribe", "", data(`{"subscription":"number-7"}`))
		i.asks("", "subscribe", "tick", "")
		i.asks("QUOTA_EXCEEDED", "subscribe", "tick", "")
	})
}

// TestJ07_SettlingWhatIsNotOnesOwn.
func TestJ07_SettlingWhatIsNotOnesOwn(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat("1,", 90_000), ",")
	disturb(t, func(i *intruder) {
		i.asks("", "subscribe", "jobs", data(`{"subscription":"mine"}`))
		i.asks("ALREADY_EXISTS", "subscribe", "ledger", data(`{"subscription":"mine"}`))
		i.asks("", "subscribe", "ledger", data(`{"subscription":"plain"}`))
		i.asks("", "subscribe", "ledger", data(`{"subscription":"shares","group":"both-ways"}`))
		i.asks("CONFLICT", "subscribe", "ledger", data(`{"durable":"both-ways"}`))
		i.asks("", "unsubscribe", "", data(`{"subscription":"shares"}`))
		for _, verb := range []string{"ipc.ack", "ipc.nak", "ipc.reject"} {
			i.asks(mismatch, "request", verb, "")
			for _, text := range []string{
				`5`, `"x"`, `true`, `[]`, `[1,2]`, `{}`, `{"subscription":"mine"}`, `{"seq":1}`, `{"subscription":5,"seq":1}`,
				`{"subscription":"mine","seq":0}`, `{"subscription":"mine","seq":-1}`, `{"subscription":"mine","seq":1.5}`, `{"subscription":"mine","seq":"1"}`,
				`{"subscription":"mine","seq":18446744073709551616}`, `{"subscription":"mine","seqs":[]}`, `{"subscription":"mine","seqs":5}`,
				`{"subscription":"mine","seqs":[-1]}`, `{"subscription":"mine","seqs":["1"]}`, `{"subscription":"mine","seqs":[1.5]}`,
				`{"subscription":"mine","seqs":[[1]]}`, `{"subscription":"mine","seq":1,"seqs":[1]}`,
			} {
				i.asks(mismatch, "request", verb, data("%s", text))
			}
			for _, text := range []string{
				`{"subscription":"mine","seq":1}`, `{"subscription":"mine","seq":2}`, `{"subscription":"mine","seq":18446744073709551615}`,
				`{"subscription":"mine","seqs":[1,1,2]}`, `{"subscription":"nobody","seq":1}`, `{"subscription":"","seq":1}`, `[{"subscription":"mine","seq":1}]`,
			} {
				want := notFound
				if strings.Contains(text, `""`) {
					want = mismatch
				}
				i.asks(want, "request", verb, data("%s", text))
			}
			i.asks(invalid, "request", verb, data(`{"subscription":"plain","seq":1}`))
			i.asks(invalid, "request", verb, data(`{"subscription":"mine","seqs":[%s]}`, many))
			i.asks("MESSAGE_TOO_LARGE", "request", verb, data(`{"subscription":"mine","seqs":[%s,%s]}`, many, many))
		}
		for _, delay := range []string{`-1`, `86400001`, `9223372036854775807`} {
			i.asks(invalid, "request", "ipc.nak", data(`{"subscription":"mine","seq":1,"delayMs":%s}`, delay))
		}
		i.asks(mismatch, "request", "ipc.nak", data(`{"subscription":"mine","seq":1,"delayMs":"soon"}`))
		i.asks(mismatch, "request", "ipc.reject", data(`{"subscription":"mine","seq":1,"reason":5}`))
		for _, which := range []string{`5`, `"x"`, `[]`, `{}`, `{"subscription":5}`, `{"subscription":""}`, `null`} {
			i.asks(mismatch, "unsubscribe", "", data("%s", which))
		}
		i.asks(notFound, "unsubscribe", "", data(`{"subscription":"nobody"}`))
		i.asks(notFound, "unsubscribe", "tick", "")
		i.asks(notFound, "unsubscribe", "", "")
		i.asks("", "unsubscribe", "", data(`{"subscription":"mine"}`))
		i.asks(notFound, "unsubscribe", "", data(`{"subscription":"mine"}`))
	})
}

// TestJ07_WillsAndReceiptsAndCredit that nobody can mean.
func TestJ07_WillsAndReceiptsAndCredit(t *testing.T) {
	disturb(t, func(i *intruder) {
		i.asks(mismatch, "request", "ipc.will", "")
		for _, text := range []string{`[]`, `[1,2]`, `5`, `"x"`, `{"event":5}`, `[[]]`} {
			i.asks(mismatch, "request", "ipc.will", data("%s", text))
		}
		for _, name := range []string{"", "**", "a b", "ledger!dead"} {
			i.asks("INVALID_NAME", "request", "ipc.will", data(`{"event":%q}`, name))
		}
		for _, name := range []string{"ipc.presence", "ipc.will", "nobody"} {
			i.asks("CHANNEL_NOT_FOUND", "request", "ipc.will", data(`{"event":%q,"data":1}`, name))
		}
		i.asks("MESSAGE_TOO_LARGE", "request", "ipc.will", data(`{"event":"tick","data":"%s"}`, strings.Repeat("x", 1<<20-500)))
		i.asks("", "request", "ipc.will", data(`{"event":"tick","data":"first"}`))
		i.asks("", "request", "ipc.will", data(`{"event":"tick","data":"second"}`))
		i.asks("", "request", "ipc.will", data(`null`))
		for _, metadata := range []string{`{"confirm":"yes"}`, `{"confirm":5}`, `{"confirm":[]}`, `5`, `[]`} {
			i.asks("MALFORMED_MESSAGE", "event", "tick", data("1")+`,"metadata":`+metadata)
		}
		i.asks("", "subscribe", "ledger", data(`{"subscription":"past","from":"first","window":512}`))
		for _, metadata := range []string{
			`{"subscription":"nobody","credit":5}`, `{"credit":5}`, `{"subscription":"plain","credit":-1}`, `{"subscription":"plain","credit":0}`,
			`{"subscription":"plain","credit":9223372036854775807}`, `{"subscription":"past","credit":-9223372036854775808}`,
			`{"subscription":"past","credit":9223372036854775807}`, `{"subscription":"past","credit":9223372036854775807}`, `{}`,
		} {
			i.asks("", "event", "ipc.credit", `,"metadata":`+metadata)
		}
		for _, metadata := range []string{`{"subscription":5,"credit":5}`, `{"subscription":"past","credit":"x"}`, `{"subscription":"past","credit":1.5}`} {
			i.asks("MALFORMED_MESSAGE", "event", "ipc.credit", `,"metadata":`+metadata)
		}
	})
}

// TestJ07_ReasonsThatAreCut within a character.
func TestJ07_ReasonsThatAreCut(t *testing.T) {
	disturb(t, func(i *intruder) {
		i.asks("", "subscribe", "errands", data(`{"subscription":"mine"}`))
		i.asks("", "event", "errands", data("1")+`,"metadata":{"confirm":true}`)
		i.asks("", "request", "ipc.reject", data(`{"subscription":"mine","seq":1,"reason":"a%s"}`, strings.Repeat("é", 5000)))
		a := i.asks("", "request", "ipc.messages", data(`{"channel":"errands","dead":true}`))
		if !strings.Contains(string(a.Data), `"reason":"aéé`) {
			t.Errorf("of the dead letter %.200s", a.Data)
		}
	})
}
