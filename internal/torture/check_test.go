package torture

import (
	"slices"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// healthy is a history without a contradiction that has something of
// everything: the line of a call is what its events are named by.
func healthy() *History {
	h := &History{Killed: map[string]bool{"client2": true, "back-1": true}}
	at := int64(0)
	add := func(process string, e Event) {
		at += 10
		e.Process, e.At = process, at
		h.Events = append(h.Events, e)
	}
	add("client1", Event{Kind: Invoke, Call: "fine", Method: "quick"})
	add("front-1", Event{Kind: Begin, Call: "fine"})
	add("front-1", Event{Kind: End, Call: "fine"})
	add("client1", Event{Kind: OK, Call: "fine", Of: "fine"})

	add("client1", Event{Kind: Invoke, Call: "broken", Method: "failing"})
	add("front-1", Event{Kind: Begin, Call: "broken"})
	add("front-1", Event{Kind: End, Call: "broken"})
	add("client1", Event{Kind: Fail, Call: "broken", Of: "broken", Code: "APP_BROKEN", Executed: wire.ExecutedYes})

	add("client1", Event{Kind: Invoke, Call: "refused", Method: "refusing"})
	add("front-1", Event{Kind: Begin, Call: "refused"})
	add("front-1", Event{Kind: Refused, Call: "refused", Code: wire.CodeNotFound})
	add("front-1", Event{Kind: End, Call: "refused"})
	add("client1", Event{Kind: Fail, Call: "refused", Of: "refused", Code: wire.CodeNotFound, Executed: wire.ExecutedNo})

	add("client1", Event{Kind: Invoke, Call: "unheard", Method: "slow"})
	add("back-1", Event{Kind: Begin, Call: "unheard"})
	add("client1", Event{Kind: Fail, Call: "unheard", Code: wire.CodeConnectionLost, Executed: wire.ExecutedMaybe})

	add("client1", Event{Kind: Invoke, Call: "turned away", Method: "quick"})
	add("client1", Event{Kind: Fail, Call: "turned away", Code: wire.CodeQueueFull, Executed: wire.ExecutedNo})

	add("client1", Event{Kind: Invoke, Call: "again", Method: "slow", Retry: true})
	add("back-1", Event{Kind: Begin, Call: "again"})
	add("back-2", Event{Kind: Begin, Call: "again"})
	add("back-2", Event{Kind: End, Call: "again"})
	add("client1", Event{Kind: OK, Call: "again", Of: "again"})

	add("client1", Event{Kind: Invoke, Call: "given up", Method: "slow", Retry: true})
	add("client1", Event{Kind: Fail, Call: "given up", Code: wire.CodeServiceUnavailable, Executed: wire.ExecutedMaybe})

	add("client1", Event{Kind: Invoke, Call: "told", Method: "quick", OneWay: true})
	add("client1", Event{Kind: OK, Call: "told"})

	add("client1", Event{Kind: Invoke, Call: "stream", Method: "count"})
	add("front-1", Event{Kind: Begin, Call: "stream"})
	add("client1", Event{Kind: Item, Call: "stream", N: 0})
	add("client1", Event{Kind: Item, Call: "stream", N: 1})
	add("front-1", Event{Kind: End, Call: "stream", N: 2})
	add("client1", Event{Kind: OK, Call: "stream", Of: "stream", N: 2})

	add("client2", Event{Kind: Invoke, Call: "orphan", Method: "slow"})
	add("front-1", Event{Kind: Begin, Call: "orphan"})
	return h
}

// TestCheckHealthy finds nothing where there is nothing.
func TestCheckHealthy(t *testing.T) {
	for _, c := range Check(healthy()) {
		t.Error(c)
	}
	if found := Check(&History{}); found != nil {
		t.Errorf("an empty history: %v", found)
	}
}

// mutations are faults of a history, each with the rules that it breaks and
// the call that is to blame.
var mutations = []struct {
	name   string
	call   string
	rules  []Rule
	mutate func(*History)
}{
	{"a call never ends", "fine", []Rule{EndsOnce}, drop("fine", OK)},
	{"a call ends twice", "fine", []Rule{EndsOnce}, repeat("fine", OK)},
	{"a call ends both ways", "fine", []Rule{EndsOnce}, insert(Event{Kind: Fail, Call: "fine", Code: wire.CodeCancelled, Executed: wire.ExecutedMaybe})},
	{"a call ends that nobody made", "ghost", []Rule{EndsOnce}, insert(Event{Kind: OK, Call: "ghost", Of: "ghost"})},
	{"two calls have one name", "fine", []Rule{EndsOnce}, repeat("fine", Invoke)},
	{"a call ends before it begins", "turned away", []Rule{EndsOnce}, move("turned away", Invoke, +25)},
	{"a killed caller that was not", "orphan", []Rule{EndsOnce}, func(h *History) { h.Killed = nil }},

	{"a result of nothing", "fine", []Rule{OKExecuted}, func(h *History) { drop("fine", Begin)(h); drop("fine", End)(h) }},
	{"a result of what is not through", "fine", []Rule{OKExecuted}, drop("fine", End)},
	{"a result before the end", "fine", []Rule{OKExecuted}, move("fine", End, +25)},
	{"an end without a beginning", "fine", []Rule{OKExecuted, AfterInvoke}, drop("fine", Begin)},

	{"somebody else's result", "fine", []Rule{OwnAnswer}, change("fine", OK, func(e *Event) { e.Of = "broken" })},
	{"a result of nobody", "fine", []Rule{OwnAnswer}, change("fine", OK, func(e *Event) { e.Of = "" })},
	{"somebody else's error", "broken", []Rule{OwnAnswer}, change("broken", Fail, func(e *Event) { e.Of = "fine" })},

	{"no, and it ran", "turned away", []Rule{NoNotExecuted}, insert(Event{Kind: Begin, Call: "turned away"})},
	{"no, and it ran later", "turned away", []Rule{NoNotExecuted}, func(h *History) {
		h.Events = append(h.Events, Event{Kind: Begin, Call: "turned away", At: 1 << 40, Process: "front-9"})
	}},
	{"maybe said as no", "unheard", []Rule{NoNotExecuted}, change("unheard", Fail, func(e *Event) { e.Executed = wire.ExecutedNo })},
	{"a refusal that was none", "refused", []Rule{NoNotExecuted}, drop("refused", Refused)},
	{"a refusal of another code", "refused", []Rule{NoNotExecuted}, change("refused", Refused, func(e *Event) { e.Code = wire.CodeConflict })},
	{"a refusal and an execution", "refused", []Rule{NoNotExecuted, AtMostOnce}, repeat("refused", Begin)},

	{"yes, and it did not run", "broken", []Rule{YesExecuted}, func(h *History) { drop("broken", Begin)(h); drop("broken", End)(h) }},

	{"executed twice", "broken", []Rule{AtMostOnce}, repeat("broken", Begin)},
	{"executed by two processes", "unheard", []Rule{AtMostOnce}, insert(Event{Kind: Begin, Call: "unheard", Process: "back-2"})},
	{"retried twice in one process", "again", []Rule{AtMostOnce}, insert(Event{Kind: Begin, Call: "again", Process: "back-2"})},
	{"retried and not asked to", "again", []Rule{AtMostOnce}, change("again", Invoke, func(e *Event) { e.Retry = false })},

	{"a code that there is not", "broken", []Rule{KnownCode}, change("broken", Fail, func(e *Event) { e.Code = "BROKEN" })},
	{"no code", "broken", []Rule{KnownCode}, change("broken", Fail, func(e *Event) { e.Code = "" })},
	{"a claim against the code", "turned away", []Rule{CodeExecuted}, change("turned away", Fail, func(e *Event) { e.Executed = wire.ExecutedMaybe })},
	{"no claim", "broken", []Rule{CodeExecuted}, change("broken", Fail, func(e *Event) { e.Executed = "" })},
	{"a lost connection that knows", "unheard", []Rule{CodeExecuted}, change("unheard", Fail, func(e *Event) { e.Executed = wire.ExecutedYes })},

	{"an item twice", "stream", []Rule{WholeStream}, repeat("stream", Item)},
	{"an item lost", "stream", []Rule{WholeStream}, drop("stream", Item)},
	{"an item after the end", "stream", []Rule{WholeStream}, insert(Event{Kind: Item, Call: "stream", N: 2, Process: "client1"})},
	{"a stream cut short", "stream", []Rule{WholeStream}, change("stream", OK, func(e *Event) { e.N = 1 })},
	{"a message that was sent twice", "told", []Rule{AtMostOnce}, func(h *History) {
		insert(Event{Kind: Begin, Call: "told"})(h)
		insert(Event{Kind: Begin, Call: "told"})(h)
	}},
	{"given up and not asked to try again", "given up", []Rule{CodeExecuted}, change("given up", Invoke, func(e *Event) { e.Retry = false })},
	{"given up and executed", "given up", []Rule{NoNotExecuted}, func(h *History) {
		change("given up", Fail, func(e *Event) { e.Code, e.Executed = wire.CodeConnectionLost, wire.ExecutedNo })(h)
		insert(Event{Kind: Begin, Call: "given up"})(h)
	}},

	{"executed and not called", "ghost", []Rule{NotInvented}, insert(Event{Kind: Begin, Call: "ghost"})},
	{"executed before it was called", "fine", []Rule{AfterInvoke}, move("fine", Begin, -25)},
	{"ended in a process where it did not begin", "fine", []Rule{AfterInvoke}, insert(Event{Kind: End, Call: "fine", Process: "front-7"})},
}

// TestCheckMutations plants one fault after another in a history and looks
// for the rule that it breaks.
func TestCheckMutations(t *testing.T) {
	tested := map[Rule]bool{}
	for _, m := range mutations {
		for _, rule := range m.rules {
			tested[rule] = true
		}
		t.Run(m.name, func(t *testing.T) {
			h := healthy()
			m.mutate(h)
			h.Sort()
			var got []Rule
			for _, c := range Check(h) {
				if c.Call != m.call {
					t.Errorf("blames another call: %s", c)
				}
				got = append(got, c.Rule)
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(m.rules))
			if !slices.Equal(slices.Compact(got), want) {
				t.Errorf("breaks %q, found %q\n%s", want, got, h.Excerpt(m.call))
			}
		})
	}
	for _, rule := range []Rule{EndsOnce, OKExecuted, OwnAnswer, NoNotExecuted, YesExecuted, AtMostOnce, KnownCode, CodeExecuted, NotInvented, WholeStream, AfterInvoke} {
		if !tested[rule] {
			t.Errorf("no mutation breaks %s", rule)
		}
	}
}

// TestAllowed holds what the checker lets a code say against what the table
// says of it: the default of a code is allowed, and "yes" never where the
// call cannot have arrived.
func TestAllowed(t *testing.T) {
	for _, row := range wire.Codes() {
		if !Allowed(row.Code, row.Executed) {
			t.Errorf("%s may not say what it says by default, %q", row.Code, row.Executed)
		}
		if row.Executed == wire.ExecutedNo && Allowed(row.Code, wire.ExecutedYes) && row.Code != wire.CodeMessageTooLarge {
			t.Errorf("%s may say yes", row.Code)
		}
		if row.Executed == wire.ExecutedYes && Allowed(row.Code, wire.ExecutedNo) && row.Code != wire.CodeAppError {
			t.Errorf("%s may say no", row.Code)
		}
	}
}

// TestExcerpt shows the history of one call, as a finding does.
func TestExcerpt(t *testing.T) {
	got := healthy().Excerpt("unheard")
	want := strings.Join([]string{
		"       0.000 ms  client1      invoke  unheard slow",
		"       0.000 ms  back-1       begin   unheard (killed later)",
		"       0.000 ms  client1      fail    unheard CONNECTION_LOST maybe",
		"",
	}, "\n")
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// find returns the event of that kind of a call.
func find(h *History, call string, kind Kind) int {
	i := slices.IndexFunc(h.Events, func(e Event) bool { return e.Call == call && e.Kind == kind })
	if i < 0 {
		panic("the healthy history has no " + string(kind) + " of " + call)
	}
	return i
}

func drop(call string, kind Kind) func(*History) {
	return func(h *History) {
		i := find(h, call, kind)
		h.Events = slices.Delete(h.Events, i, i+1)
	}
}

func repeat(call string, kind Kind) func(*History) {
	return func(h *History) {
		i := find(h, call, kind)
		h.Events = slices.Insert(h.Events, i, h.Events[i])
	}
}

func change(call string, kind Kind, f func(*Event)) func(*History) {
	return func(h *History) { f(&h.Events[find(h, call, kind)]) }
}

func move(call string, kind Kind, by int64) func(*History) {
	return change(call, kind, func(e *Event) { e.At += by })
}

// insert adds an event right after the first of its call, or at the end.
func insert(e Event) func(*History) {
	return func(h *History) {
		at := h.Events[len(h.Events)-1].At
		for _, other := range h.Events {
			if other.Call == e.Call {
				at = other.At
			}
		}
		e.At = at + 1
		if e.Process == "" {
			e.Process = "front-1"
		}
		h.Events = append(h.Events, e)
	}
}
