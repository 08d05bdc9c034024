package torture

import (
	"fmt"

	"github.com/ekkojs/ipc/wire"
)

// Rule is the name of something that holds of every history.
type Rule string

// The rules.
const (
	// EndsOnce: a call that was begun ends exactly once, unless its caller was
	// killed; and nothing ends that was not begun.
	EndsOnce Rule = "ends-once"

	// OKExecuted: a call that returned a result was executed, to the end, in
	// between.
	OKExecuted Rule = "ok-executed"

	// OwnAnswer: an answer that names a call names the one that it ends.
	OwnAnswer Rule = "own-answer"

	// NoNotExecuted: of a call that failed with executed "no", no execution
	// ever began, but for those that refused with that very code.
	NoNotExecuted Rule = "no-not-executed"

	// YesExecuted: a call that failed with executed "yes" was executed.
	YesExecuted Rule = "yes-executed"

	// AtMostOnce: a call is executed once at most; where retries were asked
	// for, once at most by each process.
	AtMostOnce Rule = "at-most-once"

	// KnownCode: the code of an error is in the table, or is the service's own.
	KnownCode Rule = "known-code"

	// CodeExecuted: what an error says of its execution is something that its
	// code allows. Where retries were asked for, "maybe" goes with every code:
	// it is that of the last attempt only.
	CodeExecuted Rule = "code-executed"

	// NotInvented: what is executed was called by somebody.
	NotInvented Rule = "not-invented"

	// WholeStream: the items of a stream come in order, each once and none
	// after the end; and a stream that ended well has all of them.
	WholeStream Rule = "whole-stream"

	// AfterInvoke: an execution begins after its call does, and ends after it
	// began.
	AfterInvoke Rule = "after-invoke"
)

// Contradiction is a rule that a history breaks, and by which call.
type Contradiction struct {
	Rule Rule
	Call string
	Text string
}

// String says it in a line.
func (c Contradiction) String() string { return fmt.Sprintf("%s: %s: %s", c.Rule, c.Call, c.Text) }

// Check holds a history against the rules and returns what contradicts them,
// in the order in which the calls were first heard of.
func Check(h *History) []Contradiction {
	calls := map[string]*record{}
	var order []*record
	for _, e := range h.Events {
		r := calls[e.Call]
		if r == nil {
			r = &record{name: e.Call}
			calls[e.Call] = r
			order = append(order, r)
		}
		r.add(e)
	}
	c := &checker{history: h}
	for _, r := range order {
		c.check(r)
	}
	return c.found
}

// record is all there is of one call.
type record struct {
	name     string
	invokes  []Event
	outcomes []Event
	begins   []Event
	refusals []Event
	ends     []Event
	items    []Event
}

func (r *record) add(e Event) {
	switch e.Kind {
	case Invoke:
		r.invokes = append(r.invokes, e)
	case OK, Fail:
		r.outcomes = append(r.outcomes, e)
	case Begin:
		r.begins = append(r.begins, e)
	case Refused:
		r.refusals = append(r.refusals, e)
	case End:
		r.ends = append(r.ends, e)
	case Item:
		r.items = append(r.items, e)
	}
}

// checker collects what it finds.
type checker struct {
	history *History
	found   []Contradiction
}

func (c *checker) blame(rule Rule, r *record, format string, args ...any) {
	c.found = append(c.found, Contradiction{rule, r.name, fmt.Sprintf(format, args...)})
}

func (c *checker) check(r *record) {
	if len(r.invokes) == 0 {
		if len(r.begins) > 0 {
			c.blame(NotInvented, r, "executed %d times, and nobody called it", len(r.begins))
		}
		if len(r.outcomes) > 0 {
			c.blame(EndsOnce, r, "ended %d times, and nobody called it", len(r.outcomes))
		}
		return
	}
	c.ending(r)
	c.executions(r)
	c.stream(r)
	for _, outcome := range r.outcomes {
		if outcome.Of != "" && outcome.Of != r.name {
			c.blame(OwnAnswer, r, "got the answer of %s", outcome.Of)
		}
		if outcome.Kind == OK {
			c.result(r, outcome)
		} else {
			c.failure(r, outcome)
		}
	}
}

// ending checks that the call ended once.
func (c *checker) ending(r *record) {
	invoke := r.invokes[0]
	switch n := len(r.outcomes); {
	case len(r.invokes) > 1:
		c.blame(EndsOnce, r, "was begun %d times under one name", len(r.invokes))
	case n > 1:
		c.blame(EndsOnce, r, "ended %d times", n)
	case n == 0 && !c.history.Killed[invoke.Process]:
		c.blame(EndsOnce, r, "never ended, and %s was not killed", invoke.Process)
	case n == 1 && r.outcomes[0].At < invoke.At:
		c.blame(EndsOnce, r, "ended before it was begun")
	}
}

// executions checks how often and when the call was executed.
func (c *checker) executions(r *record) {
	invoke := r.invokes[0]
	by := map[string]int{}
	most := 0
	for _, b := range r.begins {
		process := b.Process
		if !invoke.Retry {
			process = "" // all processes together
		}
		by[process]++
		most = max(most, by[process])
		if b.At < invoke.At {
			c.blame(AfterInvoke, r, "an execution began %d ns before the call", invoke.At-b.At)
		}
	}
	if most > 1 {
		c.blame(AtMostOnce, r, "was executed %d times", most)
	}
	for _, e := range r.ends {
		if !anyBefore(r.begins, e) {
			c.blame(AfterInvoke, r, "an execution ended in %s that had not begun", e.Process)
		}
	}
}

// anyBefore reports whether one of events was before e in the same process.
func anyBefore(events []Event, e Event) bool {
	for _, b := range events {
		if b.Process == e.Process && b.At <= e.At {
			return true
		}
	}
	return false
}

// stream checks the items of the call, on each side by itself.
func (c *checker) stream(r *record) {
	next := map[string]int{}
	for _, e := range r.items {
		if e.N != next[e.Process] {
			c.blame(WholeStream, r, "%s received item %d in the place of item %d", e.Process, e.N, next[e.Process])
		}
		next[e.Process]++
		for _, outcome := range r.outcomes {
			if outcome.Process == e.Process && outcome.At < e.At {
				c.blame(WholeStream, r, "received item %d after the end", e.N)
			}
		}
	}
}

// result checks a call that succeeded.
func (c *checker) result(r *record, ok Event) {
	if r.invokes[0].OneWay {
		return // it was sent, and that is all there is to know
	}
	whole, streamed := false, false
	for _, e := range r.ends {
		if e.At <= ok.At && anyBefore(r.begins, e) {
			whole, streamed = true, streamed || e.N == ok.N
		}
	}
	switch {
	case len(r.begins) == 0:
		c.blame(OKExecuted, r, "returned a result and was not executed")
	case !whole:
		c.blame(OKExecuted, r, "returned a result before an execution had ended")
	case !streamed:
		c.blame(WholeStream, r, "ended well with %d items, which is not what the execution had", ok.N)
	case ok.Of == "":
		c.blame(OwnAnswer, r, "returned a result that names no call")
	}
}

// failure checks a call that failed.
func (c *checker) failure(r *record, e Event) {
	if !e.Code.Known() {
		c.blame(KnownCode, r, "failed with the code %q, which is not in the table", e.Code)
	} else if careful := r.invokes[0].Retry && e.Executed == wire.ExecutedMaybe; !careful && !Allowed(e.Code, e.Executed) {
		c.blame(CodeExecuted, r, "failed with %s, which does not go with executed %q", e.Code, e.Executed)
	}
	switch e.Executed {
	case wire.ExecutedYes:
		if len(r.begins) == 0 {
			c.blame(YesExecuted, r, "failed with %s, executed %q, and was not executed", e.Code, e.Executed)
		}
	case wire.ExecutedNo:
		refused := 0
		for _, f := range r.refusals {
			if f.Code == e.Code {
				refused++
			}
		}
		if n := len(r.begins); n > refused {
			c.blame(NoNotExecuted, r, "failed with %s, executed %q, and was executed %d times", e.Code, e.Executed, n)
		}
	}
}

// Allowed reports whether an error with that code may say x of the execution
// of its call: what the table says, or what the specification adds to it.
func Allowed(code wire.Code, x wire.Executed) bool {
	if x == code.Executed() {
		return true
	}
	switch code {
	case wire.CodeDeadlineExceeded, wire.CodeCancelled, wire.CodeConnectionLost, wire.CodeInternal:
		return x == wire.ExecutedNo // the call had not left yet
	case wire.CodeHandlerFailed:
		return x == wire.ExecutedYes
	case wire.CodeMessageTooLarge: // the request was, or the answer
		return x == wire.ExecutedYes || x == wire.ExecutedMaybe
	case wire.CodeInvalidArgument, wire.CodeNotFound, wire.CodeAlreadyExists, wire.CodeConflict,
		wire.CodeSchemaMismatch, wire.CodeUnimplemented, wire.CodeAppError:
		return x == wire.ExecutedMaybe || x == wire.ExecutedNo // a handler may have passed it on
	}
	return code.IsApp() && (x == wire.ExecutedMaybe || x == wire.ExecutedNo)
}
